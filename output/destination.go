package output

import (
	"context"
	"io"
	"io/fs"
	"os"

	"headcount/output/console"
	"headcount/scan/checkpoint"
)

// Destination is where a sink writes its bytes: a File or a Stream. Its methods are called from one goroutine.
type Destination interface {
	io.Writer

	// Empty reports whether it holds nothing yet, from this process or another one.
	Empty() bool

	// Columns returns how many characters fit into a line of the terminal that it is; 0: it is no terminal.
	Columns() int

	// Sync and Close have the contracts of those of scan.Sink.
	Sync() (checkpoint.Position, error)
	Close() error
}

// Stream returns a Destination for a writer that cannot take bytes back, such as standard output. Its Sync returns the
// zero Position, when a file has its bytes on disk. Its Close closes a file. A Write that waits for a reader ends soon
// after ctx. On a terminal, characters that it would obey are escaped: lines of JSON stay the same JSON.
func Stream(ctx context.Context, w io.Writer) Destination {
	f, ok := w.(*os.File)
	if !ok || f == nil {
		return &stream{Writer: w}
	}
	if isRegular(f) {
		return &stream{Writer: f, file: f, regular: true}
	}
	return &stream{Writer: streamWriter(ctx, f), file: f}
}

// streamWriter returns a Writer to an open device or pipe.
func streamWriter(ctx context.Context, f *os.File) io.Writer {
	w := NewPipeWriter(ctx, f)
	if console.IsTerminal(f) {
		return console.EscapingWriter(w)
	}
	return w
}

type stream struct {
	io.Writer
	file    *os.File // nil: another kind of writer
	regular bool     // the file has a disk
}

// Empty is true for a pipe: its reader began with this process.
func (s *stream) Empty() bool {
	if !s.regular {
		return true
	}
	info, err := s.file.Stat()
	return err == nil && info.Size() == 0
}

func (s *stream) Columns() int { return console.Columns(s.file) }

func (s *stream) Sync() (checkpoint.Position, error) {
	if !s.regular {
		return checkpoint.Position{}, nil
	}
	return checkpoint.Position{}, s.file.Sync()
}

func (s *stream) Close() error {
	if s.file == nil {
		return nil
	}
	_, err := s.Sync()
	if closeErr := s.file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// isRegular reports whether an open file is no device, pipe or socket.
func isRegular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// isStream reports whether a name leads to a device, a pipe or a socket: what cannot be cut or replaced.
func isStream(info fs.FileInfo) bool { return !info.Mode().IsRegular() && !info.IsDir() }
