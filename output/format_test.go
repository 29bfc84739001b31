package output

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/list"
)

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]string{
		"x.csv": "csv", "a/x.csv.zst": "csv", "x.csv.gz": "csv", "x.jsonl": "jsonl", "x.ndjson.gz": "jsonl", "x.json": "jsonl",
		"x": "", "": "", "x.gz": "", "csv": "", "x.csv.bak": "", "X.CSV.GZ": "csv", "keys": "",
	} {
		f, ok := FormatOf(name)
		if f.Name != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", name, f.Name, want)
		}
	}
}

// A header is written once: in an empty file, and neither behind what a run continues nor in a stream that has content.
// A run without Records leaves a file with a header.
func TestHeaderIsWrittenOnce(t *testing.T) {
	for _, suffix := range []string{"", ".gz", ".zst"} {
		name := filepath.Join(t.TempDir(), "x.csv"+suffix)
		var at checkpoint.Position
		for run := range 3 {
			f, err := OpenFile(t.Context(), name)
			if err == nil {
				err = f.Truncate(at)
			}
			if err != nil {
				t.Fatal(err)
			}
			at = writeRun(t, f, run)
		}
		if got, want := decompressed(t, name, readFile(t, name)), "key,metadata,changed,missing_meta,base64\nk1,{},,,\nk2,{},,,\n"; unquoted(got) != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// writeRun writes a CSV with one Record, or none in the first run, and returns the Position behind it.
func writeRun(t *testing.T, to Destination, run int) checkpoint.Position {
	t.Helper()
	sink := newLines(to, newCSVEncoder(&Options{}))
	if err := sink.Start(); err != nil {
		t.Fatal(err)
	}
	chunk := sink.NewChunk()
	if run > 0 {
		chunk.Add(record(fmt.Sprint("k", run)))
	}
	if err := sink.Commit(&list.Page{}, []scan.Chunk{chunk}); err != nil {
		t.Fatal(err)
	}
	at, err := sink.Sync()
	if err == nil {
		err = sink.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// unquoted makes the cells of empty metadata readable.
func unquoted(csv string) string { return strings.ReplaceAll(csv, `"{}"`, "{}") }

// A shell can append standard output to a file: an empty one gets a header.
func TestHeaderOfAppendedStream(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.csv")
	for run := range 2 {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		writeRun(t, Stream(t.Context(), f), run+1)
	}
	if got := unquoted(string(readFile(t, name))); got != "key,metadata,changed,missing_meta,base64\nk1,{},,,\nk2,{},,,\n" {
		t.Error(got)
	}
}

// The page about the formats has a row for each, as the table of formats has it.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	const header = "| format | is | names of files | resumable | flags |\n| --- | --- | --- | --- | --- |\n"
	_, got, hasTable := strings.Cut(string(readme), header)
	if !hasTable {
		t.Fatalf("the page has no table\n%s", header)
	}
	got, _, _ = strings.Cut(got, "\n\n")
	var want strings.Builder
	for _, f := range Formats() {
		resumable := map[bool]string{true: "yes", false: "no"}[f.Resumable]
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.About, code("", f.Suffixes), resumable, code("--", f.Flags))
	}
	if got+"\n" != want.String() {
		t.Errorf("the table is\n%s\n\nand the formats are\n%s", got, want.String())
	}
}

// code returns words as they stand in a table of Markdown.
func code(prefix string, words []string) string {
	var texts []string
	for _, word := range words {
		texts = append(texts, "`"+prefix+word+"`")
	}
	return strings.Join(texts, ", ")
}
