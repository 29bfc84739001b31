package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// record makes a Record from headers as "name: value"; those of metadata begin with "meta-", sorted.
func record(key string, headers ...string) *scan.Record {
	return recordOf(&list.Entry{Key: key, Size: 7, ETag: "listed", LastModified: "2026-11-22T01:02:03.004Z", StorageClass: "STANDARD"}, false, headers...)
}

func recordOf(entry *list.Entry, changed bool, headers ...string) *scan.Record {
	result := &head.Result{Status: 200}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name, isMeta := strings.CutPrefix(name, "meta-"); isMeta {
			result.Metadata = append(result.Metadata, head.Field{Name: []byte(name), Value: []byte(value)})
		} else {
			result.Headers = append(result.Headers, head.Field{Name: []byte(name), Value: []byte(value)})
		}
	}
	r := scan.NewRecord(entry, result, changed)
	return &r
}

// line is what a Record is printed as.
func line(t testing.TB, fields string, r *scan.Record) string {
	t.Helper()
	chosen, err := field.Parse(fields)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sink := NewJSONLines(Stream(&out), chosen)
	c := sink.NewChunk()
	c.Add(r)
	if err := sink.Commit(nil, []scan.Chunk{c}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestLine(t *testing.T) {
	changed := recordOf(&list.Entry{Key: "k", Size: 7, ETag: "listed", LastModified: "2026-11-22T01:02:03.004Z"}, true,
		"etag: \"new\"", "last-modified: Sun, 22 Nov 2026 05:00:00 GMT", "content-length: 9")
	bare := recordOf(&list.Entry{Key: "k", Size: -1}, false, "content-type: text/plain")
	cases := []struct {
		fields string
		record *scan.Record
		want   string
	}{
		{"key,metadata", record("a/b.txt", "meta-owner: alice"), `{"key":"a/b.txt","metadata":{"owner":"alice"}}`},
		{"key,metadata", record(`"\<>&` + "\n\t\x01\u2028é😀"), `{"key":"\"\\<>&\n\t\u0001\u2028é😀","metadata":{}}`},
		{"key,metadata", record("\xff", "meta-a: "), `{"key_b64":"/w==","metadata":{"a":""}}`},
		{"metadata,key", record("k", "meta-a: 1", "meta-b: \xfc", "meta-c: 3"), `{"metadata":{"a":"1","c":"3"},"metadata_b64":{"b":"/A=="},"key":"k"}`},
		{"key,metadata", record("k", "x-amz-missing-meta: 2"), `{"key":"k","metadata":{},"missing_meta":2}`},
		{"key,size,etag,last_modified", changed, `{"key":"k","size":9,"etag":"new","last_modified":"2026-11-22T05:00:00Z","changed":true}`},
		{"all", bare, `{"key":"k","metadata":{},"content_type":"text/plain"}`},
		{"last_modified,key", record("k", "last-modified: whenever"), `{"last_modified":"2026-11-22T01:02:03.004Z","key":"k"}`},
		{"bucket_key_enabled,tag_count,parts_count", record("k", "x-amz-server-side-encryption-bucket-key-enabled: true", "x-amz-tagging-count: 2", "x-amz-mp-parts-count: many"), `{"bucket_key_enabled":true,"tag_count":2}`},
		{"version_id", record("k"), `{}`},
		{"all", record("k", "content-length: 7", "etag: \"e\"", "x-amz-storage-class: GLACIER", "x-amz-version-id: v"),
			`{"key":"k","metadata":{},"size":7,"etag":"e","last_modified":"2026-11-22T01:02:03.004Z","storage_class":"GLACIER","version_id":"v"}`},
	}
	for _, c := range cases {
		if got := line(t, c.fields, c.record); got != c.want+"\n" {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

// Whatever the bytes are, a line is JSON on one line, and says what they were.
func TestAnyBytesComeBack(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(rt *rapid.T) {
		if err := comesBack(t, text.Draw(rt, "key"), text.Draw(rt, "value")); err != nil {
			rt.Fatal(err)
		}
	})
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{"", "a/b.txt", "\"\\<>&", "\n\t\x00\x7f", "\u2028é日本", "\xff", "\xe2\x80", "\xed\xa0\x80", "=?UTF-8?Q?=C3=BC?=", "1234567\x80"} {
		f.Add(seed, seed)
		f.Add("key", seed)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		if err := comesBack(t, key, value); err != nil {
			t.Error(err)
		}
	})
}

// comesBack says what is wrong with the line of an object that has such a key, and such a value as metadata and as another header.
func comesBack(t *testing.T, key, value string) error {
	got := line(t, "all", record(key, "meta-u: é", "meta-v: "+value, "content-type: "+value))
	if strings.Count(got, "\n") != 1 || !json.Valid([]byte(got)) || !utf8.ValidString(got) {
		return fmt.Errorf("no line of JSON: %q", got)
	}
	var l struct {
		Key            *string
		KeyB64         []byte `json:"key_b64"`
		Metadata       map[string]string
		MetadataB64    map[string][]byte `json:"metadata_b64"`
		ContentType    string            `json:"content_type"`
		ContentTypeB64 []byte            `json:"content_type_b64"`
	}
	if err := json.Unmarshal([]byte(got), &l); err != nil {
		return err
	}
	isKey := l.Key != nil && *l.Key == key && l.KeyB64 == nil
	if !utf8.ValidString(key) {
		isKey = l.Key == nil && string(l.KeyB64) == key
	}
	_, isText := l.Metadata["v"]
	switch {
	case !isKey:
		return fmt.Errorf("key %q in %s", key, got)
	case l.Metadata["v"]+string(l.MetadataB64["v"]) != value || isText != utf8.ValidString(value) || l.Metadata["u"] != "é":
		return fmt.Errorf("value %q in %s", value, got)
	case l.ContentType+string(l.ContentTypeB64) != value:
		return fmt.Errorf("content type %q in %s", value, got)
	}
	return nil
}

func FuzzString(f *testing.F) {
	for _, seed := range []string{"", "a", "\"\\", "\u2028\u2029", "\xe2\x80", "\xff", "😀", "\x7f", "\xed\xa0\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var back string
		if err := json.Unmarshal(appendString(nil, []byte(text)), &back); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(text, "\uFFFD"); utf8.ValidString(text) && back != want {
			t.Fatalf("%q came back as %q", text, back)
		}
	})
}

// counting is a writer that counts its calls, and fails from one on.
type counting struct {
	writes, failFrom int
	text             bytes.Buffer
}

func (c *counting) Write(p []byte) (int, error) {
	if c.writes++; c.failFrom > 0 && c.writes >= c.failFrom {
		return 0, errors.New("full")
	}
	return c.text.Write(p)
}

func TestAPageIsOneWriteInTheOrderOfItsChunks(t *testing.T) {
	fields, err := field.Parse("key")
	if err != nil {
		t.Fatal(err)
	}
	w := &counting{failFrom: 3}
	sink := NewJSONLines(Stream(w), fields)
	for range 2 { // the second page uses the first one's chunks
		a, b := sink.NewChunk(), sink.NewChunk()
		b.Add(record("3"))
		a.Add(record("1"))
		a.Add(record("2"))
		if err := sink.Commit(nil, []scan.Chunk{a, b}); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Commit(nil, []scan.Chunk{sink.NewChunk()}); err != nil || w.writes != 2 {
		t.Errorf("%d writes, %v: an empty page is none", w.writes, err)
	}
	const page = "{\"key\":\"1\"}\n{\"key\":\"2\"}\n{\"key\":\"3\"}\n"
	if got := w.text.String(); got != page+page {
		t.Errorf("%s", got)
	}
	c := sink.NewChunk()
	c.Add(record("4"))
	if err := sink.Commit(nil, []scan.Chunk{c}); err == nil {
		t.Error("a failed write was not told")
	}
}

func TestFailures(t *testing.T) {
	var out bytes.Buffer
	f := NewFailures(Stream(&out))
	for _, e := range []*scan.ObjectError{
		{Entry: list.Entry{Key: "a", ETag: "e", Size: 7}, Status: 403, Class: "forbidden", Attempts: 1, RequestID: "R"},
		{Entry: list.Entry{Key: "\xff\n", Size: -1}, Class: "timeout", Attempts: 10, Err: errors.New("context deadline exceeded")},
	} {
		if err := f.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"key":"a","etag":"e","size":7,"status":403,"class":"forbidden","attempts":1,"request_id":"R"}
{"key_b64":"/wo=","class":"timeout","attempts":10,"error":"context deadline exceeded"}
`
	if out.String() != want {
		t.Errorf("\n got %s\nwant %s", out.String(), want)
	}
	entries, err := ReadFailures(&out)
	if want := []list.Entry{{Key: "a", ETag: "e", Size: 7}, {Key: "\xff\n", Size: -1}}; err != nil || !slices.Equal(entries, want) {
		t.Errorf("read again: %v, %v", entries, err)
	}
}

// What is no list of failures is refused, and nothing of it is asked for.
func TestReadFailuresRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"key":"a"}` + "\n" + `{"key":`:          "object 2: unexpected EOF",
		`{"key":"a"}` + "\n" + `oops`:             "object 2: invalid character 'o' looking for beginning of value",
		`{"metadata":{}}`:                         "object 1 has no key",
		`{"key":""}`:                              "object 1 has no key",
		`{"key_b64":"?"}`:                         "object 1: illegal base64 data at input byte 0",
		`{"key":"a"}{"key":"b","version_id":"v"}`: "object 2 has the version_id v: only the latest version of an object can be retried",
		`["a"]`: "object 1: json: cannot unmarshal array into Go value of type struct",
	} {
		if entries, err := ReadFailures(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) || entries != nil {
			t.Errorf("%s: %v, %v, want %s", text, entries, err, want)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	fields, err := field.Parse("key,metadata")
	if err != nil {
		b.Fatal(err)
	}
	c := NewJSONLines(nil, fields).NewChunk().(*jsonChunk)
	r := record("2026/11/22/event-000000000042.json", "meta-id: 15e9f6d77a0732ca", "meta-owner: alice", "content-type: text/plain")
	b.ReportAllocs()
	for b.Loop() {
		c.lines = c.lines[:0]
		c.Add(r)
	}
}

// The words of isVerbatim against a look at each byte, for every byte at every place of texts of any length.
func TestIsVerbatim(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				text := bytes.Repeat([]byte("a"), length)
				text[at] = byte(c)
				want := c >= ' ' && c < 0x7f && c != '"' && c != '\\'
				if got := isVerbatim(text); got != want {
					t.Fatalf("%q: %v", text, got)
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.ByteRange(0x1f, 0x81)).Draw(t, "text")
		want := !slices.ContainsFunc(text, func(c byte) bool { return c < ' ' || c >= 0x7f || c == '"' || c == '\\' })
		if got := isVerbatim(text); got != want {
			t.Fatalf("%q: %v", text, got)
		}
	})
}
