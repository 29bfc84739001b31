package output

import (
	"io"

	"headcount/scan"
)

// Destination is where a sink writes its bytes: a File, or a Stream.
type Destination interface {
	io.Writer

	// Sync and Close are those of scan.Sink.
	Sync() (scan.Position, error)
	Close() error
}

// Stream returns a Destination for a writer from which nothing can be taken back, such as standard output: it has no
// Position, and Close leaves w open.
func Stream(w io.Writer) Destination { return stream{w} }

type stream struct{ io.Writer }

func (stream) Sync() (scan.Position, error) { return scan.Position{}, nil }
func (stream) Close() error                 { return nil }
