package output

import (
	"strings"
	"testing"

	"headcount/scan"
	"headcount/scan/exit"
	"headcount/scan/field"
	"headcount/scan/list"
)

// Keys are their bytes. A page with a key that its reader would take for another one, or for two, is refused as a
// whole.
func TestKeys(t *testing.T) {
	for _, c := range []struct {
		null bool
		keys string // separated by spaces
		want string
		err  string
	}{
		{false, "a/b.txt =\xff \"\\", "a/b.txt\n=\xff\n\"\\\n", ""},
		{true, "a a\nb\r", "a\x00a\nb\r\x00", ""},
		{false, "a a\nb c", "", `the key "a\nb" has a line break`},
		{false, "a\r", "", `the key "a\r" has a line break`},
		{true, "a a\x00b", "", `the key "a\x00b" has a NUL`},
	} {
		var out strings.Builder
		sink := newLines(Stream(t.Context(), &out), keysEncoder{c.null})
		chunk := sink.NewChunk()
		for key := range strings.SplitSeq(c.keys, " ") {
			chunk.Add(record(key))
		}
		err := sink.Commit(&list.Page{}, []scan.Chunk{sink.NewChunk(), chunk})
		if out.String() != c.want || (err == nil) != (c.err == "") {
			t.Errorf("%q: %q, %v", c.keys, out.String(), err)
		}
		if err != nil && (err.Error() != c.err || exit.Hint(err) == "") {
			t.Errorf("%q: %v, hint %q; want %s", c.keys, err, exit.Hint(err), c.err)
		}
	}
}

func TestS3Batch(t *testing.T) {
	records := []*scan.Record{
		record("a/b c+%,\"\nü~-._", "x-amz-version-id: v.1_-"), record("\xff", "x-amz-version-id: null"), record("k"),
	}
	for fields, want := range map[string]string{
		"key":            "b,a/b%20c%2B%25%2C%22%0A%C3%BC~-._\nb,%FF\nb,k\n",
		"key,version_id": "b,a/b%20c%2B%25%2C%22%0A%C3%BC~-._,v.1_-\nb,%FF,null\nb,k,null\n",
	} {
		chosen, err := field.Parse(fields)
		if err != nil {
			t.Fatal(err)
		}
		if got := written(t, s3BatchFormat(), &Options{Fields: chosen, Bucket: "b"}, records...); got != want {
			t.Errorf("%s:\n got %q\nwant %q", fields, got, want)
		}
	}
}

// The hand-off formats have the fields that their readers know, and no others.
func TestFixedFields(t *testing.T) {
	for _, c := range []struct{ format, fields, want string }{
		{"keys", "", "key"}, {"keys", "key", "key"}, {"keys", "key,size", "it has the fields key"},
		{"s3-batch", "", "key"}, {"s3-batch", "key,version_id", "key,version_id"},
		{"s3-batch", "version_id,key", "it has the fields key or key,version_id"},
	} {
		f := FormatNamed(c.format)
		var o Options
		if c.fields != "" {
			var err error
			if o.Fields, err = field.Parse(c.fields); err != nil {
				t.Fatal(err)
			}
		}
		fields, err := f.Fields(&o)
		got := strings.Join(field.Names(fields), ",")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.fields, c.format, got, c.want)
		}
	}
}

// A text that is no list of keys, or no manifest, is refused.
func TestReadHandOffRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"b,a\nb,c": "object 2: the last line was cut", "b\n": "object 1: it is not bucket,key",
		"b,a,v,w\n": "object 1: it is not", "b,%\n": "object 1: invalid URL escape",
	} {
		err := readS3Batch(strings.NewReader(text), nil, func(*scan.Record) error { return nil })
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	err := readKeys(strings.NewReader("a\nb"), &Options{}, func(*scan.Record) error { return nil })
	if err == nil || err.Error() != "object 2: the last line was cut" {
		t.Error(err)
	}
}

// pieces are the Writes to a pipe.
type pieces []string

func (p *pieces) Write(text []byte) (int, error) {
	*p = append(*p, string(text))
	return len(text), nil
}

// A pipe takes whole keys at once: a key that is cut, because the reader of the pipe does not read, could be another
// key to xargs.
func TestPipeTakesWholeKeys(t *testing.T) {
	for _, end := range []string{"\n", "\x00"} {
		var written pieces
		text := strings.Repeat("folder/\ra key"+strings.Repeat("x", 7)+end, 1000)
		if end == "\x00" {
			text = strings.ReplaceAll(text, "\r", "\n")
		}
		if _, err := NewPipeWriter(t.Context(), &written).Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		for _, piece := range written {
			if len(piece) > atomicBytes || !strings.HasSuffix(piece, end) {
				t.Errorf("a piece of %d bytes ends in %q", len(piece), piece[len(piece)-9:])
			}
		}
		if strings.Join(written, "") != text || len(written) < 5 {
			t.Errorf("%d pieces are not the text", len(written))
		}
	}
}
