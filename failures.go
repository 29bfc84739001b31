package main

import (
	"fmt"
	"io"
	"os"

	"headcount/output"
	"headcount/scan"
)

// failuresShown is how many failed objects are told of where no file takes them: enough to see a pattern.
const failuresShown = 10

// failureFile takes the objects that failed: all of them in a file, or the first few to be shown.
type failureFile struct {
	file  *os.File // nil: none was asked for
	lines *output.Failures
	first []*scan.ObjectError
	count int64
}

func newFailureFile(name string) (*failureFile, error) {
	f, err := create(name)
	if err != nil || f == nil {
		return &failureFile{}, err
	}
	return &failureFile{file: f, lines: output.NewFailures(f)}, nil
}

// add takes one. It is called from one goroutine.
func (f *failureFile) add(e *scan.ObjectError) error {
	f.count++
	if f.file != nil {
		return f.lines.Add(e)
	}
	if len(f.first) < failuresShown {
		f.first = append(f.first, e)
	}
	return nil
}

// show prints the first few, where no file has them.
func (f *failureFile) show(w io.Writer) {
	for _, e := range f.first {
		fmt.Fprintf(w, "headcount: failed: %v (%s, %d tries)\n", e, e.Class, e.Attempts)
	}
	if rest := f.count - int64(len(f.first)); rest > 0 && f.file == nil {
		fmt.Fprintf(w, "headcount: failed: and %s more\n", number(rest))
	}
}

func (f *failureFile) hint() string {
	if f.file != nil {
		return f.file.Name() + " names them"
	}
	return "--errors FILE names them all"
}

func (f *failureFile) close() error {
	if f.file == nil {
		return nil
	}
	if err := f.file.Close(); err != nil {
		return &scan.OutputError{Err: err}
	}
	return nil
}
