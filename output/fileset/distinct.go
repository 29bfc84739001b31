package fileset

import (
	"io"
	"io/fs"
	"os"

	"headcount/scan/exit"
)

// NamedFile is a file, or standard output or standard error, for CheckDistinct.
type NamedFile struct {
	Name    string      // as the user knows it: --output, standard error
	Info    fs.FileInfo // nil: it is no file, or does not exist yet
	Written bool        // the user named it to be written; a shell may use one file for standard output and standard error
}

// CheckDistinct returns a usage error if two NamedFiles are the same file and at least one of them is Written.
func CheckDistinct(files []NamedFile) error {
	for i, later := range files {
		for _, earlier := range files[:i] {
			if (earlier.Written || later.Written) && sameFile(earlier.Info, later.Info) {
				return sameFileError(earlier.Name, later.Name)
			}
		}
	}
	return nil
}

func sameFileError(one, other string) error {
	return exit.Usagef("name a file of its own", "%s and %s are the same file", one, other)
}

// sameFile reports whether a write to one file destroys or tears the content of the other. Two writers can share a
// device such as a terminal or /dev/null.
func sameFile(a, b fs.FileInfo) bool {
	return a != nil && b != nil && a.Mode()&fs.ModeDevice == 0 && os.SameFile(a, b)
}

// StreamInfo returns the FileInfo of a stream; nil: the stream is no file.
func StreamInfo(w io.Writer) fs.FileInfo {
	f, ok := w.(*os.File)
	if !ok || f == nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	return info
}

// nameInfo returns the FileInfo of a file; nil: there is no such file.
func nameInfo(name string) fs.FileInfo {
	info, err := os.Stat(name)
	if err != nil {
		return nil
	}
	return info
}
