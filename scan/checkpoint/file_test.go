package checkpoint

import (
	"errors"
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

func (f *fakeFile) CheckRegular() error {
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
	if err := f.SaveInitial(list.Range{}); err != nil {
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
	const other = "cannot resume from c: it is the checkpoint of "
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
		{name: "not resumed", saved: "incomplete", want: "c is the checkpoint of a run that is not complete"},
		{name: "complete, and repeated", saved: "complete"},
		{name: "complete, and resumed", saved: "complete", resume: true, resumes: true},
		{name: "damaged", saved: "damaged", want: "--checkpoint c has other content: "},
		{name: "damaged, and resumed", saved: "damaged", resume: true, want: "cannot resume from c: "},
		{name: "another bucket", saved: "incomplete", resume: true, parameters: []string{"bucket", "x"}, want: other + `another scan, whose bucket is "b" and not "x"`},
		{name: "a parameter more", saved: "incomplete", resume: true, parameters: []string{"limit", "3"}, want: other + `another scan, whose limit is "" and not "3"`},
		{name: "an endpoint in common", saved: "incomplete", resume: true, parameters: []string{Endpoints, "http://three http://two"}, resumes: true},
		{name: "no endpoint in common", saved: "incomplete", resume: true, parameters: []string{Endpoints, "http://three"}, want: other + "another scan, whose endpoints is"},
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
			_, from, err := Open("c", c.resume, parameters(c.parameters...), data(&c.file))
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
	if err := f.SaveInitial(list.Range{}); err != nil {
		t.Fatal(err)
	}
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
	if _, _, err := Open("c", true, parameters(Endpoints, "http://three"), nil); err == nil {
		t.Error("the third URL is taken for the same store")
	}
}

// SaveInitial fails with the code of an output that cannot be written, and a temporary file that a killed run has
// left is no obstacle.
func TestSave(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(TempName("c"), []byte("half a checkpoint"), 0o666); err != nil {
		t.Fatal(err)
	}
	save(t, false)
	if _, err := os.Stat(TempName("c")); !os.IsNotExist(err) {
		t.Errorf("the temporary file is left: %v", err)
	}
	f, _, err := Open("nowhere/c", false, parameters(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = f.SaveInitial(list.Range{})
	if exit.Code(err) != exit.Output || err.Error() != "cannot open --checkpoint nowhere/c: no such file or directory" {
		t.Errorf("%v: exit %d", err, exit.Code(err))
	}
}

// A checkpoint that cannot be saved leaves the one before it, from which a run can continue: the error has a hint.
func TestSaveHint(t *testing.T) {
	f, _, err := Open(filepath.Join(t.TempDir(), "nowhere", "c"), false, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Save(&Checkpoint{Stats: metrics.Stats{Complete: true}})
	if err == nil || !strings.Contains(exit.Hint(err), "--resume") {
		t.Errorf("%v, hint %q", err, exit.Hint(err))
	}
}
