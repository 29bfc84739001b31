package output

import (
	"io"

	"headcount/scan/checkpoint"
)

// Destination is where a sink writes its bytes: a File, or a Stream.
type Destination interface {
	io.Writer

	// Sync and Close are those of scan.Sink.
	Sync() (checkpoint.Position, error)
	Close() error
}

// Stream returns a Destination for a writer from which nothing can be taken back, such as standard output: it has no
// Position, and Close leaves w open.
func Stream(w io.Writer) Destination { return stream{w} }

type stream struct{ io.Writer }

func (stream) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (stream) Close() error                       { return nil }
