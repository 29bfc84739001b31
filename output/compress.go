package output

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression returns how a file of that name is compressed: "gzip" (.gz), "zstd" (.zst), or "".
func Compression(name string) string {
	switch {
	case hasSuffix(name, ".gz"):
		return "gzip"
	case hasSuffix(name, ".zst"):
		return "zstd"
	}
	return ""
}

// OtherCompression returns the end of a name that promises a compression which is not written; empty: it has no such
// end.
func OtherCompression(name string) string {
	return suffixAmong(name, ".bz2", ".xz", ".lz4", ".br", ".sz", ".z", ".zip", ".7z", ".tgz")
}

// hasSuffix reports whether a name ends in a suffix, in lower or upper case.
func hasSuffix(name, suffix string) bool { return strings.HasSuffix(strings.ToLower(name), suffix) }

// suffixAmong returns the suffix that a name has; empty: none.
func suffixAmong(name string, suffixes ...string) string {
	if i := slices.IndexFunc(suffixes, func(suffix string) bool { return hasSuffix(name, suffix) }); i >= 0 {
		return suffixes[i]
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
