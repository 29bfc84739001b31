package durable

import (
	"errors"
	"io"
	"os"
	"testing"
)

// A lock keeps out whoever opens the file by any of its names, until it is closed. Neither changes the content.
func TestOpenLocked(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "f", "kept")
	if err := os.Link("f", "hard"); err != nil {
		t.Fatal(err)
	}
	f, created, err := OpenLocked("f")
	if err != nil || created {
		t.Fatal(created, err)
	}
	for _, name := range []string{"f", "hard"} {
		if _, _, err := OpenLocked(name); !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	expect(t, "f", "kept")
	f.Close()
	if f, _, err = OpenLocked("hard"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, _, err := OpenLocked("nowhere/f"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// A file that is created for nothing is removed, and no other file with its name.
func TestCloseAndRemove(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, replaced := range []bool{false, true} {
		f, created, err := OpenLocked("f")
		if err != nil || !created {
			t.Fatal(created, err)
		}
		if replaced {
			write(t, "other", "another file")
			if err := os.Rename("other", "f"); err != nil {
				t.Fatal(err)
			}
		}
		CloseAndRemove(f)
		if replaced {
			expect(t, "f", "another file")
		} else {
			expectNames(t)
		}
	}
}

// Two runs that lock one name exclude each other, also where one removes its file while the other opens it.
func TestLockName(t *testing.T) {
	t.Chdir(t.TempDir())
	var held, most int
	inside := make(chan int)
	const runs, turns = 4, 50
	for range runs {
		go func() {
			for turn := 0; turn < turns; {
				g, err := LockName("f")
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
				} else {
					inside <- 1
					inside <- -1
				}
				g.Release()
				turn++
			}
		}()
	}
	for range 2 * runs * turns {
		held += <-inside
		most = max(most, held)
	}
	if most != 1 {
		t.Errorf("%d held the lock at once", most)
	}
}

// The file of a killed run is removed by the next one, and a file of the user is not.
func TestLockNameLeaves(t *testing.T) {
	t.Chdir(t.TempDir())
	for text, left := range map[string]bool{guardText: false, "the user's": true, "": true} {
		write(t, GuardName("f"), text)
		g, err := LockName("f")
		if err != nil {
			t.Fatal(err)
		}
		expect(t, GuardName("f"), text)
		g.Release()
		if _, err := os.Stat(GuardName("f")); (err == nil) != left {
			t.Errorf("with %q: %v", text, err)
		}
	}
	(*Guard)(nil).Release()
}

// On any system, the holder of a lock and others can read the file.
func TestLockedFileIsReadable(t *testing.T) {
	t.Chdir(t.TempDir())
	f, _, err := OpenLocked("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.WriteString(f, "text"); err != nil {
		t.Fatal(err)
	}
	expect(t, "f", "text")
}

// A file and its name exclude each other, whoever comes first. The one that is refused leaves nothing.
func TestFileAndName(t *testing.T) {
	for _, exists := range []bool{true, false} {
		t.Chdir(t.TempDir())
		if exists {
			write(t, "f", "kept")
		}
		g, err := LockName("f")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenLocked("f"); !errors.Is(err, ErrLocked) {
			t.Errorf("a file whose name is locked: %v", err)
		}
		if _, err := LockFile("f"); !errors.Is(err, ErrLocked) {
			t.Errorf("a Guard of a file whose name is locked: %v", err)
		}
		g.Release()
		if !exists {
			expectNames(t)
		}

		f, _, err := OpenLocked("f")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := LockName("f"); !errors.Is(err, ErrLocked) {
			t.Errorf("the name of a locked file: %v", err)
		}
		f.Close()
		expectNames(t, "f")
		if g, err = LockFile("f"); err != nil {
			t.Fatal(err)
		}
		if _, err := LockName("f"); !errors.Is(err, ErrLocked) {
			t.Errorf("the name of a file with a Guard: %v", err)
		}
		g.Release()
		expectNames(t, "f")
	}
}

// A lock that is a symbolic link to nothing cannot be created: the error says so.
func TestDanglingLock(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Symlink("nowhere", GuardName("f")); err != nil {
		t.Fatal(err)
	}
	_, err := LockName("f")
	if !errors.Is(err, errDangling) || LockHint(err) == "" {
		t.Error(err)
	}
	expectNames(t, GuardName("f"))
}
