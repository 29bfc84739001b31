package output

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// atomicBytes is the longest text that a pipe takes as a whole or not at all.
// https://man7.org/linux/man-pages/man7/pipe.7.html (PIPE_BUF)
const atomicBytes = 4096

// stopWait is how long a write waits for a reader after the end of the context: a reader that is only slow gets the
// rest of a page.
const stopWait = time.Second

// pipeWriter writes to a pipe or a device, whose reader may never read. A Write that makes no progress ends stopWait
// after ctx, with the cause of ctx. It writes whole lines at once, so that a line is not cut if a pipe takes no more.
// The last byte of a text is the one that ends its lines: a line feed or, between keys, a NUL. It may be used
// concurrently.
type pipeWriter struct {
	ctx   context.Context
	w     io.Writer
	mu    sync.Mutex
	ended error // of a Write that was given up, and of all later ones
}

// NewPipeWriter returns a writer to a pipe or a device. A Write that waits for a reader ends soon after ctx.
func NewPipeWriter(ctx context.Context, w io.Writer) io.Writer { return &pipeWriter{ctx: ctx, w: w} }

// pipeWrite is a Write of a pipeWriter.
type pipeWrite struct {
	written atomic.Int64
	givenUp atomic.Bool
	done    chan error
}

func (p *pipeWriter) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		return 0, p.ended
	}
	write := &pipeWrite{done: make(chan error, 1)}
	go func() { write.done <- write.run(p.w, text) }()
	select {
	case err := <-write.done:
		return int(write.written.Load()), err
	case <-p.ctx.Done():
	}
	for before := int64(-1); before != write.written.Load(); {
		before = write.written.Load()
		select {
		case err := <-write.done:
			return int(write.written.Load()), err
		case <-time.After(stopWait):
		}
	}
	// The goroutine stays until the pipe has a reader, or the process ends.
	write.givenUp.Store(true)
	p.ended = context.Cause(p.ctx)
	return int(write.written.Load()), p.ended
}

// run writes text in pieces until the end, an error, or givenUp.
func (write *pipeWrite) run(w io.Writer, text []byte) error {
	for len(text) > 0 && !write.givenUp.Load() {
		n, err := w.Write(text[:pieceLength(text)])
		write.written.Add(int64(n))
		if err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// pieceLength returns how much of text a pipe takes at once, in whole lines if possible.
func pieceLength(text []byte) int {
	if len(text) <= atomicBytes {
		return len(text)
	}
	end := text[len(text)-1]
	if lines := bytes.LastIndexByte(text[:atomicBytes], end) + 1; lines > 0 {
		return lines
	}
	return atomicBytes
}

// OpenStream opens a device or a pipe to write. It does not open it to read too, since a process that can read its own
// pipe never gets the error that the reader went away. It waits for the reader of a named pipe, until the end of ctx.
func OpenStream(ctx context.Context, name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if !errors.Is(err, syscall.ENXIO) || !isNamedPipe(name) {
		return f, err
	}
	if isUnnamed(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EPIPE} // a lost reader does not come back
	}
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.f, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func isNamedPipe(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// isUnnamed reports whether the name of a pipe, as /dev/fd/63, leads to one that has no name in a folder.
func isUnnamed(name string) bool {
	for target, err := os.Readlink(name); err == nil; target, err = os.Readlink(target) {
		if strings.HasPrefix(target, "pipe:[") {
			return true
		}
	}
	return false
}
