package command

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"headcount/output"
	"headcount/scan/exit"
)

// StandardOutput returns f, the standard output of the process, or a writer that always fails if f was closed when the
// process started, as by >&- in a shell.
func StandardOutput(f *os.File) io.Writer {
	if isStandIn(f) {
		return closedOutput{}
	}
	return f
}

// closedOutput is a standard output that is closed.
type closedOutput struct{}

func (closedOutput) Write([]byte) (int, error) {
	return 0, exit.WithHint(errors.New("standard output is closed"),
		"redirect it to a file; /dev/null must be opened for writing alone, as by > /dev/null")
}

// StandardError returns f, the standard error of the process. If it is a pipe, a write that waits for its reader ends
// soon after ctx: a reader who does not read must not keep a process that was told to stop.
func StandardError(ctx context.Context, f *os.File) io.Writer {
	if info, err := f.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return f
	}
	return &pipedError{Writer: output.NewPipeWriter(ctx, f), f: f}
}

// pipedError is a standard error that is a pipe.
type pipedError struct {
	io.Writer
	f *os.File
}

// Stat returns the FileInfo of the pipe, by which package fileset knows it from other files.
func (p *pipedError) Stat() (fs.FileInfo, error) { return p.f.Stat() }
