package output

import (
	"cmp"
	"fmt"
	"sync"

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
	"headcount/scan/list"
)

// chunkBytes is the first size of a Chunk's buffer: enough for the smallest batch. A buffer that grew is used again as
// it is.
const chunkBytes = 1 << 10

// lineEncoder writes Records as text. Its methods may be called concurrently.
type lineEncoder interface {
	// header returns what an output begins with, before the first Record; it may be empty.
	header() []byte

	// appendLine appends a Record, and what ends it. Its error says that the format cannot hold the Record.
	appendLine(dst []byte, r *scan.Record) ([]byte, error)
}

// Lines is the Sink of all formats that are text: each Record is a text of its own, and the output is these texts, one
// after the other. It writes each page with one Write, during Commit only.
type Lines struct {
	to      Destination
	encoder lineEncoder
	free    sync.Pool // of *linesChunk
	page    []byte    // the lines of the page that is committed
}

func newLines(to Destination, encoder lineEncoder) *Lines { return &Lines{to: to, encoder: encoder} }

// Start writes the header, if the format has one and the Destination is empty.
func (s *Lines) Start() error {
	header := s.encoder.header()
	if len(header) == 0 || !s.to.Empty() {
		return nil
	}
	_, err := s.to.Write(header)
	return err
}

// NewChunk returns an empty Chunk.
func (s *Lines) NewChunk() scan.Chunk {
	if c, ok := s.free.Get().(*linesChunk); ok {
		return c
	}
	return &linesChunk{encoder: s.encoder, lines: make([]byte, 0, chunkBytes)}
}

// Commit writes the lines of one page, or nothing if the format cannot hold one of its Records.
func (s *Lines) Commit(_ *list.Page, chunks []scan.Chunk) error {
	s.page = s.page[:0]
	for _, c := range chunks {
		chunk, ok := c.(*linesChunk)
		if !ok {
			return fmt.Errorf("a chunk of another sink: %T", c)
		}
		if chunk.err != nil {
			return chunk.err
		}
		s.page = append(s.page, chunk.lines...)
		chunk.lines = chunk.lines[:0]
		s.free.Put(chunk)
	}
	if len(s.page) == 0 {
		return nil
	}
	if _, err := s.to.Write(s.page); err != nil {
		return &lineError{err}
	}
	return nil
}

// lineError is a failed write of lines.
type lineError struct{ error }

func (e *lineError) Unwrap() error { return e.error }

// Hint implements the contract of package exit.
func (e *lineError) Hint() string {
	return cmp.Or(exit.Hint(e.error), "what was written before is whole lines; only the last may be cut")
}

// Sync returns the Position behind all committed lines, when they are on disk.
func (s *Lines) Sync() (checkpoint.Position, error) { return s.to.Sync() }

// Close closes the Destination.
func (s *Lines) Close() error { return s.to.Close() }

// linesChunk is a scan.Chunk of lines.
type linesChunk struct {
	encoder lineEncoder
	lines   []byte
	err     error // of the first Record that the format cannot hold
}

// Add appends the line of a Record.
func (c *linesChunk) Add(r *scan.Record) {
	lines, err := c.encoder.appendLine(c.lines, r)
	if c.lines = lines; err != nil && c.err == nil {
		c.err = err
	}
}
