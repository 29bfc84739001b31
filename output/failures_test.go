package output

import (
	"bytes"
	"errors"
	"io"
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
		{Entry: list.Entry{Key: "k 3", Encoded: "k+3", Size: -1}, Status: 503, Class: "throttled", Attempts: 10},
		{Entry: list.Entry{Key: "k \xff", Encoded: "k+\xff", Size: -1}, Status: 503, Class: "throttled", Attempts: 10},
	}
	if err := f.Add(page); err != nil {
		t.Fatal(err)
	}
	want := `{"key":"a","etag":"e","size":7,"last_modified":"2026-01-02T03:04:05.678Z","status":403,` +
		`"class":"forbidden","attempts":1,"request_id":"R"}
{"key_b64":"/wo=","class":"timeout","attempts":10,"error":"context deadline exceeded"}
{"key":"k 3","listed_key":"k+3","status":503,"class":"throttled","attempts":10}
{"key_b64":"ayD/","listed_key_b64":"ayv/","status":503,"class":"throttled","attempts":10}
`
	if out.String() != want {
		t.Errorf("\n got %s\nwant %s", out.String(), want)
	}
	entries, err := readFailures(&out)
	wantEntries := []list.Entry{page[0].Entry, page[1].Entry, page[2].Entry, page[3].Entry}
	if err != nil || !slices.Equal(entries, wantEntries) {
		t.Errorf("read back: %v, %v", entries, err)
	}
}

func readFailures(r io.Reader) (entries []list.Entry, err error) {
	err = ReadFailureLines(r, func(e list.Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// endless is a text without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, bytes.Repeat([]byte{'x'}, len(p))), nil
}

// An object without an end is refused, and is not read as a whole. A text of the greatest length is read, wherever it
// is.
func TestReadFailureLinesIsBounded(t *testing.T) {
	tail := &endless{}
	entries, err := readFailures(io.MultiReader(strings.NewReader(`{"key":"a"}{"key":"`), tail))
	if line := (*ReadError)(nil); !errors.As(err, &line) || line.Object != 2 || tail.read > 2*failureBytesMax {
		t.Errorf("%v, after %d bytes", err, tail.read)
	}
	if len(entries) != 1 {
		t.Errorf("%d objects before it", len(entries))
	}
	long := `{"key":"a","error":"` + strings.Repeat("x", failureBytesMax*9/10) + `"}` + "\n"
	if entries, err := readFailures(strings.NewReader(long + long + long)); err != nil || len(entries) != 3 {
		t.Errorf("%d long objects, %v", len(entries), err)
	}
}

// ReadFailureLines refuses a file with anything but failures.
func TestReadFailureLinesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"key":"a"}` + "\n" + `{"key":`:      "object 2: unexpected EOF",
		`{"key":"a"}` + "\n" + `oops`:         "object 2: invalid character 'o' looking for beginning of value",
		`{"metadata":{}}`:                     "object 1: it has no key",
		`{"key":""}`:                          "object 1: it has no key",
		`{"key":"a"}{"key":"a","key":"b"}`:    "object 2: it has more than one key",
		`{"key":"a","key_b64":"Yg=="}`:        "object 1: it has more than one key",
		`{"key_b64":"YQ==","key_b64":"Yg=="}`: "object 1: it has more than one key",
		`{"key":7}`:                           "object 1: json: cannot unmarshal number into Go struct field Object.key",
		`{"key_b64":"?"}`:                     "object 1: illegal base64 data at input byte 0",
		`["a"]`:                               "object 1: json: cannot unmarshal array into Go value of type keylist.Object",
	} {
		entries, err := readFailures(strings.NewReader(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %s", text, entries, err, want)
		}
	}
}
