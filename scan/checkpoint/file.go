package checkpoint

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headcount/scan/durable"
	"headcount/scan/exit"
	"headcount/scan/list"
)

// File is the checkpoint of a run, in a file with a name. It belongs to one goroutine at a time. Until Close, no other
// process can open it.
type File struct {
	name       string // as the user wrote it
	path       string // where it is: name without symbolic links
	parameters map[string]string
	data       map[string]DataFile
	guard      *durable.Guard
	exists     bool // a run can resume from the checkpoint
}

// DataFile is a file of which a Checkpoint holds a Position, such as the records.
type DataFile interface {
	Name() string
	Size() int64              // 0 for anything but a regular file
	CheckContinuable() error  // an error if a later run cannot continue the file
	Check(at Position) error  // an error if at is no Position of the file
	Start() (Position, error) // the Position before the first byte
}

// Endpoints is the parameter that holds the URLs of a store, separated by spaces. A store with several URLs is the same
// one as long as two runs have a URL in common. All other parameters must be equal.
const Endpoints = "endpoints"

// Command is the parameter that holds the name of the command. A Checkpoint without it is one of scan.
const Command = "command"

// startOverHint is the hint of an error about an earlier run that cannot be continued.
const startOverHint = "to start over, remove the checkpoint and leave --resume out"

// bytesMax is the size of the largest checkpoint that is read. The Ranges of a run with thousands of pages in flight
// take a few MiB.
const bytesMax = 64 << 20

// Open locks the file with this name, and reads it if there is one. The run starts at the returned Checkpoint; nil: at
// the beginning. parameters are the settings on which the result of the run depends. data has the files that the run
// writes, by their names in Checkpoint.Positions. Open changes no file.
//
// With resume the run continues an earlier one, which must have had the same parameters and files. If there is no
// earlier one, the run starts at the beginning, so that a user can repeat one command line. Without resume Open refuses
// to replace the checkpoint of a run that is not complete. Its error is a usage error, or has the code exit.Output.
func Open(
	name string, resume bool, parameters map[string]string, data map[string]DataFile,
) (*File, *Checkpoint, error) {
	f := &File{name: name, path: durable.Resolve(name), parameters: parameters, data: data}
	err := f.checkKinds()
	if err == nil {
		f.guard, err = durable.LockName(f.path)
		err = f.openError(err)
	}
	var from *Checkpoint
	if err == nil {
		from, err = f.read(resume)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, from, nil
}

// checkKinds returns a usage error if the checkpoint, or a file of which it would hold a Position, is a device, a pipe
// or a folder.
func (f *File) checkKinds() error {
	for name, file := range f.data {
		if err := file.CheckContinuable(); err != nil {
			return exit.Usagef("name a file, or leave --checkpoint out",
				"cannot resume with --%s %s: %v", name, file.Name(), err)
		}
	}
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		return exit.Usagef("name a file, or one that does not exist yet", "--checkpoint %s: not a regular file", f.name)
	}
	return nil
}

// read returns the Checkpoint at which the run starts.
func (f *File) read(resume bool) (*Checkpoint, error) {
	text, err := durable.ReadFile(f.path, bytesMax)
	switch {
	case errors.Is(err, fs.ErrNotExist) && resume:
		return nil, f.checkAbsent()
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, durable.ErrTooLong):
		return nil, exit.Usagef("name another file", "--checkpoint %s is no checkpoint: %v", f.name, err)
	case err != nil:
		return nil, f.openError(err)
	}
	from, err := Decode(text)
	switch {
	case err != nil && resume:
		return nil, exit.Usagef(startOverHint, "cannot resume from --checkpoint %s: %v", f.name, err)
	case err != nil:
		return nil, exit.Usagef("remove it, or name another file",
			"--checkpoint %s has other content: %v", f.name, err)
	case resume:
		f.exists = true
		return from, f.check(from)
	case len(from.Rest) > 0:
		return nil, exit.Usagef("--resume continues that run; to start over, remove the file",
			"--checkpoint %s is of a run that is not complete", f.name)
	}
	return nil, nil
}

// Close unlocks the checkpoint. A Close of a nil File does nothing.
func (f *File) Close() {
	if f != nil {
		f.guard.Release()
	}
}

// Resumable reports whether a later run can resume from the file: it is a Checkpoint of this run, or of the run that
// this one continues.
func (f *File) Resumable() bool { return f != nil && f.exists }

// openError returns the error of a file that cannot be opened, nil for nil.
func (f *File) openError(err error) error {
	if err == nil {
		return nil
	}
	if hint := durable.LockHint(err); hint != "" {
		return exit.Usagef(hint, "--checkpoint %s: %v", f.name, err)
	}
	return exit.Errorf(exit.Output, "", "cannot open --checkpoint %s: %v", f.name, exit.WithoutPath(err))
}

// checkAbsent lets a run with --resume start without a checkpoint, unless a file has content of unknown origin.
func (f *File) checkAbsent() error {
	for name, file := range f.data {
		if file.Size() > 0 {
			return exit.Usagef("is the checkpoint's name right? to start over, leave --resume out",
				"there is no checkpoint %s, and --%s %s is not empty", f.name, name, file.Name())
		}
	}
	return nil
}

// parametersInOrder returns the names of parameters in the order in which they are compared: other fields, or other
// defaults, follow from another command.
func parametersInOrder(parameters map[string]string) []string {
	names := slices.Sorted(maps.Keys(parameters))
	if i := slices.Index(names, Command); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, Command)
	}
	return names
}

// check returns a usage error if the run cannot continue from a Checkpoint, since the parameters or the files differ.
func (f *File) check(from *Checkpoint) error {
	const hint = "give the same flags as before; " + startOverHint
	for _, name := range parametersInOrder(f.parameters) {
		before, given := from.Parameters[name]
		now := f.parameters[name]
		if name == Command && !given {
			before, given = "scan", true
		}
		switch {
		case !given:
			return exit.Usagef(hint, "cannot resume from --checkpoint %s: it is the checkpoint of a scan without %s",
				f.name, flagOf(name))
		case name == Endpoints && haveCommon(strings.Fields(before), strings.Fields(now)):
			f.parameters[name] = before // all later runs are compared with the URLs of the first run
		case before != now:
			const message = "cannot resume from --checkpoint %s: it is the checkpoint of another scan, whose %s is %q and not %q"
			return exit.Usagef(hint, message, f.name, flagOf(name), before, now)
		}
	}
	for name := range from.Parameters {
		if _, ok := f.parameters[name]; !ok {
			return exit.Usagef(hint, "cannot resume from --checkpoint %s: it is the checkpoint of a scan with %s",
				f.name, flagOf(name))
		}
	}
	for name, file := range f.data {
		if err := file.Check(from.Positions[name]); err != nil {
			return exit.Usagef("name the file of that run; "+startOverHint,
				"cannot resume with --%s %s: %v", name, file.Name(), err)
		}
	}
	return nil
}

// flagOf returns how the user wrote a parameter: as a flag, or as a part of the argument.
func flagOf(parameter string) string {
	switch parameter {
	case "bucket", "prefix", Command:
		return parameter
	case Endpoints:
		return "--endpoint-url"
	}
	return "--" + parameter
}

func haveCommon(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// SaveInitial replaces the checkpoint of an earlier run by one with no progress in ranges. It must be called before the
// files are truncated, so that they keep their content if the checkpoint cannot be written. No later run resumes from
// the old checkpoint. Its error is that of Save, or of a file of which the checkpoint holds a Position.
func (f *File) SaveInitial(ranges []list.Range) error {
	at := &Checkpoint{Rest: ranges, Positions: map[string]Position{}}
	for name, file := range f.data {
		var err error
		if at.Positions[name], err = file.Start(); err != nil {
			return err
		}
		if err := durable.SyncFolder(filepath.Dir(file.Name())); err != nil { // the file may be new in its folder
			return err
		}
	}
	return f.Save(at)
}

// Save replaces the checkpoint by at. The files up to at's Positions must be on disk. Whenever the machine stops, the
// file is either the old checkpoint or the new one.
func (f *File) Save(at *Checkpoint) error {
	at.Parameters = f.parameters
	text, err := at.Encode()
	if err != nil {
		return err
	}
	temp := TempName(f.path)
	if err = os.Remove(temp); err == nil || errors.Is(err, fs.ErrNotExist) { // a killed run leaves one
		err = durable.Replace(f.path, temp, text)
	}
	switch {
	case err != nil && f.exists:
		return exit.WithHint(err, "the checkpoint before this one is kept: --resume continues from there")
	case err != nil:
		return err
	}
	f.exists = true
	return nil
}

// TempName returns the name of the temporary file that replaces a checkpoint.
func TempName(name string) string { return name + ".headcount-tmp" }
