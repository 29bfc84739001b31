package output

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"headcount/output/console"
	"headcount/scan/checkpoint"
	"headcount/scan/durable"
	"headcount/scan/exit"
)

// File is a Destination that a later process can continue: the process passes the Position of a checkpoint to Check and
// Truncate, and writes on from there. One goroutine uses a File.
//
// The name of a File chooses its compression (Compression). Each Sync ends a frame, so that the file can be cut there.
//
// A File can also be a device or a pipe. No later process can continue it, and it has no Position.
type File struct {
	name      string
	f         *os.File
	regular   bool        // no device or pipe
	created   bool        // by OpenFile
	w         io.Writer   // to f
	size      int64       // bytes that are in f
	newFrame  frameWriter // nil: no compression
	frame     io.WriteCloser
	truncated bool // the run has begun to write
	closed    bool
	err       error // of the first Write or Sync that failed: the bytes in f are in doubt since then
}

// OpenFile opens a file, or creates it, and locks it until Close. It does not change what the file holds; Truncate
// does. Its error is durable.ErrLocked if another process has locked the file.
//
// It opens a device or a pipe to write only, without a lock. It waits for the reader of a named pipe, and a later Write
// waits for the reader to read, until the end of ctx.
func OpenFile(ctx context.Context, name string) (*File, error) {
	file := &File{name: name, newFrame: newFrameWriter(Compression(name))}
	if info, err := os.Stat(name); err == nil && isStream(info) {
		if file.f, err = OpenStream(ctx, name); err != nil {
			return nil, err
		}
		file.w = streamWriter(ctx, file.f)
		return file, nil
	}
	var err error
	if file.f, file.created, err = durable.OpenLocked(durable.Resolve(name)); err != nil {
		return nil, err
	}
	file.regular, file.w = true, file.f
	return file, nil
}

// Name returns the name that the file was opened by.
func (f *File) Name() string { return f.name }

// Size returns how many bytes the file has on disk, and 0 for a device or a pipe.
func (f *File) Size() int64 {
	if info, err := f.f.Stat(); err == nil && f.regular {
		return info.Size()
	}
	return 0
}

// Empty reports whether the file has no content behind which this run writes.
func (f *File) Empty() bool { return f.size == 0 && f.frame == nil }

// Columns returns how many characters fit into a line of the terminal that the file is; 0: it is no terminal.
func (f *File) Columns() int { return console.Columns(f.f) }

// CheckContinuable returns an error if no later process can continue the file: it is a device or a pipe, or cannot be
// read.
func (f *File) CheckContinuable() error {
	if !f.regular {
		return errors.New("not a regular file")
	}
	if _, err := f.f.ReadAt(make([]byte, 1), 0); err != nil && err != io.EOF {
		return errors.New("it cannot be read")
	}
	return nil
}

// Check returns an error if at is no Position of this file. It does not change the file.
func (f *File) Check(at checkpoint.Position) error {
	size := f.Size()
	if size < at.Bytes {
		return fmt.Errorf("the file has %d bytes, and the checkpoint says %d: it was cut, or is another file",
			size, at.Bytes)
	}
	tail, err := f.tailHash(at.Bytes)
	if err != nil {
		return err
	}
	if path, err := filepath.Abs(f.name); at.Bytes == 0 && size > 0 && (err != nil || path != at.Path) {
		return fmt.Errorf("the file has %d bytes, and the checkpoint says 0: it is not %s", size, at.Path)
	}
	if tail != at.Tail {
		return fmt.Errorf("the bytes before byte %d differ from those that were written: the file was changed, "+
			"or is another file", at.Bytes)
	}
	return nil
}

// Truncate drops what the file holds behind a Position, and the next Write begins there. The zero Position drops
// everything. It does nothing to a device or a pipe.
func (f *File) Truncate(at checkpoint.Position) error {
	if !f.regular {
		f.truncated = true
		return nil
	}
	if err := f.f.Truncate(at.Bytes); err != nil {
		return err
	}
	f.size, f.truncated = at.Bytes, true
	_, err := f.f.Seek(at.Bytes, io.SeekStart)
	return err
}

// Write writes p, compressed if the name says so; then a part of it may stay in memory until Sync or Close. If a Write
// fails, the File removes the incomplete part of p. If it cannot do that, as in a compressed file, every later call
// fails too.
func (f *File) Write(p []byte) (n int, err error) {
	if f.err != nil {
		return 0, f.err
	}
	if f.newFrame == nil {
		before := f.size
		if n, err = f.countingWriter().Write(p); err != nil {
			f.err = f.rollback(before, err)
		}
		return n, err
	}
	if f.frame == nil {
		f.frame, f.err = f.newFrame(f.countingWriter())
	}
	if f.err == nil {
		n, f.err = f.frame.Write(p)
	}
	return n, f.err
}

// rollback drops what a Write that failed with cause has left behind a size. It returns nil if the file has that size
// again.
func (f *File) rollback(size int64, cause error) error {
	if !f.regular {
		return cause
	}
	if err := f.f.Truncate(size); err != nil {
		return err
	}
	f.size = size
	_, err := f.f.Seek(size, io.SeekStart)
	return err
}

// countingWriter returns a Writer to the open file that adds to f.size.
func (f *File) countingWriter() io.Writer { return (*countingFile)(f) }

type countingFile File

func (c *countingFile) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.size += int64(n)
	return n, err
}

// Sync returns when all written bytes are on disk, and the Position behind them. It fails after a Write that left an
// incomplete part.
func (f *File) Sync() (checkpoint.Position, error) {
	if err := f.flush(); err != nil || !f.regular {
		return checkpoint.Position{}, err
	}
	return f.positionAt(f.size)
}

// flush ends the current frame, and returns when all written bytes are on disk.
func (f *File) flush() error {
	if err := f.endFrame(); err != nil || !f.regular {
		return err
	}
	// Every later flush fails too: Linux reports a failed writeback once, and the next fsync returns nil.
	f.err = f.f.Sync()
	return f.err
}

// Start returns the Position before the first byte.
func (f *File) Start() (checkpoint.Position, error) { return f.positionAt(0) }

func (f *File) positionAt(size int64) (checkpoint.Position, error) {
	tail, err := f.tailHash(size)
	if err != nil {
		return checkpoint.Position{}, err
	}
	path, err := filepath.Abs(f.name)
	return checkpoint.Position{Bytes: size, Tail: tail, Path: path}, err
}

// tailBytes is how many bytes before a Position are hashed: some records, which two files hardly share.
const tailBytes = 4 << 10

// tailHash returns the hash of the last bytes before a size.
func (f *File) tailHash(size int64) (string, error) {
	tail := make([]byte, min(size, tailBytes))
	if _, err := f.f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(tail)), nil
}

// endFrame ends the current frame, if there is one.
func (f *File) endFrame() error {
	if f.err != nil || f.frame == nil {
		return f.err
	}
	f.err = f.frame.Close()
	f.frame = nil
	return f.err
}

// Close ends the last frame, and closes the file when all its bytes are on disk. Some file systems report a full disk
// only now. Its error says so if another program has replaced the file. A file that OpenFile created, and that was
// neither truncated nor written, is removed. A second Close does nothing.
func (f *File) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	switch untouched := !f.truncated && f.size == 0 && f.frame == nil; {
	case untouched && f.created:
		durable.CloseAndRemove(f.f)
		return nil
	case untouched:
		return f.f.Close()
	}
	var err error
	if f.size == 0 && f.frame == nil && f.newFrame != nil {
		_, err = f.Write(nil) // an empty frame: a file of no bytes is not a compressed file
	}
	if err == nil {
		err = f.flush()
	}
	if err == nil && f.regular {
		err = f.checkOurs()
	}
	return cmp.Or(err, f.f.Close())
}

// checkOurs returns an error if another program has replaced the file, or changed its length. A lock does not keep out
// a program that asks for none.
func (f *File) checkOurs() error {
	const hint = "let no other program write this file, and scan again"
	switch {
	case !durable.LeadsTo(f.f.Name(), f.f):
		err := fmt.Errorf("%s was replaced or removed by another program while the run wrote it", f.name)
		return exit.WithHint(err, hint)
	case f.Size() != f.size:
		return exit.WithHint(fmt.Errorf("%s was changed by another program while the run wrote it", f.name), hint)
	}
	return nil
}
