package fileset

import (
	"headcount/output"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/fault"
)

// failuresPrinted is how many failed objects are printed if no file has them: enough to see a pattern.
const failuresPrinted = 10

// Failures is a scan.FailureSink for the failed objects of a run. It writes all of them to a file or, without a file,
// keeps the first few to be printed. The zero value has no file.
type Failures struct {
	file  *output.File // nil: the user named no file
	lines *output.FailureLines
	first []*scan.ObjectError
	count int64
	hint  string // of the first object that the filter cannot be evaluated for

	badVersion bool // an answer to the HEAD of a version was 400
}

// NewFailures returns Failures that write to file, or keep the first few if it is nil.
func NewFailures(file *output.File) *Failures {
	if file == nil {
		return &Failures{}
	}
	return &Failures{file: file, lines: output.NewFailureLines(file)}
}

// Add stores failed objects. It fails only if there is a file.
func (f *Failures) Add(page []*scan.ObjectError) error {
	f.count += int64(len(page))
	for _, e := range page {
		if f.hint == "" && e.Class == fault.FilterFailed {
			f.hint = e.Hint()
		}
		f.badVersion = f.badVersion || e.IsBadVersion()
	}
	if f.file != nil {
		return f.lines.Add(page)
	}
	f.first = append(f.first, page[:min(len(page), failuresPrinted-len(f.first))]...)
	return nil
}

// BadVersion reports whether the store has answered the HEAD of a version with 400.
func (f *Failures) BadVersion() bool { return f.badVersion }

// Sync implements scan.FailureSink. Without a file there is no Position.
func (f *Failures) Sync() (checkpoint.Position, error) {
	if f.file == nil {
		return checkpoint.Position{}, nil
	}
	return f.lines.Sync()
}

// Close closes the file.
func (f *Failures) Close() error {
	if f.file == nil {
		return nil
	}
	return f.lines.Close()
}

// First returns the first failed objects, which no file has.
func (f *Failures) First() []*scan.ObjectError { return f.first }

// More returns how many failed objects neither First nor a file has.
func (f *Failures) More() int64 {
	if f.file != nil {
		return 0
	}
	return f.count - int64(len(f.first))
}

// Hint says where the failed objects are, and how a filter fails for none.
func (f *Failures) Hint() string {
	where := "--errors FILE names them all"
	if f.file != nil {
		where = f.file.Name() + " names them"
	}
	if f.hint != "" {
		return f.hint + "; " + where
	}
	return where
}
