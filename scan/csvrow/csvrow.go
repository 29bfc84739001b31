package csvrow

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrOpenQuote is the error of a cell whose last quote is missing.
var ErrOpenQuote = fmt.Errorf("the quotes of a cell are not closed: %w", io.ErrUnexpectedEOF)

// ErrQuote is wrapped by the error of a quote in the wrong place.
var ErrQuote = errors.New("a quote")

// Reader reads rows, one after the other. It belongs to one goroutine. Make it with NewReader.
type Reader struct {
	// OpenEnd accepts a last row without a line feed. Otherwise the text may have been cut there, and the error is
	// io.ErrUnexpectedEOF.
	OpenEnd bool

	r    *bufio.Reader
	max  int    // bytes of the cells of a row
	text []byte // of all cells of the row
	row  []Cell
}

// Cell is a cell of a row.
type Cell struct {
	Text   []byte
	Quoted bool // an empty Cell in quotes is a text, and one without is absent
}

// NewReader returns a Reader of the rows of r. A row with more than max bytes in its cells is an error. The Reader
// takes no byte behind the last row that Next has returned.
func NewReader(r *bufio.Reader, max int) *Reader { return &Reader{r: r, max: max} }

// Next returns the next row, which is valid until the next call, or io.EOF.
func (c *Reader) Next() ([]Cell, error) {
	if _, err := c.r.Peek(1); err != nil {
		return nil, err
	}
	c.text, c.row = c.text[:0], c.row[:0]
	var lengths []int
	for end := byte(','); end == ','; {
		before := len(c.text)
		quoted, next, err := c.readCell()
		switch {
		case err == io.EOF && c.OpenEnd:
			next = '\n'
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		c.row, lengths, end = append(c.row, Cell{Quoted: quoted}), append(lengths, len(c.text)-before), next
	}
	text := c.text
	for i, n := range lengths {
		c.row[i].Text, text = text[:n], text[n:]
	}
	return c.row, nil
}

// readCell appends the text of a cell to c.text, and returns the byte behind the cell: a comma or a line feed.
func (c *Reader) readCell() (quoted bool, end byte, err error) {
	from := len(c.text)
	end, err = c.r.ReadByte()
	if quoted = end == '"'; quoted {
		if end, err = c.readQuoted(); end == '\r' {
			end, err = c.r.ReadByte()
		}
		if err == nil && end != ',' && end != '\n' {
			err = fmt.Errorf("%w is not the last character of its cell", ErrQuote)
		}
		return quoted, end, err
	}
	for err == nil && end != ',' && end != '\n' {
		if end == '"' {
			return quoted, end, fmt.Errorf("%w is not the first character of its cell", ErrQuote)
		}
		if err = c.append(end); err == nil {
			end, err = c.r.ReadByte()
		}
	}
	if len(c.text) > from && (end == '\n' || err == io.EOF) {
		c.text = bytes.TrimSuffix(c.text, []byte{'\r'})
	}
	return quoted, end, err
}

// readQuoted appends the text of a cell behind its first quote, and returns the byte behind its last quote.
func (c *Reader) readQuoted() (end byte, err error) {
	for {
		text, err := c.r.ReadSlice('"')
		if err := c.append(text...); err != nil {
			return 0, err
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF {
			err = ErrOpenQuote
		}
		if err != nil {
			return 0, err
		}
		if end, err = c.r.ReadByte(); err != nil || end != '"' {
			c.text = bytes.TrimSuffix(c.text, []byte{'"'})
			return end, err
		}
	}
}

// append appends to the text of the row.
func (c *Reader) append(text ...byte) error {
	if len(c.text)+len(text) > c.max {
		return fmt.Errorf("it has more than %d bytes", c.max)
	}
	c.text = append(c.text, text...)
	return nil
}
