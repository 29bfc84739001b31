package output

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"headcount/scan/checkpoint"
)

// File is a file that is written from front to back, and that a later process can go on with. It belongs to one goroutine.
//
// One whose name ends in .gz or .zst is compressed: a gzip file is any number of members (RFC 1952 §2.2), a Zstandard file of frames
// (RFC 8878 §3), one after the other, and each Sync ends one, so that the file can be cut there.
type File struct {
	name      string
	f         *os.File
	size      int64                                   // bytes that are in f
	newFrame  func(io.Writer) (io.WriteCloser, error) // a member or a frame; nil: nothing is compressed
	truncated bool                                    // what it held before is dropped
	frame     io.WriteCloser                          // the one that is not ended yet, or nil
	closed    bool
	err       error // of the first Write that failed: what lies in f is in doubt since
}

// OpenFile opens a file, or makes it. It changes nothing of what the file holds: Begin does.
func OpenFile(name string) (*File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if errors.Is(err, fs.ErrPermission) { // one may be allowed to write and not to read
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	}
	if err != nil {
		return nil, err
	}
	file := &File{name: name, f: f}
	switch Compression(name) {
	case "gzip":
		file.newFrame = func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) }
	case "zstd":
		// In this goroutine: the workers have all cores.
		file.newFrame = func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(zstdWindow))
		}
	}
	return file, nil
}

// Compression is how a file of that name is compressed: "gzip", "zstd", or "".
func Compression(name string) string {
	switch {
	case strings.HasSuffix(name, ".gz"):
		return "gzip"
	case strings.HasSuffix(name, ".zst"):
		return "zstd"
	}
	return ""
}

func (f *File) Name() string { return f.name }

// Stat is that of the file underneath.
func (f *File) Stat() (fs.FileInfo, error) { return f.f.Stat() }

// Size is how many bytes there are, 0 where that says nothing.
func (f *File) Size() int64 {
	if info, err := f.f.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}

// CheckRegular says why no later process could go on with the file, or nil.
func (f *File) CheckRegular() error {
	if info, err := f.f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.New("it is no regular file")
	}
	return nil
}

// zstdWindow is as far back as records repeat themselves; the default of the level takes 20 MB more.
const zstdWindow = 1 << 20

// tailBytes is how much before a position is hashed: some records, which hardly two files share.
const tailBytes = 4 << 10

// tailHash is the hash of what lies before a place.
func (f *File) tailHash(at int64) (string, error) {
	text := make([]byte, min(at, tailBytes))
	if _, err := f.f.ReadAt(text, at-int64(len(text))); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(text)), nil
}

// Check says why the file is not the one of which at is a place, or nil.
func (f *File) Check(at checkpoint.Position) error {
	size := f.Size()
	if size < at.Bytes {
		return fmt.Errorf("it has %d bytes, and had %d: it was cut, or is another file", size, at.Bytes)
	}
	tail, err := f.tailHash(at.Bytes)
	if err != nil {
		return err
	}
	if path, err := filepath.Abs(f.name); at.Bytes == 0 && size > 0 && (err != nil || path != at.Path) {
		return fmt.Errorf("nothing was written to it yet, and it holds something: it is not %s", at.Path)
	}
	if tail != at.Tail {
		return fmt.Errorf("its bytes up to %d are not those that were written: it was changed, or is another file", at.Bytes)
	}
	return nil
}

// Lock makes sure that nobody else is writing the file, until Close. It changes nothing of it.
func (f *File) Lock() error {
	if f.CheckRegular() != nil {
		return nil // a device or a pipe bears several
	}
	return lock(f.f)
}

// Truncate drops what the file holds after a place, the zero Position for all of it, and writes go on from there.
func (f *File) Truncate(at checkpoint.Position) error {
	if f.CheckRegular() != nil {
		return nil // a device or a pipe holds nothing
	}
	if err := f.f.Truncate(at.Bytes); err != nil {
		return err
	}
	f.size, f.truncated = at.Bytes, true
	_, err := f.f.Seek(at.Bytes, io.SeekStart)
	return err
}

// Write writes p, or what it is compressed to; of that some may be kept back until Sync or Close. After an error the file holds what was
// written before, if that can be had again, and otherwise nothing more is written.
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

// rollback drops what a Write that failed with err has left behind a place, and returns nil if it could.
func (f *File) rollback(place int64, err error) error {
	if f.CheckRegular() != nil {
		return err
	}
	if err := f.f.Truncate(place); err != nil {
		return err
	}
	f.size = place
	_, err = f.f.Seek(place, io.SeekStart)
	return err
}

// countingWriter writes to the file and counts.
func (f *File) countingWriter() io.Writer { return (*countingFile)(f) }

type countingFile File

func (c *countingFile) Write(p []byte) (int, error) {
	n, err := c.f.Write(p)
	c.size += int64(n)
	return n, err
}

// Sync returns when all that was written is on disk, and where that ends. It fails after a Write that failed.
func (f *File) Sync() (checkpoint.Position, error) {
	if err := f.endFrame(); err != nil {
		return checkpoint.Position{}, err
	}
	if f.err = f.f.Sync(); f.err != nil {
		return checkpoint.Position{}, f.err // for good: a system says so once, and then that all is well
	}
	return f.positionAt(f.size)
}

// positionAt is a place in the file.
func (f *File) positionAt(at int64) (checkpoint.Position, error) {
	tail, err := f.tailHash(at)
	if err != nil {
		return checkpoint.Position{}, err
	}
	path, err := filepath.Abs(f.name)
	return checkpoint.Position{Bytes: at, Tail: tail, Path: path}, err
}

// Start is the position before the first byte.
func (f *File) Start() (checkpoint.Position, error) { return f.positionAt(0) }

// endFrame ends the present member or frame.
func (f *File) endFrame() error {
	if f.err != nil || f.frame == nil {
		return f.err
	}
	f.err = f.frame.Close()
	f.frame = nil
	return f.err
}

// Close ends the file and closes it. Some file systems tell only now that there was no room. A second Close does nothing.
func (f *File) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	var err error
	if f.truncated && f.size == 0 && f.frame == nil && f.newFrame != nil {
		_, err = f.Write(nil) // an empty member or frame, since an empty file is none
	}
	if err == nil {
		err = f.endFrame()
	}
	if closeErr := f.f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// OpenToRead opens a file that a File has written, unpacked.
func OpenToRead(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	text := decompressedFile{f, f}
	switch Compression(name) {
	case "gzip":
		text.Reader, err = gzip.NewReader(f)
	case "zstd":
		text.Reader, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1)) // without goroutines that would have to be ended
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return text, nil
}

type decompressedFile struct {
	io.Reader
	io.Closer
}
