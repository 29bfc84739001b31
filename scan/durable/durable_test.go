package durable

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

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

// expectNames checks which files the current folder has.
func expectNames(t *testing.T, want ...string) {
	t.Helper()
	if names, err := filepath.Glob("*"); err != nil || len(names) != len(want) {
		t.Errorf("there are %q, want %q; %v", names, want, err)
	}
	for _, name := range want {
		if _, err := os.Lstat(name); err != nil {
			t.Error(err)
		}
	}
}

// A replaced file keeps its mode. A failed replacement leaves the old content, and no temporary file.
func TestReplace(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Replace("f", "temp", []byte("one")); err != nil {
		t.Fatal(err)
	}
	expect(t, "f", "one")
	for _, mode := range []os.FileMode{0o600, 0o664, 0o440} {
		if err := os.Chmod("f", mode); err != nil {
			t.Fatal(err)
		}
		if err := Replace("f", "temp", []byte("two")); err != nil {
			t.Fatal(err)
		}
		expect(t, "f", "two")
		if info, err := os.Stat("f"); err != nil || info.Mode() != mode {
			t.Errorf("the mode is %v, want %v; %v", info.Mode(), mode, err)
		}
	}
	expectNames(t, "f")

	write(t, "temp", "of somebody else")
	if err := Replace("f", "temp", []byte("three")); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	expect(t, "temp", "of somebody else")
	if err := os.Mkdir("folder", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Replace("folder", "temp2", []byte("three")); err == nil {
		t.Error("a folder was replaced")
	}
	expect(t, "f", "two")
	expectNames(t, "f", "temp", "folder")
}

func TestResolve(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := os.Mkdir("sub", 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, "f", "")
	for link, target := range map[string]string{
		"to-f": "f", "to-absent": "sub/absent", "twice": "to-absent", "sub/up": "../absent", "to-sub": "sub", "loop": "loop",
		"nowhere": "no/such/folder", "null": os.DevNull,
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"f": "f", "./sub/../f": "f", "to-f": "f", "to-absent": "sub/absent", "twice": "sub/absent", "sub/up": "absent",
		"to-sub/new": "sub/new", "loop": "loop", "nowhere": "no/such/folder",
	} {
		if got := Resolve(name); got != filepath.Join(dir, want) {
			t.Errorf("%s leads to %s, want %s", name, got, want)
		}
	}
	if got := Resolve("null"); got != "null" {
		t.Errorf("a device leads to %s", got)
	}
}

func TestReadFile(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "f", "12345")
	if text, err := ReadFile("f", 5); string(text) != "12345" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := ReadFile("f", 4); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

// A device is refused, since it may have no end. The null device is an empty file.
func TestCheckFile(t *testing.T) {
	folder := t.TempDir()
	for name, isRefused := range map[string]bool{
		os.DevNull: false, folder: false, filepath.Join(folder, "absent"): false, "/dev/zero": true,
	} {
		if _, err := os.Stat("/dev/zero"); err != nil && isRefused {
			continue // not a Unix
		}
		if err := CheckFile(name); (err != nil) != isRefused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
