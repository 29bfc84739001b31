// Package durable treats the files that a user names with care: it replaces a file as a whole, locks it, and reads it
// within a bound.
package durable

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Replace replaces the content of the file at name, or creates it. It writes text to disk under the name temp in the
// same folder, renames that file, and writes the name to disk. Whenever the machine stops, the file has its old content
// or the new one. It keeps the mode and the owner that it had. name must not be a symbolic link (Resolve), and nothing
// may exist at temp.
//
// google/renameio does not work on Windows, and does not sync the folder.
func Replace(name, temp string, text []byte) error {
	before, err := os.Stat(name)
	mode := fs.FileMode(0o666)
	if err == nil {
		mode = 0o600 // until it has the mode of the old file
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if before != nil {
		keepOwner(f, before)
		if err = f.Chmod(before.Mode().Perm()); errors.Is(err, fs.ErrPermission) {
			err = nil // FAT and CIFS give every file one mode
		}
	}
	if err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = f.Sync()
	}
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = os.Rename(temp, name)
	}
	if err != nil {
		_ = os.Remove(temp) // the first error counts
		return err
	}
	return SyncFolder(filepath.Dir(name))
}

// SyncFolder writes the names in a folder to disk. Some systems and file systems cannot do this, and do not need it.
func SyncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return nil // the user may have the right to write there and not to read
	}
	defer folder.Close()
	err = folder.Sync()
	if runtime.GOOS == "windows" || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

// ErrTooLong is the error of a file with more bytes than it can have.
var ErrTooLong = errors.New("the file is too long")

// ReadFile reads a whole file of at most limit bytes. Of a longer file it reads no more, and its error is ErrTooLong.
// It refuses what CheckFile refuses.
func ReadFile(name string, limit int64) ([]byte, error) {
	if err := CheckFile(name); err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrTooLong, limit)
	}
	return text, err
}

// CheckFile returns an error for a pipe, and for a device other than the null device. To open or to read one may block,
// and no signal ends that. It may be read only once, and may have no end. Other errors are left to those who read.
func CheckFile(name string) error {
	info, err := os.Stat(name)
	if err != nil || info.Mode()&(fs.ModeNamedPipe|fs.ModeDevice|fs.ModeCharDevice) == 0 {
		return nil
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(info, null) {
		return nil
	}
	return errors.New("it is a pipe or a device, and not a file")
}

// linksMax is how many symbolic links Resolve follows, one after the other: as many as Linux does.
// https://man7.org/linux/man-pages/man7/path_resolution.7.html
const linksMax = 40

// Resolve returns the absolute name of the file that name leads to through symbolic links. Neither the file nor its
// folder has to exist. It returns the name of a device or a pipe unchanged: the links in /dev/fd lead to no name.
func Resolve(name string) string {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return name
	}
	for range linksMax {
		target, err := os.Readlink(name)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(realFolder(name), target)
		}
		name = target
	}
	return filepath.Join(realFolder(name), filepath.Base(name))
}

// realFolder returns the absolute name of the folder of a file, without symbolic links as far as it exists.
func realFolder(name string) string {
	folder := filepath.Dir(name)
	if folderReal, err := filepath.EvalSymlinks(folder); err == nil {
		folder = folderReal
	}
	if absolute, err := filepath.Abs(folder); err == nil {
		folder = absolute
	}
	return folder
}
