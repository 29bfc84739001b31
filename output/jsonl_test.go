package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// record returns a Record of a listed object. Headers are "name: value"; the names of metadata begin with "meta-", and
// are sorted.
func record(key string, headers ...string) *scan.Record {
	entry := list.Entry{
		Key: key, Size: 7, ETag: "listed", LastModified: "2026-11-22T01:02:03.004Z", StorageClass: "STANDARD",
	}
	return recordOf(&entry, false, headers...)
}

// recordOf is record for another entry.
func recordOf(entry *list.Entry, changed bool, headers ...string) *scan.Record {
	result := &head.Result{Status: 200}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name, isMeta := strings.CutPrefix(name, "meta-"); isMeta {
			result.Metadata = append(result.Metadata, head.Header{Name: []byte(name), Value: []byte(value)})
		} else {
			result.Headers = append(result.Headers, head.Header{Name: []byte(name), Value: []byte(value)})
		}
	}
	r := scan.NewRecord(entry, result, changed)
	return &r
}

// line returns the line of a Record.
func line(t testing.TB, fields string, r *scan.Record) string {
	t.Helper()
	chosen, err := field.Parse(fields)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sink := NewJSONLines(Stream(t.Context(), &out), chosen)
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
	withoutHead := scan.NewRecord(&list.Entry{Key: "k", Size: 7, ETag: "e"}, nil, false)
	bare := recordOf(&list.Entry{Key: "k", Size: -1}, false, "content-type: text/plain")
	cases := []struct {
		fields string
		record *scan.Record
		want   string
	}{
		{"key,metadata", record("a/b.txt", "meta-owner: alice"), `{"key":"a/b.txt","metadata":{"owner":"alice"}}`},
		{"key,metadata", record(`"\<>&` + "\n\t\x01\u2028é😀"), `{"key":"\"\\<>&\n\t\u0001\u2028é😀","metadata":{}}`},
		{"key,metadata", record("\xff", "meta-a: "), `{"key_b64":"/w==","metadata":{"a":""}}`},
		{"metadata,key", record("k", "meta-a: 1", "meta-b: \xfc", "meta-c: 3"),
			`{"metadata":{"a":"1","c":"3"},"metadata_b64":{"b":"/A=="},"key":"k"}`},
		{"key,metadata", record("k", "x-amz-missing-meta: 2"), `{"key":"k","metadata":{},"missing_meta":2}`},
		{"key,size,etag,last_modified", changed,
			`{"key":"k","size":9,"etag":"new","last_modified":"2026-11-22T05:00:00Z","changed":true}`},
		{"all", bare, `{"key":"k","metadata":{},"content_type":"text/plain","encryption_status":"NOT-SSE"}`},
		{"last_modified,key", record("k", "last-modified: whenever"),
			`{"last_modified":"2026-11-22T01:02:03.004Z","key":"k"}`},
		{"bucket_key_enabled,tag_count,parts_count",
			record("k", "x-amz-server-side-encryption-bucket-key-enabled: true", "x-amz-tagging-count: 2",
				"x-amz-mp-parts-count: many"),
			`{"bucket_key_enabled":true,"tag_count":2}`},
		{"version_id", record("k"), `{}`},
		{"all", &withoutHead, `{"key":"k","size":7,"etag":"e"}`},
		{"all", record("k", "content-length: 7", "etag: \"e\"", "x-amz-storage-class: GLACIER", "x-amz-version-id: v"),
			`{"key":"k","metadata":{},"size":7,"etag":"e","last_modified":"2026-11-22T01:02:03.004Z",` +
				`"storage_class":"GLACIER","version_id":"v","encryption_status":"NOT-SSE"}`},
	}
	for _, c := range cases {
		if got := line(t, c.fields, c.record); got != c.want+"\n" {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

// A line is JSON on one line, and has every key and value exactly, whatever their bytes are.
func TestAnyBytesAreReadBack(t *testing.T) {
	anyBytes := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
	text := rapid.OneOf(rapid.String(), anyBytes)
	rapid.Check(t, func(rt *rapid.T) {
		if err := checkReadBack(t, text.Draw(rt, "key"), text.Draw(rt, "value")); err != nil {
			rt.Fatal(err)
		}
	})
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		"", "a/b.txt", "\"\\<>&", "\n\t\x00\x7f", "\u2028é日本", "\xff",
		"\xe2\x80", "\xed\xa0\x80", "=?UTF-8?Q?=C3=BC?=", "1234567\x80",
	} {
		f.Add(seed, seed)
		f.Add("key", seed)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		if err := checkReadBack(t, key, value); err != nil {
			t.Error(err)
		}
	})
}

// checkReadBack returns an error if the line of an object with this key does not have it, or does not have this value,
// which is that of a metadatum and of another header.
func checkReadBack(t *testing.T, key, value string) error {
	got := line(t, "all", record(key, "meta-u: é", "meta-v: "+value, "content-type: "+value))
	if strings.Count(got, "\n") != 1 || !json.Valid([]byte(got)) || !utf8.ValidString(got) {
		return fmt.Errorf("not one line of JSON: %q", got)
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
	text, isText := l.Metadata["v"]
	switch {
	case !isKey:
		return fmt.Errorf("key %q in %s", key, got)
	case text+string(l.MetadataB64["v"]) != value || isText != utf8.ValidString(value) || l.Metadata["u"] != "é":
		return fmt.Errorf("value %q in %s", value, got)
	case l.ContentType+string(l.ContentTypeB64) != value:
		return fmt.Errorf("content type %q in %s", value, got)
	}
	return nil
}

// countingWriter counts its calls, and fails from the call failFrom on.
type countingWriter struct {
	writes, failFrom int
	text             bytes.Buffer
}

func (c *countingWriter) Write(p []byte) (int, error) {
	if c.writes++; c.failFrom > 0 && c.writes >= c.failFrom {
		return 0, errors.New("full")
	}
	return c.text.Write(p)
}

// A page is one Write, in the order of its Chunks; a page without lines is no Write.
func TestCommitWritesOnce(t *testing.T) {
	fields, err := field.Parse("key")
	if err != nil {
		t.Fatal(err)
	}
	w := &countingWriter{failFrom: 3}
	sink := NewJSONLines(Stream(t.Context(), w), fields)
	for range 2 { // the second page uses the Chunks of the first one
		a, b := sink.NewChunk(), sink.NewChunk()
		b.Add(record("3"))
		a.Add(record("1"))
		a.Add(record("2"))
		if err := sink.Commit(nil, []scan.Chunk{a, b}); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Commit(nil, []scan.Chunk{sink.NewChunk()}); err != nil || w.writes != 2 {
		t.Errorf("%d writes after two pages with lines and one without, %v", w.writes, err)
	}
	const page = "{\"key\":\"1\"}\n{\"key\":\"2\"}\n{\"key\":\"3\"}\n"
	if got := w.text.String(); got != page+page {
		t.Errorf("%s", got)
	}
	c := sink.NewChunk()
	c.Add(record("4"))
	if err := sink.Commit(nil, []scan.Chunk{c}); err == nil {
		t.Error("Commit returned nil after a failed Write")
	}
}

func BenchmarkLine(b *testing.B) {
	r := record("2026/11/22/event-000000000042.json", "meta-id: 15e9f6d77a0732ca", "meta-owner: alice",
		"content-type: text/plain", "content-length: 7", "etag: \"5f20f94984d758bd5f20f94984d758bd\"",
		"last-modified: Sun, 22 Nov 2026 05:00:00 GMT", "x-amz-server-side-encryption: AES256")
	for _, names := range []string{"key,metadata", "all"} {
		b.Run(names, func(b *testing.B) {
			fields, err := field.Parse(names)
			if err != nil {
				b.Fatal(err)
			}
			c := NewJSONLines(nil, fields).NewChunk().(*linesChunk)
			b.ReportAllocs()
			for b.Loop() {
				c.lines = c.lines[:0]
				c.Add(r)
			}
		})
	}
}
