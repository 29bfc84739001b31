package output

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/list"
)

// written returns what a Format writes of Records.
func written(t *testing.T, f Format, o *Options, records ...*scan.Record) string {
	t.Helper()
	var out bytes.Buffer
	sink, err := f.New(Stream(t.Context(), &out), o)
	if err == nil {
		err = sink.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	chunk := sink.NewChunk()
	for _, r := range records {
		chunk.Add(r)
	}
	if err := sink.Commit(&list.Page{}, []scan.Chunk{chunk}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCSV(t *testing.T) {
	unknown := scan.NewRecord(&list.Entry{Key: "k", Size: -1}, nil, false)
	const always = ",changed,missing_meta,base64\n"
	for _, c := range []struct {
		fields, columns string
		safe            bool
		record          *scan.Record
		want            string
	}{
		{"key,metadata", "", false, record("a/b.txt", "meta-owner: alice", "meta-b: "),
			"key,metadata" + always + `a/b.txt,"{""owner"":""alice"",""b"":""""}",,,` + "\n"},
		{"key,size,metadata", "", false, &unknown, "key,size,metadata" + always + "k,,,,,\n"},
		{"key,content_type,etag", "", false, record("a,\"b\"\r\nc", "content-type: "),
			"key,content_type,etag" + always + "\"a,\"\"b\"\"\r\nc\",\"\",listed,,,\n"},
		{"key,metadata", "", false, record("é\t日", "meta-a: \"q\\\n"),
			"key,metadata" + always + "é\t日," + `"{""a"":""\""q\\\n""}",,,` + "\n"},
		{"key,metadata", "Owner,none", false, record("#k", "meta-owner: a b", "meta-other: x"),
			"key,Owner,none" + always + `"#k",a b,,,,` + "\n"},
		{"key,size", "owner", false, recordOf(&list.Entry{Key: " k", Size: 7}, true, "x-amz-missing-meta: 2"),
			"key,size,owner" + always + `" k",7,,true,2,` + "\n"},
		{"key,etag,metadata", "", false, record("\xff", "meta-a: \xfc", "meta-b-%: \xfc", "meta-c: ü"),
			"key,etag,metadata" + always +
				`/w==,listed,"{""a"":""/A=="",""b-%"":""/A=="",""c"":""ü""}",,,key metadata.a metadata.b-%25` + "\n"},
		{"key", "owner", false, record("k", "meta-owner: \xff\""), "key,owner" + always + "k,/yI=,,,metadata.owner\n"},
		{"key,content_type", "a", true, record("=1+1", "content-type: -\",", "meta-a: '@x"),
			"key,content_type,a" + always + `'=1+1,"'-"",",''@x,,,` + "\n"},
		{"key,content_type", "a", true, record("a=1", "content-type: '", "meta-a: \xfb\xe0"),
			"key,content_type,a" + always + `a=1,','++A=,,,metadata.a` + "\n"},
		{"key,etag,content_type", "+a,-b,c", true, record("＝1", "content-type:  ' @x", "meta-+a: \x00=", "meta--b: \u3000－1"),
			"key,etag,content_type,'+a,'-b,c" + always + "'＝1,listed,' ' @x,'\x00=,'\u3000－1,,,,\n"},
	} {
		o := &Options{Safe: c.safe}
		if c.columns != "" {
			o.Columns = strings.Split(c.columns, ",")
		}
		var err error
		if o.Fields, err = field.Parse(c.fields); err != nil {
			t.Fatal(err)
		}
		got := written(t, csvFormat(), o, c.record)
		if got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
		rows, err := csv.NewReader(strings.NewReader(got)).ReadAll() // as others read it
		if err != nil || len(rows) != 2 || len(rows[0]) != len(rows[1]) {
			t.Errorf("%s\n%q, %v", got, rows, err)
		}
	}
}

// Two columns of one title are refused, in whatever case.
func TestTableFields(t *testing.T) {
	for columns, want := range map[string]string{
		"owner,project": "",
		"metadata":      `the column "metadata" would have the title of a field`,
		"size":          `the column "size" would have the title of a field`,
		"Key":           `the column "Key" would have the title of a field`,
		"a,changed":     `the column "changed" would have the title of a field`,
		"base64":        `the column "base64" would have the title of a field`,
		"owner,OWNER":   `the column "OWNER" is named twice`,
	} {
		_, err := tableFields(&Options{Columns: strings.Split(columns, ",")})
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %s", columns, err, want)
		}
	}
	fields, err := tableFields(&Options{Fields: field.All()[:1], Columns: []string{"owner"}})
	if err != nil || !slices.Equal(field.Names(fields), []string{"key", "metadata"}) {
		t.Errorf("%v, %v", field.Names(fields), err)
	}
}

// Other programs may write the file again: with CRLF, with quotes around each cell, with other columns, and without
// base64.
func TestReadForeignCSV(t *testing.T) {
	format := csvFormat()
	const text = "\"size\",\"Owner\",\"key\"\r\n\"7\",\"a\r\nb\",\"k\"\r\n,\"\",l\r\n"
	var got []string
	err := readCSV(strings.NewReader(text), &Options{}, func(r *scan.Record) error {
		o := &Options{Columns: []string{"owner"}}
		got = append(got, describe(&format, []field.Field{field.All()[0], field.All()[2], metadataField()}, o, r))
		return nil
	})
	want := []string{` key "k" size "7" metadata.owner "a\r\nb"`, ` key "l" size - metadata.owner ""`}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %q", err, got)
	}
}

func TestReadCSVRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":            "it has no header",
		"key":         "header: unexpected EOF",
		"key,a,key\n": `header: the title "key" comes twice`,
		"a,metadata\n1,\"{\"\"a\"\":\"\"\"\"}\"\n": `object 1: the metadata "a" come twice`,
		"key,size\na,1\nb":                         "object 2: unexpected EOF",
		"key,size\na,1\n\"b":                       "object 2: the quotes of a cell are not closed: unexpected EOF",
		"key,size\na\n":                            "object 1: it has 1 cells, and the header has 2",
		"key,size\na,b\n":                          "object 1: column size: strconv.ParseInt",
		"key,size\na\"b,1\n":                       "object 1: a quote is not the first character of its cell",
		"key,size\n\"a\"b,1\n":                     "object 1: a quote is not the last character of its cell",
		"key,base64\n?,key\n":                      "object 1: column key: illegal base64",
		"key,metadata\na,[]\n":                     "object 1: column metadata: json: cannot unmarshal",
		"last_modified,changed\nyesterday,true\n":  "object 1: last_modified: parsing time",
	} {
		err := readCSV(strings.NewReader(text), &Options{}, func(*scan.Record) error { return nil })
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	tail := &endless{}
	err := readCSV(io.MultiReader(strings.NewReader("key\n\""), tail), &Options{}, func(*scan.Record) error { return nil })
	if err == nil || tail.read > 2*recordBytesMax {
		t.Errorf("%v, after %d bytes", err, tail.read)
	}
}

// No text makes the reader panic, and what it accepts is written and read again.
func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{
		"key,metadata,base64\n\"a\"\"b\",\"{\"\"a\"\":\"\"/A==\"\"}\",metadata.a\n", "key\r\n\"\"\r\n", ",\n,\n", "\"", "key,key\n,",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, safe bool) {
		format := csvFormat()
		o := &Options{Safe: safe, Fields: field.All()}
		var records []*scan.Record
		_ = readCSV(strings.NewReader(text), o, func(r *scan.Record) error {
			records = append(records, r.Clone())
			return nil
		})
		n := 0
		err := readCSV(strings.NewReader(written(t, csvFormat(), o, records...)), o, func(r *scan.Record) error {
			want := describe(&format, slices.Concat(field.All(), field.Always()), o, records[n])
			if got := describe(&format, slices.Concat(field.All(), field.Always()), o, r); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			n++
			return nil
		})
		if err != nil || n != len(records) {
			t.Errorf("%d of %d, %v", n, len(records), err)
		}
	})
}
