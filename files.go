package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"headcount/output"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
)

// fileNames are the files that a command line names; empty: none.
type fileNames struct{ output, errors, stats, checkpoint, retryFrom string }

// files are what a run writes beside standard output. A nil one was not asked for.
type files struct {
	output *output.File // the records
	errors *output.File // the objects that failed, as they are found
	stats  *os.File     // the account, at the end
}

// openFiles opens them before the run, which shows that they can be written. It takes nothing away yet: what they hold
// stays until the run begins, and the old account until there is a new one, even after kill -9.
func openFiles(names *fileNames, stdout, stderr io.Writer) (*files, error) {
	var (
		f   files
		err error
	)
	if f.output, err = openOutput("--output", names.output); err == nil {
		f.errors, err = openOutput("--errors", names.errors)
	}
	if err == nil {
		f.stats, err = openToWrite("--stats", names.stats)
	}
	if err == nil {
		err = f.distinct(names, stdout, stderr)
	}
	if err == nil {
		err = f.lock()
	}
	if err != nil {
		_ = f.close() // nothing was written
		return nil, err
	}
	return &f, nil
}

func openOutput(flag, name string) (*output.File, error) {
	if name == "" {
		return nil, nil
	}
	f, err := output.OpenFile(name)
	if err != nil {
		return nil, &openError{flag: flag, name: name, err: err}
	}
	return f, nil
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

// ExitCode implements the contract of package exit.
func (e *openError) ExitCode() int { return exit.Output }

// bareError is why a file cannot be opened, without its name.
func bareError(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// distinct refuses files that would write over each other, over what goes to standard output and standard error, or over
// what is read.
func (f *files) distinct(names *fileNames, stdout, stderr io.Writer) error {
	type place struct {
		name    string
		info    fs.FileInfo
		written bool
	}
	places := []place{
		{"--output", nameInfo(names.output), true}, {"--errors", nameInfo(names.errors), true},
		{"--stats", nameInfo(names.stats), true}, {"--checkpoint", nameInfo(names.checkpoint), true},
		{"--retry-from", nameInfo(names.retryFrom), false},
		{"standard output", fileInfo(stdout), false}, {"standard error", fileInfo(stderr), false}, // may be the same, as a shell makes them
	}
	for i, a := range places {
		for _, b := range places[:i] {
			if (a.written || b.written) && sameFile(a.info, b.info) {
				return exit.Usagef("name a file of its own", "%s and %s are the same file", b.name, a.name)
			}
		}
	}
	if names.checkpoint != "" { // of which there may be none yet
		for flag, name := range map[string]string{
			"--output": names.output, "--errors": names.errors, "--stats": names.stats, "--retry-from": names.retryFrom,
		} {
			if clean := filepath.Clean(name); clean == filepath.Clean(names.checkpoint) || clean == nextName(filepath.Clean(names.checkpoint)) {
				return exit.Usagef("name a file of its own", "%s and --checkpoint are the same file", flag)
			}
		}
	}
	return nil
}

// lock makes sure that no other run writes the files.
func (f *files) lock() error {
	for name, file := range f.written() {
		if err := file.Lock(); err != nil {
			return &openError{flag: "--" + name, name: file.Name(), err: err}
		}
	}
	return nil
}

// sameFile says whether what is written to one is lost or torn by what is written to the other. A device, such as a
// terminal or /dev/null, bears both.
func sameFile(a, b fs.FileInfo) bool {
	return a != nil && b != nil && a.Mode()&fs.ModeDevice == 0 && os.SameFile(a, b)
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

// nameInfo is nil where there is no such file.
func nameInfo(name string) fs.FileInfo {
	info, err := os.Stat(name)
	if err != nil {
		return nil
	}
	return info
}

// written are the files that are written as the run goes, by what a checkpoint calls them.
func (f *files) written() map[string]*output.File {
	written := map[string]*output.File{}
	if f.output != nil {
		written[checkpoint.PositionOutput] = f.output
	}
	if f.errors != nil {
		written[checkpoint.PositionErrors] = f.errors
	}
	return written
}

// begin drops what the files hold, as the run begins to write them: all, or what lies behind where an earlier run stood.
func (f *files) begin(from *checkpoint.Checkpoint) error {
	for name, file := range f.written() {
		var at checkpoint.Position
		if from != nil {
			at = from.Positions[name]
		}
		if err := file.Truncate(at); err != nil {
			return &openError{flag: "--" + name, name: file.Name(), err: err}
		}
	}
	return nil
}

// end writes the account in the place of the old one, as JSON, and closes.
func (f *files) end(stats any) error {
	return cmp.Or(f.writeStats(stats), f.close())
}

func (f *files) writeStats(stats any) error {
	if f.stats == nil {
		return nil
	}
	text, err := json.MarshalIndent(stats, "", "  ")
	if err != nil {
		return err
	}
	if err := empty(f.stats); err != nil {
		return err
	}
	_, err = f.stats.Write(append(text, '\n'))
	return scan.WrapOutput(err)
}

// empty takes away what a file holds. What is no regular file holds nothing.
func empty(f *os.File) error {
	if info := fileInfo(f); info == nil || !info.Mode().IsRegular() {
		return nil
	}
	return scan.WrapOutput(f.Truncate(0))
}

func (f *files) close() error {
	var errs []error
	for _, file := range f.written() {
		errs = append(errs, file.Close())
	}
	if f.stats != nil {
		errs = append(errs, f.stats.Close())
	}
	return scan.WrapOutput(cmp.Or(errs...))
}
