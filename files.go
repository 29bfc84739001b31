package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"headcount/scan"
)

// sideFiles are what a run writes beside its records. A nil one was not asked for.
type sideFiles struct {
	errors *os.File // the objects that failed, as they are found
	stats  *os.File // the account, at the end
}

// openSideFiles opens them before the run, which shows that they can be written. It takes nothing away yet: the old
// errors stay until the run begins, and the old account until there is a new one, even after kill -9.
func openSideFiles(job *scanJob, stdout, stderr io.Writer) (*sideFiles, error) {
	var (
		files sideFiles
		err   error
	)
	if files.errors, err = openToWrite("--errors", job.errors); err == nil {
		files.stats, err = openToWrite("--stats", job.stats)
	}
	if err == nil {
		err = files.distinct(stdout, stderr)
	}
	if err != nil {
		_ = files.close() // nothing was written
		return nil, err
	}
	return &files, nil
}

func openToWrite(flag, name string) (*os.File, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, &openError{flag: flag, name: name, err: err}
	}
	return f, nil
}

// openError is a file that cannot be opened to be written.
type openError struct {
	flag, name string
	err        error
}

func (e *openError) Error() string {
	return fmt.Sprintf("cannot open %s %s: %v", e.flag, e.name, bareError(e.err))
}

// bareError is why a file cannot be opened, without its name.
func bareError(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// distinct refuses files that would write over each other, or over what goes to standard output and standard error.
func (s *sideFiles) distinct(stdout, stderr io.Writer) error {
	type place struct {
		name string
		w    io.Writer
	}
	errorsFile, statsFile := place{"--errors", s.errors}, place{"--stats", s.stats}
	out, err := place{"standard output", stdout}, place{"standard error", stderr}
	for _, pair := range [][2]place{{errorsFile, statsFile}, {errorsFile, out}, {errorsFile, err}, {statsFile, out}, {statsFile, err}} {
		if sameFile(pair[0].w, pair[1].w) {
			return usagef("name a file of its own", "%s and %s are the same file", pair[0].name, pair[1].name)
		}
	}
	return nil
}

// sameFile says whether what is written to one is lost or torn by what is written to the other. A device, such as a
// terminal or /dev/null, bears both.
func sameFile(a, b io.Writer) bool {
	infoA, infoB := fileInfo(a), fileInfo(b)
	return infoA != nil && infoB != nil && infoA.Mode()&fs.ModeDevice == 0 && os.SameFile(infoA, infoB)
}

// fileInfo is nil for what is no file.
func fileInfo(w io.Writer) fs.FileInfo {
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

// begin empties the errors, as the run begins to write them.
func (s *sideFiles) begin() error { return empty(s.errors) }

// empty takes away what a file holds. What is no regular file holds nothing.
func empty(f *os.File) error {
	if info := fileInfo(f); info == nil || !info.Mode().IsRegular() {
		return nil
	}
	return asOutput(f.Truncate(0))
}

// end writes the account in the place of the old one, and closes.
func (s *sideFiles) end(stats *scan.Stats) error {
	return firstError(s.writeStats(stats), s.close())
}

func (s *sideFiles) writeStats(stats *scan.Stats) error {
	if s.stats == nil {
		return nil
	}
	text, err := json.MarshalIndent(stats, "", "  ")
	if err != nil {
		return err
	}
	if err := empty(s.stats); err != nil {
		return err
	}
	_, err = s.stats.Write(append(text, '\n'))
	return asOutput(err)
}

func (s *sideFiles) close() error {
	var errs []error
	for _, f := range []*os.File{s.errors, s.stats} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return asOutput(firstError(errs...))
}

// asOutput makes a scan.OutputError of an error, and nil of nil.
func asOutput(err error) error {
	if err == nil {
		return nil
	}
	return &scan.OutputError{Err: err}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
