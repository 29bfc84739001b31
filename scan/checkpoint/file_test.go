package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headcount/scan/exit"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// fakeFile is a DataFile in memory.
type fakeFile struct {
	size      int64
	irregular bool
	changed   bool
}

func (f *fakeFile) Name() string             { return "o.jsonl" }
func (f *fakeFile) Size() int64              { return f.size }
func (f *fakeFile) Start() (Position, error) { return Position{Path: "/o.jsonl"}, nil }

func (f *fakeFile) CheckContinuable() error {
	if f.irregular {
		return errors.New("not a regular file")
	}
	return nil
}

func (f *fakeFile) Check(Position) error {
	if f.changed {
		return errors.New("it was changed")
	}
	return nil
}

func parameters(pairs ...string) map[string]string {
	p := map[string]string{"bucket": "b", Endpoints: "http://one http://two"}
	for i := 0; i < len(pairs); i += 2 {
		p[pairs[i]] = pairs[i+1]
	}
	return p
}

func data(f *fakeFile) map[string]DataFile { return map[string]DataFile{PositionOutput: f} }

// save writes the checkpoint of a run that is complete, or that has something left.
func save(t *testing.T, complete bool) {
	t.Helper()
	f, from, err := Open("c", false, parameters(), data(&fakeFile{}))
	if err != nil || from != nil {
		t.Fatal(from, err)
	}
	defer f.Close()
	if err := f.SaveInitial([]list.Range{{}}); err != nil {
		t.Fatal(err)
	}
	if complete {
		at := &Checkpoint{}
		at.Stats.Complete = true
		if err := f.Save(at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpen(t *testing.T) {
	const other = "cannot resume from --checkpoint c: it is the checkpoint of "
	for _, c := range []struct {
		name       string
		saved      string // no, incomplete, complete, damaged
		resume     bool
		parameters []string
		file       fakeFile
		resumes    bool
		want       string // the error
	}{
		{name: "the first run", saved: "no"},
		{name: "the first run with --resume", saved: "no", resume: true},
		{name: "records of unknown origin", saved: "no", resume: true, file: fakeFile{size: 1}, want: "there is no checkpoint c, and --output o.jsonl is not empty"},
		{name: "records to overwrite", saved: "no", file: fakeFile{size: 1}},
		{name: "resumed", saved: "incomplete", resume: true, resumes: true},
		{name: "not resumed", saved: "incomplete", want: "--checkpoint c is of a run that is not complete"},
		{name: "complete, and repeated", saved: "complete"},
		{name: "complete, and resumed", saved: "complete", resume: true, resumes: true},
		{name: "damaged", saved: "damaged", want: "--checkpoint c has other content: "},
		{name: "damaged, and resumed", saved: "damaged", resume: true, want: "cannot resume from --checkpoint c: "},
		{name: "another bucket", saved: "incomplete", resume: true, parameters: []string{"bucket", "x"}, want: other + `another scan, whose bucket is "b" and not "x"`},
		{name: "a parameter more", saved: "incomplete", resume: true, parameters: []string{"limit", "3"}, want: other + "a scan without --limit"},
		{name: "an endpoint in common", saved: "incomplete", resume: true, parameters: []string{Endpoints, "http://three http://two"}, resumes: true},
		{name: "no endpoint in common", saved: "incomplete", resume: true, parameters: []string{Endpoints, "http://three"}, want: other + "another scan, whose --endpoint-url is"},
		{name: "a changed file", saved: "incomplete", resume: true, file: fakeFile{changed: true}, want: "cannot resume with --output o.jsonl: it was changed"},
		{name: "a pipe", saved: "no", file: fakeFile{irregular: true}, want: "cannot resume with --output o.jsonl: not a regular file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			switch c.saved {
			case "incomplete", "complete":
				save(t, c.saved == "complete")
			case "damaged":
				if err := os.WriteFile("c", []byte("x"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			f, from, err := Open("c", c.resume, parameters(c.parameters...), data(&c.file))
			if err == nil && f.Resumable() != c.resumes {
				t.Errorf("resumable: %v", f.Resumable())
			}
			f.Close()
			switch {
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			case err != nil && (exit.Code(err) != exit.Usage || exit.Hint(err) == ""):
				t.Errorf("%v: exit %d, hint %q", err, exit.Code(err), exit.Hint(err))
			case err == nil && (from != nil) != c.resumes:
				t.Errorf("it starts at %v", from)
			}
		})
	}
}

// A parameter of the saved run that this one does not have is a flag that was left out.
func TestOpenWithoutAFlag(t *testing.T) {
	t.Chdir(t.TempDir())
	f, _, err := Open("c", false, parameters("limit", "3"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SaveInitial([]list.Range{{}}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, _, err := Open("c", true, parameters(), nil); err == nil || !strings.Contains(err.Error(), "of a scan with --limit") {
		t.Error(err)
	}
}

// From run to run the URLs may change, and a later run still needs one of the first run's.
func TestEndpointsStay(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, false)
	f, from, err := Open("c", true, parameters(Endpoints, "http://two http://three"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Save(from); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, _, err := Open("c", true, parameters(Endpoints, "http://three"), nil); err == nil {
		t.Error("the third URL is taken for the same store")
	}
}

// A checkpoint whose folder does not exist is an error before the run, and a temporary file that a killed run has left
// is no obstacle.
func TestSave(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(TempName("c"), []byte("half a checkpoint"), 0o666); err != nil {
		t.Fatal(err)
	}
	save(t, false)
	if _, err := os.Stat(TempName("c")); !os.IsNotExist(err) {
		t.Errorf("the temporary file is left: %v", err)
	}
	_, _, err := Open("nowhere/c", false, parameters(), nil)
	if exit.Code(err) != exit.Output || err.Error() != "cannot open --checkpoint nowhere/c: no such file or directory" {
		t.Errorf("%v: exit %d", err, exit.Code(err))
	}
}

// A checkpoint that cannot be saved leaves the one before it, from which a run can continue: the error has a hint.
func TestSaveHint(t *testing.T) {
	t.Chdir(t.TempDir())
	f, _, err := Open("c", false, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.SaveInitial([]list.Range{{}}); err != nil {
		t.Fatal(err)
	}
	before := read(t, "c")
	if err := os.MkdirAll(filepath.Join(TempName("c"), "in the way"), 0o777); err != nil {
		t.Fatal(err)
	}
	err = f.Save(&Checkpoint{Stats: metrics.Stats{Complete: true}})
	if err == nil || !strings.Contains(exit.Hint(err), "--resume") || read(t, "c") != before {
		t.Errorf("%v, hint %q", err, exit.Hint(err))
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Open changes nothing, and leaves nothing behind. Until Close it keeps others out.
func TestOpenIsExclusive(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	names := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(entries)
	}
	before := names()
	f, _, err := Open("c", false, parameters(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, resume := range []bool{false, true} {
		_, _, err := Open("./c", resume, parameters(), nil)
		if exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), "another process is using it") {
			t.Errorf("a second run: %v: exit %d", err, exit.Code(err))
		}
	}
	f.Close()
	if after := names(); after != before {
		t.Errorf("there was %s, and is %s", before, after)
	}
	if f, _, err = Open("c", false, parameters(), nil); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// A checkpoint keeps its mode, and a link to it stays a link. No other file beside it is touched.
func TestSaveKeepsTheMode(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, true)
	if err := os.Chmod("c", 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("c", "link"); err != nil {
		t.Fatal(err)
	}
	for _, theirs := range []string{"c.tmp", "c.lock", "link.tmp"} {
		if err := os.WriteFile(theirs, []byte("the user's"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, _, err := Open("link", false, parameters(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.SaveInitial([]list.Range{{}}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat("c"); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if target, err := os.Readlink("link"); target != "c" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	for _, theirs := range []string{"c.tmp", "c.lock", "link.tmp"} {
		if text := read(t, theirs); text != "the user's" {
			t.Errorf("%s has %q", theirs, text)
		}
	}
}

// A device, a folder or an endless file is no checkpoint. It is refused at once, and is not read as a whole.
func TestOpenRefusesKinds(t *testing.T) {
	t.Chdir(t.TempDir())
	huge, err := os.Create("huge")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(huge.Truncate(1<<40), huge.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{os.DevNull, ".", "huge"} {
		for _, resume := range []bool{false, true} {
			_, _, err := Open(name, resume, parameters(), nil)
			if exit.Code(err) != exit.Usage || exit.Hint(err) == "" {
				t.Errorf("%s: %v: exit %d", name, err, exit.Code(err))
			}
		}
	}
}
