package fileset

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"

	"headcount/scan"
	"headcount/scan/exit"
)

// Document is a file whose content is replaced at the end of a run. Until then it keeps what an earlier run has
// written, even if the process is killed. The methods of a nil Document, for which the user named no file, do nothing.
type Document struct{ f *os.File }

// OpenDocument opens or creates the file that a flag names; it returns nil for an empty name. Its error has the code
// exit.Output.
func OpenDocument(flag, name string) (*Document, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, openError(flag, name, err)
	}
	return &Document{f: f}, nil
}

// Finish replaces the content of the file by text, and closes it. Its error is a scan.OutputError.
func (d *Document) Finish(text []byte) error {
	if d == nil {
		return nil
	}
	err := d.truncate()
	if err == nil {
		_, err = d.f.Write(text)
	}
	if err = cmp.Or(err, d.f.Close()); err != nil {
		return &scan.OutputError{What: d.f.Name(), Err: exit.WithoutPath(err)}
	}
	return nil
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

// Close closes the file, which keeps its content. After Finish it does nothing.
func (d *Document) Close() {
	if d != nil {
		_ = d.f.Close() // nothing was written since Finish
	}
}

// Stat returns the FileInfo of the file; nil: there is none.
func (d *Document) Stat() fs.FileInfo {
	if d == nil {
		return nil
	}
	return StreamInfo(d.f)
}

// truncate empties the file. A device or a pipe has no content to drop.
func (d *Document) truncate() error {
	if info := d.Stat(); info == nil || !info.Mode().IsRegular() {
		return nil
	}
	return d.f.Truncate(0)
}
