package fileset

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
)

// Two outputs can share a terminal or /dev/null, and no pipe or file.
func TestCheckDistinct(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	pipe := StreamInfo(w)
	for _, c := range []struct {
		name       string
		one, other NamedFile
		distinct   bool
	}{
		{"a device", NamedFile{Info: StreamInfo(null), Written: true}, NamedFile{Info: StreamInfo(null), Written: true}, true},
		{"a pipe", NamedFile{Info: pipe, Written: true}, NamedFile{Info: pipe}, false},
		{"a pipe, the second one written", NamedFile{Info: pipe}, NamedFile{Info: pipe, Written: true}, false},
		{"a pipe that a shell has made of both", NamedFile{Info: pipe}, NamedFile{Info: pipe}, true},
		{"no file", NamedFile{Info: StreamInfo((*os.File)(nil)), Written: true}, NamedFile{Info: pipe, Written: true}, true},
		{"a buffer", NamedFile{Info: pipe, Written: true}, NamedFile{Info: StreamInfo(&bytes.Buffer{}), Written: true}, true},
	} {
		if err := CheckDistinct([]NamedFile{c.one, c.other}); (err == nil) != c.distinct || err != nil && exit.Code(err) != exit.Usage {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// earlier is the content of a file from an earlier run. It is longer than anything that the tests write.
var earlier = strings.Repeat("an earlier run\n", 10)

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, name, want string) {
	t.Helper()
	if text, err := os.ReadFile(name); err != nil || string(text) != want {
		t.Errorf("%s has %q, want %q; %v", name, text, want, err)
	}
}

// Files keep their content until the run writes its own.
func TestSetKeepsContent(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"output", "errors", "stats"} {
		write(t, name, earlier)
	}
	names := &Names{Output: "output", Errors: "errors", Stats: "stats", Checkpoint: "checkpoint"}
	s, err := Open(t.Context(), names)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, name := range []string{"output", "errors", "stats"} {
		expect(t, name, earlier)
	}

	if s, err = Open(t.Context(), names); err != nil {
		t.Fatal(err)
	}
	if files := s.CheckpointFiles(); len(files) != 2 || files[checkpoint.PositionErrors].Name() != "errors" {
		t.Errorf("%v", files)
	}
	if err := s.Truncate(nil); err != nil {
		t.Fatal(err)
	}
	expect(t, "output", "")
	expect(t, "errors", "")
	expect(t, "stats", earlier)
	if err := s.WriteStats(map[string]int{"listed": 1}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	expect(t, "stats", "{\n  \"listed\": 1\n}\n")
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	stdout, err := os.Create("stdout")
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	write(t, "failed", "")
	for name, c := range map[string]struct {
		names Names
		code  int
		want  string
	}{
		"no folder":        {Names{Output: "nowhere/o"}, exit.Output, "cannot open --output nowhere/o: no such file or directory"},
		"no stats":         {Names{Output: "o", Stats: dir}, exit.Output, "cannot open --stats " + dir + ": is a directory"},
		"twice":            {Names{Output: "o", Errors: "./o"}, exit.Usage, "--output and --errors are the same file"},
		"standard output":  {Names{Stats: "stdout"}, exit.Usage, "--stats and standard output are the same file"},
		"certificates":     {Names{Output: "failed", CABundle: "failed"}, exit.Usage, "--output and --ca-bundle are the same file"},
		"read and written": {Names{Errors: "failed", RetryFrom: "failed"}, exit.Usage, "--errors and --retry-from are the same file"},
		"the checkpoint":   {Names{Output: filepath.Join("x", "..", "o"), Checkpoint: "o"}, exit.Usage, "--output and --checkpoint are the same file"},
		"its replacement":  {Names{Stats: "c.headcount-tmp", Checkpoint: "c"}, exit.Usage, "--stats and the temporary file of --checkpoint are the same file"},
	} {
		err := c.names.Check(stdout, nil)
		if err == nil {
			_, err = Open(t.Context(), &c.names)
		}
		if err == nil || err.Error() != c.want || exit.Code(err) != c.code {
			t.Errorf("%s: %v (exit %d), want %s (exit %d)", name, err, exit.Code(err), c.want, c.code)
		}
	}
}

// The methods of a nil Document do nothing.
func TestNoDocument(t *testing.T) {
	d, err := OpenDocument(t.Context(), "--json", "")
	if d != nil || err != nil {
		t.Fatal(d, err)
	}
	if err := errors.Join(d.Finish([]byte("x")), d.FinishJSON(1)); err != nil {
		t.Error(err)
	}
	d.Close()
}

// If a value has no JSON, the file keeps its content.
func TestDocumentWithoutJSON(t *testing.T) {
	name := filepath.Join(t.TempDir(), "stats")
	write(t, name, earlier)
	d, err := OpenDocument(t.Context(), "--stats", name)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.FinishJSON(func() {}); err == nil {
		t.Error("a function has JSON")
	}
	expect(t, name, earlier)
}

func TestFailures(t *testing.T) {
	var f Failures
	for range failuresPrinted + 3 {
		if err := f.Add([]*scan.ObjectError{{}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.First()) != failuresPrinted || f.More() != 3 || f.Hint() != "--errors FILE names them all" {
		t.Errorf("%d first, %d more, %s", len(f.First()), f.More(), f.Hint())
	}

	t.Chdir(t.TempDir())
	s, err := Open(t.Context(), &Names{Errors: "errors"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Truncate(nil); err != nil {
		t.Fatal(err)
	}
	filed := NewFailures(s.Errors)
	if err := errors.Join(filed.Add([]*scan.ObjectError{{Class: "forbidden"}}), filed.Close(), s.WriteStats(nil)); err != nil {
		t.Fatal(err)
	}
	if len(filed.First()) != 0 || filed.More() != 0 || filed.Hint() != "errors names them" {
		t.Errorf("%v first, %d more, %s", filed.First(), filed.More(), filed.Hint())
	}
	if text, err := os.ReadFile("errors"); err != nil || !bytes.Contains(text, []byte(`"class":"forbidden"`)) {
		t.Errorf("%s, %v", text, err)
	}
}
