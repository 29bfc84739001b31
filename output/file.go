package output

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"headcount/scan/checkpoint"
)

// File is a Destination that a later process can continue: the process passes the Position of a checkpoint to Check and
// Truncate, and writes on from there. One goroutine uses a File.
//
// The name of a File chooses its compression (Compression). Each Sync ends a frame, so that the file can be cut there.
type File struct {
	name      string
	f         *os.File
	size      int64       // bytes that are in f
	newFrame  frameWriter // nil: no compression
	frame     io.WriteCloser
	truncated bool
	closed    bool
	err       error // of the first Write or Sync that failed: the bytes in f are in doubt since then
}

// OpenFile opens a file, or creates it. It does not change what the file holds; Truncate does.
func OpenFile(name string) (*File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if errors.Is(err, fs.ErrPermission) { // the user may have the right to write only
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	}
	if err != nil {
		return nil, err
	}
	return &File{name: name, f: f, newFrame: newFrameWriter(Compression(name))}, nil
}

// Name returns the name that the file was opened by.
func (f *File) Name() string { return f.name }

// Stat returns the FileInfo of the open file.
func (f *File) Stat() (fs.FileInfo, error) { return f.f.Stat() }

// Size returns how many bytes the file has on disk, and 0 for a device or a pipe.
func (f *File) Size() int64 {
	if info, err := f.f.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}

// CheckRegular returns an error if no later process can continue the file, because it is a device or a pipe.
func (f *File) CheckRegular() error {
	if info, err := f.f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.New("not a regular file")
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

// Lock prevents other processes from locking the file until Close. It does not change the file.
func (f *File) Lock() error {
	if f.CheckRegular() != nil {
		return nil // several processes may write to a device or a pipe
	}
	return lock(f.f)
}

// Truncate drops what the file holds behind a Position, and the next Write begins there. The zero Position drops
// everything. It does nothing to a device or a pipe.
func (f *File) Truncate(at checkpoint.Position) error {
	if f.CheckRegular() != nil {
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
	if f.CheckRegular() != nil {
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
	n, err := c.f.Write(p)
	c.size += int64(n)
	return n, err
}

// Sync returns when all written bytes are on disk, and the Position behind them. It fails after a Write that left an
// incomplete part.
func (f *File) Sync() (checkpoint.Position, error) {
	if err := f.endFrame(); err != nil {
		return checkpoint.Position{}, err
	}
	if f.err = f.f.Sync(); f.err != nil {
		// Every later Sync fails too: Linux reports a failed writeback once, and the next fsync returns nil.
		return checkpoint.Position{}, f.err
	}
	return f.positionAt(f.size)
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

// Close ends the last frame and closes the file. Some file systems report a full disk only now. A second Close does
// nothing.
func (f *File) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	var err error
	if f.truncated && f.size == 0 && f.frame == nil && f.newFrame != nil {
		_, err = f.Write(nil) // an empty frame: a file of no bytes is not a compressed file
	}
	if err == nil {
		err = f.endFrame()
	}
	if closeErr := f.f.Close(); err == nil {
		err = closeErr
	}
	return err
}
