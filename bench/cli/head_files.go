package cli

import (
	"bytes"
	"cmp"
	"io"

	"github.com/urfave/cli/v2"

	"headcount/bench/heads"
	"headcount/output/fileset"
	"headcount/scan/command"
)

// headFile is a file that bench head writes.
type headFile struct {
	flag       string
	write      func(*heads.Report, io.Writer) error
	needsSteps bool // without a step the file keeps its content
	document   *fileset.Document
}

// headFiles are the files of one run.
type headFiles []headFile

// openHeadFiles opens the files that the command line names. They keep their content until finish. It refuses files
// that would overwrite each other, or the text on standard output or standard error.
func openHeadFiles(c *cli.Context) (headFiles, error) {
	files := headFiles{
		{flag: "json", write: (*heads.Report).WriteJSON},
		{flag: "benchfmt", write: (*heads.Report).WriteBenchmarks, needsSteps: true},
		{flag: "html", write: (*heads.Report).WritePage, needsSteps: true},
	}
	if err := files.open(c); err != nil {
		files.close()
		return nil, err
	}
	return files, nil
}

// close closes the files, which keep their content.
func (files headFiles) close() {
	for _, f := range files {
		f.document.Close()
	}
}

func (files headFiles) open(c *cli.Context) (err error) {
	named := []fileset.NamedFile{
		{Name: "standard output", Info: fileset.StreamInfo(command.Stdout(c))},
		{Name: "standard error", Info: fileset.StreamInfo(c.App.ErrWriter)},
	}
	for _, f := range files {
		named = append(named, fileset.Written("--"+f.flag, command.Get[string](c, f.flag)))
	}
	if err := fileset.CheckDistinct(append(named, fileset.AWSFiles()...)); err != nil {
		return err
	}
	for i := range files {
		f := &files[i]
		f.document, err = fileset.OpenDocument(c.Context, "--"+f.flag, command.Get[string](c, f.flag))
		if err != nil {
			return err
		}
	}
	return nil
}

// finish writes the report to all files, and returns the first error.
func (files headFiles) finish(r *heads.Report) (err error) {
	for _, f := range files {
		var text bytes.Buffer
		if f.document == nil || f.needsSteps && len(r.Steps) == 0 {
			f.document.Close()
			continue
		}
		err = cmp.Or(err, f.write(r, &text))
		if text.Len() == 0 { // no step had a result
			f.document.Close()
			continue
		}
		err = cmp.Or(err, f.document.Finish(text.Bytes()))
	}
	return err
}
