package output

import (
	"fmt"
	"strconv"
	"sync"

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/list"
)

// chunkBytes is where a Chunk starts: the smallest batch. One that had to grow stays so.
const chunkBytes = 1 << 10

// JSONLines is a scan.Sink that writes each Record as a line of JSON.
//
// A line has the chosen Fields, and beside them, where it is so, "changed": true and "missing_meta": N, the metadata that
// the store has and could not send. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (MissingMeta)
type JSONLines struct {
	to     Destination
	fields []Field
	free   sync.Pool // of *lineChunk
	page   []byte    // the lines of the page that is being committed
}

// NewJSONLines returns a Sink that writes to a Destination, from Commit only, each page by one Write.
func NewJSONLines(to Destination, fields []Field) *JSONLines {
	return &JSONLines{to: to, fields: fields}
}

// NewChunk returns an empty Chunk, perhaps one that was committed.
func (l *JSONLines) NewChunk() scan.Chunk {
	if c, ok := l.free.Get().(*jsonChunk); ok {
		return c
	}
	return &jsonChunk{fields: l.fields, bytes: make([]byte, 0, chunkBytes)}
}

// Commit writes the lines of one page.
func (l *JSONLines) Commit(_ *list.Page, chunks []scan.Chunk) error {
	l.page = l.page[:0]
	for _, c := range chunks {
		chunk, ok := c.(*jsonChunk)
		if !ok {
			return fmt.Errorf("a chunk of another sink: %T", c)
		}
		l.page = append(l.page, chunk.bytes...)
		chunk.bytes = chunk.bytes[:0]
		l.free.Put(chunk)
	}
	if len(l.page) == 0 {
		return nil
	}
	_, err := l.to.Write(l.page)
	return err
}

// Sync returns the Position behind all committed lines, when they are on disk.
func (l *JSONLines) Sync() (checkpoint.Position, error) { return l.to.Sync() }

// Close closes the Destination.
func (l *JSONLines) Close() error { return l.to.Close() }

// jsonChunk is some lines.
type jsonChunk struct {
	fields []Field
	bytes  []byte
}

// Add appends the line of a Record.
func (c *jsonChunk) Add(r *scan.Record) {
	line := append(c.bytes, '{')
	for i := range c.fields {
		line = c.fields[i].add(line, r)
	}
	if r.Changed {
		line = append(line, `"changed":true,`...)
	}
	if missing := r.Head.Get("x-amz-missing-meta"); missing != nil {
		if n, err := strconv.ParseInt(string(missing), 10, 64); err == nil {
			line = append(strconv.AppendInt(append(line, `"missing_meta":`...), n, 10), ',')
		}
	}
	c.bytes = append(closed(line, '}'), '\n')
}
