package output

import (
	"io"

	"headcount/output/console"
	"headcount/scan/checkpoint"
)

// Destination is where a sink writes its bytes: a File or a Stream. Its methods are called from one goroutine.
type Destination interface {
	io.Writer

	// Sync and Close have the contracts of those of scan.Sink.
	Sync() (checkpoint.Position, error)
	Close() error
}

// Stream returns a Destination for a writer that cannot take bytes back, such as standard output. Its Sync returns the
// zero Position, and its Close leaves w open. What is written must be lines of JSON: on a terminal, characters that it
// would obey are escaped.
func Stream(w io.Writer) Destination {
	if console.IsTerminal(w) {
		w = console.JSONWriter(w)
	}
	return stream{w}
}

type stream struct{ io.Writer }

func (stream) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (stream) Close() error                       { return nil }
