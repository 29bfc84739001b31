package e2e

import (
	"bytes"
	"path/filepath"
	"testing"

	"headcount/output"
	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/list"
)

// testFormats scans the corpus in each format that can be read, and compares the records with the JSON lines.
func testFormats(t *testing.T, server *s3Server, headcount headcountBinary) {
	const bucket, fields = "corpus", "key,metadata,size,etag,last_modified,content_type"
	lines := headcount.scan(t, server, bucket, "", "--all", "--ordered", "--fields", fields).stdout
	keys := headcount.scan(t, server, bucket, "", "--all", "--ordered", "--fields", field.Key).stdout
	for _, f := range output.Formats() {
		if f.Read == nil {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "records")
			args, want := []string{"--all", "--ordered", "--format", f.Name, "--output", file}, keys
			o := output.Options{Null: f.Takes("null")}
			switch {
			case o.Null:
				args = append(args, "--null")
			case f.Name != "s3-batch":
				args, want = append(args, "--fields", fields), lines
			}
			got := headcount.scan(t, server, bucket, "", args...)
			if got.code != 0 {
				t.Fatalf("exit code %d\n%s", got.code, got.stderr)
			}
			chosen := fields
			if want == keys {
				chosen = field.Key
			}
			if text := asLines(t, &f, &o, readFile(t, file), chosen); text != want {
				t.Errorf("%d bytes of JSON lines, want %d", len(text), len(want))
			}
		})
	}
}

// asLines returns the records in the text of a format as JSON lines with some fields.
func asLines(t *testing.T, f *output.Format, o *output.Options, text []byte, fields string) string {
	t.Helper()
	chosen, err := field.Parse(fields)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sink := output.NewJSONLines(output.Stream(t.Context(), &out), chosen)
	chunk := sink.NewChunk()
	err = f.Read(bytes.NewReader(text), o, func(r *scan.Record) error {
		chunk.Add(r)
		return nil
	})
	if err == nil {
		err = sink.Commit(&list.Page{}, []scan.Chunk{chunk})
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}
