package output

import (
	"bytes"
	"strings"
	"testing"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/list"
)

// terminal is a Destination with so many columns.
type terminal struct {
	Destination
	columns int
}

func (t terminal) Columns() int { return t.columns }

// table returns what a table of two pages looks like on a terminal, or in a file with 0 columns.
func table(t *testing.T, columns int, o *Options, pages ...[]*scan.Record) string {
	t.Helper()
	var out bytes.Buffer
	sink := newTable(terminal{Stream(t.Context(), &out), columns}, o)
	if err := sink.Start(); err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		a, b := sink.NewChunk(), sink.NewChunk()
		for i, r := range page {
			[]scan.Chunk{a, b}[2*i/len(page)].Add(r)
		}
		if err := sink.Commit(&list.Page{}, []scan.Chunk{a, b}); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTable(t *testing.T) {
	fields, err := field.Parse("size,key,metadata,content_type")
	if err != nil {
		t.Fatal(err)
	}
	changed := recordOf(&list.Entry{Key: "日本.txt", Size: 12345}, true, "meta-owner: \x1b[2J\u202e", "x-amz-missing-meta: 2")
	unknown := scan.NewRecord(&list.Entry{Key: "\xff", Size: -1}, nil, false)
	pages := [][]*scan.Record{
		{record("a", "meta-id: 1", "meta-owner: alice bob carol"), record("b", "content-type: text/plain")},
		nil,
		{changed, &unknown},
	}
	for _, c := range []struct {
		columns int
		o       Options
		want    string
	}{
		{0, Options{Fields: fields}, `
size  key  metadata                    content_type
   7  a    id=1 owner=alice bob carol  -
   7  b                                text/plain
12345  日本.txt  owner=\x1b[2J\u202e         -             changed=true missing_meta=2
    -  \xff      -                           -
`},
		{40, Options{Fields: fields}, `
size  key  metadata      content_type
   7  a    id=1 owner=…  -
   7  b                  text/plain
12345  日本.…  owner…  -       chang…
    -  \xff    -       -
`},
		{3, Options{Fields: fields[1:2], Columns: []string{"Owner"}}, `
key    a
Owner  alice bob carol

key    b
Owner  -

key    日本.txt
Owner  \x1b[2J\u202e
changed=true missing_meta=2

key    \xff
Owner  -
`},
	} {
		if got := table(t, c.columns, &c.o, pages...); got != strings.TrimPrefix(c.want, "\n") {
			t.Errorf("%d columns:\n%s\nwant%s", c.columns, got, c.want)
		}
	}
}

// On a terminal no line is longer than the terminal. Where cells would be too short to read, each gets a line.
func TestTableFitsTerminal(t *testing.T) {
	full := record(strings.Repeat("long/", 100), "meta-id: "+strings.Repeat("é", 500))
	for _, count := range []int{6, len(field.All())} {
		fields := field.All()[:count]
		for columns := 4; columns < 400; columns += 7 {
			text := table(t, columns, &Options{Fields: fields}, []*scan.Record{full, record("k")})
			if columns < 4*count && !strings.HasPrefix(text, "key  ") {
				t.Errorf("%d fields in %d columns: %s", count, columns, text)
			}
			for line := range strings.Lines(text) {
				n, lines := len([]rune(line)), strings.Count(text, "\n")
				if upright := lines == 2*count+1; n > columns && !upright {
					t.Errorf("%d fields in %d columns: %d characters in one of %d lines: %s", count, columns, n, lines, line)
				}
			}
		}
	}
}

// A table without Records has a header. A run that has not begun writes none.
func TestTableWithoutRecords(t *testing.T) {
	o := &Options{Fields: field.All()[:3]}
	for _, columns := range []int{0, 80} {
		if got := table(t, columns, o, nil); got != "key  metadata  size\n" {
			t.Errorf("%q", got)
		}
	}
	var out bytes.Buffer
	if err := newTable(Stream(t.Context(), &out), o).Close(); err != nil || out.Len() > 0 {
		t.Errorf("%v, %q", err, &out)
	}
}
