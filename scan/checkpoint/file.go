package checkpoint

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"headcount/scan/exit"
	"headcount/scan/list"
)

// File is the checkpoint of a run, in a file with a name. It belongs to one goroutine at a time.
type File struct {
	name       string
	parameters map[string]string
	data       map[string]DataFile
}

// DataFile is a file of which a Checkpoint holds a Position, such as the records.
type DataFile interface {
	Name() string
	Size() int64              // 0 for anything but a regular file
	CheckRegular() error      // an error if a later run cannot continue the file
	Check(at Position) error  // an error if at is no Position of the file
	Start() (Position, error) // the Position before the first byte
}

// Endpoints is the parameter that holds the URLs of a store, separated by spaces. A store with several URLs is the same
// one as long as two runs have a URL in common. All other parameters must be equal.
const Endpoints = "endpoints"

// startOverHint is the hint of an error about an earlier run that cannot be continued.
const startOverHint = "to start over, remove the checkpoint and leave --resume out"

// Open reads the file with this name, if there is one. The run starts at the returned Checkpoint; nil: at the
// beginning. parameters are the settings on which the result of the run depends. data has the files that the run
// writes, by their names in Checkpoint.Positions. Open changes no file.
//
// With resume the run continues an earlier one, which must have had the same parameters and files. If there is no
// earlier one, the run starts at the beginning, so that a user can repeat one command line. Without resume Open refuses
// to replace the checkpoint of a run that is not complete. Its error is a usage error, or has the code exit.Output.
func Open(
	name string, resume bool, parameters map[string]string, data map[string]DataFile,
) (*File, *Checkpoint, error) {
	f := &File{name: name, parameters: parameters, data: data}
	for name, file := range data {
		if err := file.CheckRegular(); err != nil {
			return nil, nil, exit.Usagef("name a file, or leave --checkpoint out",
				"cannot resume with --%s %s: %v", name, file.Name(), err)
		}
	}
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && resume:
		return f, nil, f.checkAbsent()
	case errors.Is(err, fs.ErrNotExist):
		return f, nil, nil
	case err != nil:
		return nil, nil, f.openError(err)
	}
	from, err := Decode(text)
	switch {
	case err != nil && resume:
		return nil, nil, exit.Usagef(startOverHint, "cannot resume from %s: %v", name, err)
	case err != nil:
		return nil, nil, exit.Usagef("remove it, or name another file",
			"--checkpoint %s has other content: %v", name, err)
	case resume:
		return f, from, f.check(from)
	case len(from.Rest) > 0:
		return nil, nil, exit.Usagef("--resume continues that run; to start over, remove the file",
			"%s is the checkpoint of a run that is not complete", name)
	}
	return f, nil, nil
}

func (f *File) openError(err error) error {
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

// check returns a usage error if the run cannot continue from a Checkpoint, since the parameters or the files differ.
func (f *File) check(from *Checkpoint) error {
	const hint = "give the same flags as before; " + startOverHint
	for _, name := range slices.Sorted(maps.Keys(f.parameters)) {
		before, now := from.Parameters[name], f.parameters[name]
		switch {
		case name == Endpoints && haveCommon(strings.Fields(before), strings.Fields(now)):
			f.parameters[name] = before // all later runs are compared with the URLs of the first run
		case before != now:
			const message = "cannot resume from %s: it is the checkpoint of another scan, whose %s is %q and not %q"
			return exit.Usagef(hint, message, f.name, name, before, now)
		}
	}
	for name := range from.Parameters {
		if _, ok := f.parameters[name]; !ok {
			return exit.Usagef(hint, "cannot resume from %s: it is the checkpoint of a scan with --%s", f.name, name)
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

func haveCommon(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// SaveInitial replaces the checkpoint of an earlier run by one with no progress in rng. It must be called before the
// files are truncated, so that they keep their content if the checkpoint cannot be written. No later run resumes from
// the old checkpoint. Its error has the code exit.Output.
func (f *File) SaveInitial(rng list.Range) error {
	at := &Checkpoint{Rest: []list.Range{rng}, Positions: map[string]Position{}}
	for name, file := range f.data {
		var err error
		if at.Positions[name], err = file.Start(); err != nil {
			return f.openError(err)
		}
		if err := syncFolder(filepath.Dir(file.Name())); err != nil { // the file may be new in its folder
			return f.openError(err)
		}
	}
	if err := f.Save(at); err != nil {
		return f.openError(err)
	}
	return nil
}

// Save replaces the checkpoint by at. The files up to at's Positions must be on disk. Whenever the machine stops, the
// file is either the old checkpoint or the new one.
func (f *File) Save(at *Checkpoint) error {
	at.Parameters = f.parameters
	text, err := at.Encode()
	if err != nil {
		return err
	}
	if err := replaceFile(f.name, text); err != nil {
		return exit.WithHint(err, "the checkpoint before this one is kept: --resume continues from there")
	}
	return nil
}

// replaceFile replaces the content of a file. It writes the new content to disk under another name, renames that file,
// and writes the name to disk. google/renameio does not work on Windows, does not sync the folder, and leaves a
// temporary file for each process that is killed.
func replaceFile(name string, text []byte) error {
	temp := TempName(name)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) { // a killed run leaves one
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := cmp.Or(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// TempName returns the name of the temporary file that replaces a checkpoint.
func TempName(name string) string { return name + ".tmp" }

// syncFolder writes the names in a folder to disk. Some systems and file systems cannot do this, and do not need it.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return nil // the user may have the right to write there and not to read
	}
	defer folder.Close()
	err = folder.Sync()
	if runtime.GOOS == "windows" || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}
