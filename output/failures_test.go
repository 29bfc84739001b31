package output

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"headcount/scan"
	"headcount/scan/list"
)

func TestFailures(t *testing.T) {
	var out bytes.Buffer
	f := NewFailureLines(Stream(t.Context(), &out))
	page := []*scan.ObjectError{
		{
			Entry:  list.Entry{Key: "a", ETag: "e", Size: 7, LastModified: "2026-01-02T03:04:05.678Z"},
			Status: 403, Class: "forbidden", Attempts: 1, RequestID: "R",
		},
		{
			Entry: list.Entry{Key: "\xff\n", Size: -1}, Class: "timeout", Attempts: 10,
			Err: errors.New("context deadline exceeded"),
		},
	}
	if err := f.Add(page); err != nil {
		t.Fatal(err)
	}
	want := `{"key":"a","etag":"e","size":7,"last_modified":"2026-01-02T03:04:05.678Z","status":403,` +
		`"class":"forbidden","attempts":1,"request_id":"R"}
{"key_b64":"/wo=","class":"timeout","attempts":10,"error":"context deadline exceeded"}
`
	if out.String() != want {
		t.Errorf("\n got %s\nwant %s", out.String(), want)
	}
	entries, err := ReadFailureLines(&out)
	wantEntries := []list.Entry{page[0].Entry, page[1].Entry}
	if err != nil || !slices.Equal(entries, wantEntries) {
		t.Errorf("read back: %v, %v", entries, err)
	}
}

// ReadFailureLines refuses a file with anything but failures, and returns none of its objects.
func TestReadFailureLinesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"key":"a"}` + "\n" + `{"key":`:          "object 2: unexpected EOF",
		`{"key":"a"}` + "\n" + `oops`:             "object 2: invalid character 'o' looking for beginning of value",
		`{"metadata":{}}`:                         "object 1 has no key",
		`{"key":""}`:                              "object 1 has no key",
		`{"key_b64":"?"}`:                         "object 1: illegal base64 data at input byte 0",
		`{"key":"a"}{"key":"b","version_id":"v"}`: "object 2 has the version_id v: only the latest",
		`["a"]`: "object 1: json: cannot unmarshal array into Go value of type struct",
	} {
		entries, err := ReadFailureLines(strings.NewReader(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || entries != nil {
			t.Errorf("%s: %v, %v, want %s", text, entries, err, want)
		}
	}
}
