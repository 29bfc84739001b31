package fileset

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"

	"headcount/output"
	"headcount/scan"
	"headcount/scan/durable"
	"headcount/scan/exit"
)

// Document is a file whose content is replaced at the end of a run. Until then it keeps what an earlier run has
// written, even if the process is killed. The methods of a nil Document, for which the user named no file, do nothing.
type Document struct {
	name   string             // as the user wrote it
	path   string             // where it is: name without symbolic links
	stream output.Destination // a device or a pipe; nil: a file, which is not open
	guard  *durable.Guard     // of path
}

// OpenDocument checks that the file that a flag names can be written, and neither changes nor creates it. It locks its
// name until Finish or Close. It opens a device or a pipe, and waits for the reader of a named pipe until the end of
// ctx. It returns nil for an empty name. Its error is a usage error, has the code exit.Output, or is the cause of ctx's
// end.
func OpenDocument(ctx context.Context, flag, name string) (*Document, error) {
	if name == "" {
		return nil, nil
	}
	d := &Document{name: name, path: durable.Resolve(name)}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		err = cmp.Or(d.checkFolder(), d.lock())
	case info.Mode().IsRegular() || info.IsDir():
		err = cmp.Or(d.checkWritable(), d.lock())
	default:
		var f *os.File
		if f, err = output.OpenStream(ctx, name); err == nil {
			d.stream = output.Stream(ctx, f)
		}
	}
	if err != nil {
		return nil, openError(flag, name, err)
	}
	return d, nil
}

// checkWritable returns an error if the existing file cannot be written.
func (d *Document) checkWritable() error {
	f, err := os.OpenFile(d.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// checkFolder returns an error if the file cannot be created.
func (d *Document) checkFolder() error {
	temp := d.tempName()
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	return cmp.Or(f.Close(), os.Remove(temp))
}

// lock locks the name. Without the right to create the lock in the folder, it locks the file.
func (d *Document) lock() (err error) {
	d.guard, err = durable.LockName(d.path)
	if errors.Is(err, fs.ErrPermission) {
		d.guard, err = durable.LockFile(d.path)
	}
	return err
}

// tempName returns the name of a temporary file beside the file. It is another one each time, since a killed run
// leaves one.
func (d *Document) tempName() string {
	return fmt.Sprintf("%s.headcount-tmp-%016x", d.path, rand.Uint64())
}

// Finish replaces the content of the file by text. Its error is a scan.OutputError.
func (d *Document) Finish(text []byte) error {
	if d == nil {
		return nil
	}
	defer d.Close()
	var err error
	if d.stream != nil {
		_, err = d.stream.Write(text)
		err = cmp.Or(err, d.stream.Close())
	} else {
		err = durable.Replace(d.path, d.tempName(), text)
	}
	if errors.Is(err, fs.ErrPermission) && d.stream == nil {
		err = d.overwrite(text)
	}
	if err != nil {
		return &scan.OutputError{What: d.name, Err: exit.WithoutPath(err)}
	}
	return nil
}

// overwrite writes text over the content of a file that cannot be replaced, because of the rights to its folder.
func (d *Document) overwrite(text []byte) error {
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	return cmp.Or(err, f.Close())
}

// FinishJSON is Finish with the indented JSON of v. If v has no JSON, the file keeps its content.
func (d *Document) FinishJSON(v any) error {
	if d == nil {
		return nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		d.Close()
		return err
	}
	return d.Finish(append(text, '\n'))
}

// Close ends the use of a Document that gets no content. After Finish it does nothing.
func (d *Document) Close() {
	if d == nil {
		return
	}
	d.guard.Release()
	if d.stream != nil {
		_ = d.stream.Close() // nothing was written since Finish
	}
}
