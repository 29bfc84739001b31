package fileset

import (
	"os"
	"testing"

	"headcount/scan/checkpoint"
	"headcount/scan/exit"
)

// roles open a file with this name as each flag does, and return what closes it.
func roles(t *testing.T) map[string]func(name string) (func(), error) {
	ofSet := func(names *Names) (func(), error) {
		s, err := Open(t.Context(), names)
		if err != nil {
			return nil, err
		}
		return s.Close, nil
	}
	return map[string]func(name string) (func(), error){
		"--output": func(name string) (func(), error) { return ofSet(&Names{Output: name}) },
		"--errors": func(name string) (func(), error) { return ofSet(&Names{Errors: name}) },
		"--stats":  func(name string) (func(), error) { return ofSet(&Names{Stats: name}) },
		"--json": func(name string) (func(), error) {
			d, err := OpenDocument(t.Context(), "--json", name)
			return d.Close, err
		},
		"--checkpoint": func(name string) (func(), error) {
			f, _, err := checkpoint.Open(name, false, nil, nil)
			return f.Close, err
		},
	}
}

// A file that a run writes is refused to every other run, whatever it is for either of them, and whether it existed
// before or not. The run that is refused changes nothing.
func TestFilesOfARunAreLocked(t *testing.T) {
	for one, openOne := range roles(t) {
		for other, openOther := range roles(t) {
			for _, exists := range []bool{true, false} {
				t.Chdir(t.TempDir())
				if exists {
					write(t, "f", "")
				}
				if one == "--checkpoint" && exists {
					write(t, "f", string(completeCheckpoint(t)))
				}
				before, _ := os.ReadFile("f")
				release, err := openOne("f")
				if err != nil {
					t.Fatalf("%s: %v", one, err)
				}
				if _, err := openOther("f"); exit.Code(err) != exit.Usage || exit.Hint(err) == "" {
					t.Errorf("%s while another run has the file as its %s (it existed: %v): %v", other, one, exists, err)
				}
				if exists {
					expect(t, "f", string(before))
				}
				release()
			}
		}
	}
}

// completeCheckpoint returns the text of a checkpoint that a new run may replace.
func completeCheckpoint(t *testing.T) []byte {
	t.Helper()
	c := &checkpoint.Checkpoint{}
	c.Stats.Complete = true
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A Document is locked until it is finished, and after a run that writes nothing.
func TestDocumentUnlocks(t *testing.T) {
	t.Chdir(t.TempDir())
	for range 2 {
		d, err := OpenDocument(t.Context(), "--stats", "s")
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		if _, err := os.Stat("s"); err == nil {
			t.Error("a Document without content has left a file")
		}
	}
	for _, text := range []string{"one", "two"} {
		d, err := OpenDocument(t.Context(), "--stats", "s")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Finish([]byte(text)); err != nil {
			t.Fatal(err)
		}
		expect(t, "s", text)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
