package durable

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// The errors of a lock. LockHint has their hints.
var (
	ErrLocked   = errors.New("another process is using it")
	errDangling = errors.New("is a symbolic link that leads to no file")
)

// LockHint returns what a user can do about a file that cannot be locked; empty: err is another one.
func LockHint(err error) string {
	switch {
	case errors.Is(err, ErrLocked):
		return "wait for the end of that run, or name another file"
	case errors.Is(err, errDangling):
		return "remove the link, or name another file"
	}
	return ""
}

// OpenLocked opens a regular file to write it, and locks it until it is closed, also by the end of the process. It
// creates the file if there is none, and otherwise does not change it. The file can be read too if the user may read
// it. name must not be a symbolic link (Resolve). Its error is ErrLocked if another process has locked the file, or its
// name (LockName).
//
// Where a file system has no locks, the file is open without one.
func OpenLocked(name string) (f *os.File, created bool, err error) {
	if err := testLock(GuardName(name)); err != nil {
		return nil, false, err
	}
	if f, created, err = openLocked(name); err != nil {
		return nil, false, err
	}
	// A process that has locked the name since then tests the lock of the file. So one of the two is refused, or both.
	err = testLock(GuardName(name))
	switch {
	case err == nil:
		return f, created, nil
	case created:
		CloseAndRemove(f)
	default:
		f.Close()
	}
	return nil, false, err
}

// openLocked is OpenLocked for a file whose name nobody locks.
func openLocked(name string) (f *os.File, created bool, err error) {
	for {
		if f, created, err = openOrCreate(name); err != nil {
			return nil, false, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, false, err
		}
		if LeadsTo(name, f) {
			return f, created, nil
		}
		f.Close() // the process that had locked the file has removed or replaced it
	}
}

// testLock returns ErrLocked if another process has locked a file. The file may be absent.
func testLock(name string) error {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	for _, mode := range []int{os.O_RDWR, os.O_WRONLY, os.O_RDONLY} { // some file systems lock what is open to write
		if f, err := os.OpenFile(name, mode, 0); err == nil {
			defer f.Close()
			return lock(f)
		}
	}
	return nil
}

// openOrCreate opens a file, or creates it.
func openOrCreate(name string) (f *os.File, created bool, err error) {
	for {
		f, err = os.OpenFile(name, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrPermission) { // the user may have the right to write only
			f, err = os.OpenFile(name, os.O_WRONLY, 0)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return f, false, err
		}
		f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err == nil, err
		}
		if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, false, fmt.Errorf("%s %w", name, errDangling)
		}
	}
}

// LeadsTo reports whether name is the name of an open file.
func LeadsTo(name string, f *os.File) bool {
	named, err := os.Stat(name)
	if err != nil {
		return false
	}
	open, err := f.Stat()
	return err == nil && os.SameFile(named, open)
}

// CloseAndRemove closes a locked file and removes it, unless its name leads to another file by now.
func CloseAndRemove(f *os.File) {
	// Windows removes no open file. Elsewhere another process could lock a closed file before it is removed.
	removed := !LeadsTo(f.Name(), f) || os.Remove(f.Name()) == nil
	f.Close()
	if !removed {
		_ = os.Remove(f.Name()) // an empty file that stays is no obstacle
	}
}

// Guard is the lock of a name. It is for a file that is replaced, with which a lock of the file itself would be lost.
type Guard struct {
	f    *os.File
	ours bool // no file of the user, so that Release removes it
}

// guardText is the content of the file of a Guard. Release removes no file with other content.
const guardText = "This file is the lock of the file beside it. headcount removes it at the end of its run.\n"

// LockName locks a name until Release, also by the end of the process. The lock is a file beside, with the name
// GuardName. Its error is ErrLocked if another process has locked the name, or the file with this name (OpenLocked).
func LockName(name string) (*Guard, error) {
	f, created, err := openLocked(GuardName(name))
	if err != nil {
		return nil, cmp.Or(testLock(GuardName(name)), err) // of another user: it can be tested
	}
	g := &Guard{f: f, ours: created}
	if created {
		_, err = f.WriteString(guardText)
	} else {
		text := make([]byte, len(guardText))
		n, _ := f.ReadAt(text, 0) // a file that cannot be read is not ours
		g.ours = string(text[:n]) == guardText
	}
	if err = cmp.Or(err, testLock(name)); err != nil {
		g.Release()
		return nil, err
	}
	return g, nil
}

// LockFile returns a Guard that locks a file itself. It is for a file that is overwritten, in a folder where no file
// can be created.
func LockFile(name string) (*Guard, error) {
	f, created, err := OpenLocked(name)
	if err != nil {
		return nil, err
	}
	return &Guard{f: f, ours: created}, nil
}

// Release unlocks the name, and removes the file of the Guard. A Release of a nil Guard does nothing.
func (g *Guard) Release() {
	switch {
	case g == nil:
	case g.ours:
		CloseAndRemove(g.f)
	default:
		g.f.Close()
	}
}

// GuardName returns the name of the file of a Guard.
func GuardName(name string) string { return name + ".headcount-lock" }
