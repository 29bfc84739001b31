// Package fileset opens, checks and finishes the files that a command line names.
//
// A Set is the files of a scan. A Document is a file whose content is replaced at the end of a run. Opening a
// file shows that it can be written, and does not change it: the user keeps the old content until there is new content.
// No two files of a command line may be the same one.
package fileset

import (
	"io"
	"path/filepath"

	"headcount/output"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
)

// Names are the names of the files of a scan, as the user wrote them. An empty name stands for no file.
type Names struct {
	Output, Errors, Stats string // written
	Checkpoint            string // read and written; package checkpoint does both
	RetryFrom             string // read
}

// Set is the open files that a scan writes beside standard output; nil: the user named no such file. The caller of Open
// calls Close at the end. A sink that writes to one of the files may have closed the file before.
type Set struct {
	Output *output.File // the records
	Errors *output.File // the failed objects, as they fail
	Stats  *Document    // the statistics, at the end
}

// Open opens and locks the files, and checks that they are different ones. It returns a usage error, or one with the
// code exit.Output.
func Open(names *Names, stdout, stderr io.Writer) (*Set, error) {
	s := &Set{}
	err := s.open(names)
	if err == nil {
		err = checkNames(names, stdout, stderr)
	}
	if err == nil {
		err = s.lock()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Set) open(names *Names) (err error) {
	if s.Output, err = openFile("--output", names.Output); err != nil {
		return err
	}
	if s.Errors, err = openFile("--errors", names.Errors); err != nil {
		return err
	}
	s.Stats, err = OpenDocument("--stats", names.Stats)
	return err
}

func openFile(flag, name string) (*output.File, error) {
	if name == "" {
		return nil, nil
	}
	f, err := output.OpenFile(name)
	if err != nil {
		return nil, openError(flag, name, err)
	}
	return f, nil
}

func openError(flag, name string, err error) error {
	return exit.Errorf(exit.Output, "", "cannot open %s %s: %v", flag, name, exit.WithoutPath(err))
}

// checkNames refuses files that would overwrite each other, a file that is read, standard output or standard error.
func checkNames(names *Names, stdout, stderr io.Writer) error {
	err := CheckDistinct([]NamedFile{
		{Name: "--output", Info: nameInfo(names.Output), Written: true},
		{Name: "--errors", Info: nameInfo(names.Errors), Written: true},
		{Name: "--stats", Info: nameInfo(names.Stats), Written: true},
		{Name: "--checkpoint", Info: nameInfo(names.Checkpoint), Written: true},
		{Name: "--retry-from", Info: nameInfo(names.RetryFrom)},
		{Name: "standard output", Info: StreamInfo(stdout)},
		{Name: "standard error", Info: StreamInfo(stderr)},
	})
	if err != nil || names.Checkpoint == "" {
		return err
	}
	// The checkpoint may not exist yet, and there is another file beside it while it is replaced.
	name := filepath.Clean(names.Checkpoint)
	for _, other := range []struct{ flag, name string }{
		{"--output", names.Output}, {"--errors", names.Errors},
		{"--stats", names.Stats}, {"--retry-from", names.RetryFrom},
	} {
		if clean := filepath.Clean(other.name); clean == name || clean == checkpoint.TempName(name) {
			return sameFileError(other.flag, "--checkpoint")
		}
	}
	return nil
}

// lock makes sure that no other run writes the files.
func (s *Set) lock() error {
	for name, file := range s.files() {
		if err := file.Lock(); err != nil {
			return openError("--"+name, file.Name(), err)
		}
	}
	return nil
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

// Close closes and unlocks all files. It ignores errors: the sink of a file has already closed it, and reported the
// error, or nothing was written that could be lost.
func (s *Set) Close() {
	for _, file := range s.files() {
		_ = file.Close()
	}
	s.Stats.Close()
}
