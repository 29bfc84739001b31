package fileset

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"headcount/scan/durable"
	"headcount/scan/exit"
	"headcount/scan/store"
)

// NamedFile is a file, or standard output or standard error, for CheckDistinct.
type NamedFile struct {
	Name    string      // as the user knows it: --output, standard error
	Info    fs.FileInfo // nil: it is no file, or does not exist yet
	Path    string      // without symbolic links, to compare files that do not exist yet; empty: it has no name
	Written bool        // the user named it to be written; a shell may use one file for standard output and standard error
}

// Named returns the NamedFile of a flag that names a file to be read. An empty name stands for no file.
func Named(flag, name string) NamedFile {
	if name == "" {
		return NamedFile{Name: flag}
	}
	return NamedFile{Name: flag, Info: nameInfo(name), Path: durable.Resolve(name)}
}

// Written returns the NamedFile of a flag that names a file to be written.
func Written(flag, name string) NamedFile {
	file := Named(flag, name)
	file.Written = true
	return file
}

// AWSFiles returns the files that the AWS SDK reads.
func AWSFiles() []NamedFile {
	var files []NamedFile
	names := store.InputFiles()
	for _, what := range slices.Sorted(maps.Keys(names)) {
		files = append(files, Named(what, names[what]))
	}
	return files
}

// CheckDistinct returns a usage error if two NamedFiles are the same file and at least one of them is Written.
func CheckDistinct(files []NamedFile) error {
	for i, later := range files {
		for _, earlier := range files[:i] {
			if (earlier.Written || later.Written) && sameFile(earlier, later) {
				return exit.Usagef("name a file of its own", "%s and %s are the same file", earlier.Name, later.Name)
			}
		}
	}
	return nil
}

// sameFile reports whether a write to one file destroys or tears the content of the other. Two writers can share a
// device such as a terminal or /dev/null.
func sameFile(a, b NamedFile) bool {
	if a.Info == nil || b.Info == nil {
		return a.Path != "" && a.Path == b.Path
	}
	return a.Info.Mode()&fs.ModeDevice == 0 && os.SameFile(a.Info, b.Info)
}

// StreamInfo returns the FileInfo of a stream; nil: the stream is no file.
func StreamInfo(w io.Writer) fs.FileInfo {
	f, ok := w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return nil
	}
	info, err := f.Stat() // of a nil File: an error
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
