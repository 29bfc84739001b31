package main

import (
	"headcount/output"
	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
)

// failuresShown is how many failed objects are told of where no file takes them: enough to see a pattern.
const failuresShown = 10

// failures takes the objects that failed: all of them into a file, or the first few to be told of.
type failures struct {
	file  *output.File // nil: none was asked for
	lines *output.Failures
	first []*scan.ObjectError
	count int64
}

// newFailures returns one that writes to file, if there is one.
func newFailures(file *output.File) *failures {
	if file == nil {
		return &failures{}
	}
	return &failures{file: file, lines: output.NewFailures(file)}
}

// Add takes one.
func (f *failures) Add(e *scan.ObjectError) error {
	f.count++
	if f.file != nil {
		return f.lines.Add(e)
	}
	if len(f.first) < failuresShown {
		f.first = append(f.first, e)
	}
	return nil
}

// Sync is that of the file; without one there is nothing to go on from.
func (f *failures) Sync() (checkpoint.Position, error) {
	if f.file == nil {
		return checkpoint.Position{}, nil
	}
	return f.lines.Sync()
}

// Close closes the file, if there is one.
func (f *failures) Close() error {
	if f.file == nil {
		return nil
	}
	return f.lines.Close()
}

// more is how many there are beside the first, where no file has them.
func (f *failures) more() int64 {
	if f.file != nil {
		return 0
	}
	return f.count - int64(len(f.first))
}

func (f *failures) hint() string {
	if f.file != nil {
		return f.file.Name() + " names them"
	}
	return "--errors FILE names them all"
}

// objectsFailed is a complete scan in which some objects failed.
type objectsFailed struct {
	count int64
	hint  string
}

func (e *objectsFailed) Error() string {
	return console.Count(e.count, "object", "objects") + " failed"
}
func (e *objectsFailed) Hint() string  { return e.hint }
func (e *objectsFailed) ExitCode() int { return exit.Failures }
