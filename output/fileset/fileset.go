// Package fileset opens, checks and finishes the files that a command line names.
//
// A Set is the files of a scan. A Document is a file whose content is replaced at the end of a run. Opening a
// file shows that it can be written, and does not change it: the user keeps the old content until there is new content.
// A file that was created for a run without content is removed. No two files of a command line may be the same one.
package fileset

import (
	"context"
	"errors"
	"io"
	"syscall"

	"headcount/output"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/durable"
	"headcount/scan/exit"
)

// Names are the names of the files of a scan, as the user wrote them. An empty name stands for no file.
type Names struct {
	Output, Errors, Stats string // written
	Missing               string // written
	Checkpoint            string // read and written; package checkpoint does both
	RetryFrom, CABundle   string // read
	Prefixes              string // read
	Inventory, Keys       string // read
}

// Set is the open files that a scan writes beside standard output; nil: the user named no such file. The caller of Open
// calls Close at the end. A sink that writes to one of the files may have closed the file before.
type Set struct {
	Output  *output.File // the records
	Errors  *output.File // the failed objects, as they fail
	Missing *output.File // the objects that do not exist
	Stats   *Document    // the statistics, at the end
}

// Open opens and locks the files, which Check has found to be different ones. It waits for the readers of named pipes
// until the end of ctx. Its error is a usage error, has the code exit.Output, or is the cause of ctx's end.
func Open(ctx context.Context, names *Names) (*Set, error) {
	s := &Set{}
	if err := s.open(ctx, names); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Set) open(ctx context.Context, names *Names) (err error) {
	if s.Output, err = openFile(ctx, "--output", names.Output); err != nil {
		return err
	}
	if s.Errors, err = openFile(ctx, "--errors", names.Errors); err != nil {
		return err
	}
	if s.Missing, err = openFile(ctx, "--missing", names.Missing); err != nil {
		return err
	}
	s.Stats, err = OpenDocument(ctx, "--stats", names.Stats)
	return err
}

func openFile(ctx context.Context, flag, name string) (*output.File, error) {
	if name == "" {
		return nil, nil
	}
	f, err := output.OpenFile(ctx, name)
	if err != nil {
		return nil, openError(flag, name, err)
	}
	return f, nil
}

// openError returns the error of a file that a flag names. A lost reader, and the end of a context, have exit codes of
// their own.
func openError(flag, name string, err error) error {
	switch hint := durable.LockHint(err); {
	case hint != "":
		return exit.Usagef(hint, "%s %s: %v", flag, name, err)
	case errors.Is(err, syscall.EPIPE):
		return &scan.OutputError{What: name, Err: err}
	case exit.Code(err) != exit.Fatal:
		return err
	}
	return exit.Errorf(exit.Output, "", "cannot open %s %s: %v", flag, name, exit.WithoutPath(err))
}

// Check returns a usage error if the files would overwrite each other, a file that is read, standard output or standard
// error. It opens nothing.
func (names *Names) Check(stdout, stderr io.Writer) error {
	files := []NamedFile{
		Written("--output", names.Output), Written("--errors", names.Errors), Written("--stats", names.Stats),
		Written("--missing", names.Missing),
		Written("--checkpoint", names.Checkpoint), Named("--retry-from", names.RetryFrom),
		Named("--inventory", names.Inventory),
		Named("--keys", names.Keys), Named("--prefixes", names.Prefixes),
		Named("--ca-bundle", names.CABundle),
		{Name: "standard output", Info: StreamInfo(stdout)}, {Name: "standard error", Info: StreamInfo(stderr)},
	}
	files = append(files, AWSFiles()...)
	if names.Stats != "" {
		files = append(files, Written("the lock of --stats", durable.GuardName(durable.Resolve(names.Stats))))
	}
	if names.Checkpoint != "" { // there are other files beside it
		path := durable.Resolve(names.Checkpoint)
		files = append(files,
			Written("the temporary file of --checkpoint", checkpoint.TempName(path)),
			Written("the lock of --checkpoint", durable.GuardName(path)))
	}
	return CheckDistinct(files)
}

// files returns the files that a scan writes while it runs, by their names in a checkpoint.
func (s *Set) files() map[string]*output.File {
	files := map[string]*output.File{}
	if s.Output != nil {
		files[checkpoint.PositionOutput] = s.Output
	}
	if s.Errors != nil {
		files[checkpoint.PositionErrors] = s.Errors
	}
	if s.Missing != nil {
		files[checkpoint.PositionMissing] = s.Missing
	}
	return files
}

// CheckpointFiles returns the files of which a checkpoint holds a Position.
func (s *Set) CheckpointFiles() map[string]checkpoint.DataFile {
	files := map[string]checkpoint.DataFile{}
	for name, file := range s.files() {
		files[name] = file
	}
	return files
}

// Truncate drops the content of the files behind the positions of a checkpoint, or all of it for nil. The scan writes
// there next.
func (s *Set) Truncate(from *checkpoint.Checkpoint) error {
	for name, file := range s.files() {
		var at checkpoint.Position
		if from != nil {
			at = from.Positions[name]
		}
		if err := file.Truncate(at); err != nil {
			return openError("--"+name, file.Name(), err)
		}
	}
	return nil
}

// WriteStats replaces the content of the file of --stats by the JSON of stats. Its error is a scan.OutputError.
func (s *Set) WriteStats(stats any) error { return s.Stats.FinishJSON(stats) }

// Close closes and unlocks all files, and removes those that were created for nothing. It ignores errors: the sink of a
// file has already closed it, and reported the error, or nothing was written that could be lost.
func (s *Set) Close() {
	for _, file := range s.files() {
		_ = file.Close()
	}
	s.Stats.Close()
}
