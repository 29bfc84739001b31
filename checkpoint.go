package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"headcount/output"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
	"headcount/scan/list"
)

// checkpointFile is the file in which a run keeps where it stands, and from which another one goes on.
type checkpointFile struct {
	name       string
	parameters map[string]string // what the result depends on
	files      map[string]*output.File
}

// freshHint is how to begin again where an earlier run cannot be gone on with.
const freshHint = "to begin anew, remove the checkpoint and leave --resume out"

// parameters are what the records of a job depend on. A store that is reached by several URLs is the same one as long as they have
// one in common.
func (job *scanJob) parameters(urls []string) map[string]string {
	p := map[string]string{
		"bucket": job.store.Bucket, "prefix": job.scan.Prefix, "start-after": job.scan.Range.After, "end-at": job.scan.Range.Through,
		"all": fmt.Sprint(job.scan.All), "output": "standard output", "endpoints": strings.Join(urls, " "),
	}
	var fields []string
	for _, f := range job.fields {
		fields = append(fields, f.Name)
	}
	p["fields"] = strings.Join(fields, ",")
	if job.demo {
		p["endpoints"] = "demo" // whose port is another each time
	}
	if job.names.output != "" {
		p["output"] = "file " + output.Compression(job.names.output)
	}
	if job.names.errors != "" {
		p["errors"] = "file " + output.Compression(job.names.errors)
	}
	if job.scan.Limit > 0 {
		p["limit"] = fmt.Sprint(job.scan.Limit)
	}
	if job.scan.Keys != nil {
		p["retry-from"] = job.scan.Keys.Hash()
	}
	return p
}

// openCheckpoint finds out where an earlier run stood; nil: nowhere. It changes nothing.
func openCheckpoint(job *scanJob, urls []string, files *files) (c *checkpointFile, from *checkpoint.Checkpoint, err error) {
	if job.names.checkpoint == "" {
		return nil, nil, nil
	}
	c = &checkpointFile{name: job.names.checkpoint, parameters: job.parameters(urls), files: files.written()}
	for name, file := range c.files {
		if err := file.CheckRegular(); err != nil {
			return nil, nil, exit.Usagef("name a file, or leave --checkpoint out", "--%s %s cannot be gone on with: %v", name, file.Name(), err)
		}
	}
	text, err := os.ReadFile(c.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil, c.checkNew(job)
	case err != nil:
		return nil, nil, &openError{flag: "--checkpoint", name: c.name, err: err}
	}
	if from, err = checkpoint.Decode(text); err != nil {
		if job.resume {
			return nil, nil, exit.Usagef(freshHint, "cannot resume from %s: %v", c.name, err)
		}
		return nil, nil, exit.Usagef("remove it, or name another file", "--checkpoint %s holds something else: %v", c.name, err)
	}
	if !job.resume {
		if len(from.Rest) > 0 {
			return nil, nil, exit.Usagef("--resume goes on with it; to begin anew, remove it", "%s is of a run that is not complete", c.name)
		}
		return c, nil, nil
	}
	return c, from, c.check(from)
}

// checkNew lets --resume begin a run, so that one command line can be given again and again; but not over records of which nobody knows
// where they come from.
func (c *checkpointFile) checkNew(job *scanJob) error {
	if !job.resume {
		return nil
	}
	for name, file := range c.files {
		if file.Size() > 0 {
			return exit.Usagef("is the checkpoint's name right? to begin anew, leave --resume out",
				"there is no checkpoint %s, and --%s %s holds something", c.name, name, file.Name())
		}
	}
	return nil
}

// check says why a run cannot go on from there, or nil.
func (c *checkpointFile) check(from *checkpoint.Checkpoint) error {
	for _, name := range slices.Sorted(maps.Keys(c.parameters)) {
		before, now := from.Parameters[name], c.parameters[name]
		if name == "endpoints" && haveCommon(strings.Fields(before), strings.Fields(now)) {
			c.parameters[name] = before // so that from run to run it does not become another store
			continue
		}
		if before == now {
			continue
		}
		return exit.Usagef("give the same flags as before; "+freshHint, "cannot resume from %s: it is of another scan, whose %s is %q and not %q", c.name, name, before, now)
	}
	for name := range from.Parameters {
		if _, ok := c.parameters[name]; !ok {
			return exit.Usagef("give the same flags as before; "+freshHint, "cannot resume from %s: it is of a scan with --%s", c.name, name)
		}
	}
	for name, file := range c.files {
		if err := file.Check(from.Positions[name]); err != nil {
			return exit.Usagef("name the file of that run; "+freshHint, "cannot go on with --%s %s: %v", name, file.Name(), err)
		}
	}
	return nil
}

func haveCommon(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// begin replaces what an earlier run has left by a checkpoint at which nothing is done yet, before the files lose what they hold: so that
// they do not if there can be none, and that nobody goes on from the old one.
func (c *checkpointFile) begin(rng list.Range) error {
	at := &checkpoint.Checkpoint{Rest: []list.Range{rng}, Parameters: c.parameters, Positions: map[string]checkpoint.Position{}}
	for name, file := range c.files {
		var err error
		if at.Positions[name], err = file.Start(); err != nil {
			return err
		}
		if err := syncFolder(filepath.Dir(file.Name())); err != nil { // in which it may be new
			return err
		}
	}
	return c.replace(at)
}

// keep replaces the checkpoint. All that it speaks of is on disk already (scan.Sink.Sync); then it is, under a name of its own, then it has
// its name, and then that is on disk too. So whatever happens, one checkpoint is whole, and true.
func (c *checkpointFile) keep(at *checkpoint.Checkpoint) error {
	at.Parameters = c.parameters
	return c.replace(at)
}

func (c *checkpointFile) replace(at *checkpoint.Checkpoint) error {
	text, err := at.Encode()
	if err != nil {
		return err
	}
	return replaceFile(c.name, text)
}

// replaceFile gives a file another content at once and for good. (google/renameio does so too, but neither on Windows nor with the
// folder, and leaves a temporary file for each process that is killed.)
func replaceFile(name string, text []byte) error {
	next := nextName(name)
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that was killed
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
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
	if err := os.Rename(next, name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// nextName is the name that a file has before it replaces another.
func nextName(name string) string { return name + ".tmp" }

// syncFolder makes the names in a folder last. Some systems and file systems cannot, and need not.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return nil // one may be allowed to write there, and not to read
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && runtime.GOOS != "windows" && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
