package output

import (
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression returns how a file of that name is compressed: "gzip" (.gz), "zstd" (.zst), or "".
func Compression(name string) string {
	switch {
	case strings.HasSuffix(name, ".gz"):
		return "gzip"
	case strings.HasSuffix(name, ".zst"):
		return "zstd"
	}
	return ""
}

// frameWriter begins a frame: a gzip member or a Zstandard frame. A file is any number of them, one after the other
// (RFC 1952 §2.2, RFC 8878 §3).
type frameWriter func(io.Writer) (io.WriteCloser, error)

// newFrameWriter returns nil for a file that is not compressed.
func newFrameWriter(compression string) frameWriter {
	switch compression {
	case "gzip":
		return func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) }
	case "zstd":
		return func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w,
				zstd.WithEncoderConcurrency(1), // in this goroutine: the workers have all cores
				zstd.WithEncoderLevel(zstd.SpeedFastest),
				zstd.WithWindowSize(zstdWindow))
		}
	}
	return nil
}

// zstdWindow is the distance within which records repeat themselves. The level's default window takes 20 MB more
// memory.
const zstdWindow = 1 << 20

// zstdWindowMax bounds the memory for a file that another program has compressed: that of zstd --ultra -22.
const zstdWindowMax = 128 << 20

// OpenToRead opens a file that a File has written, and decompresses it.
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
		// In this goroutine: Close would have to end others.
		text.Reader, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindowMax))
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
