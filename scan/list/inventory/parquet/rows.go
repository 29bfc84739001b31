package parquet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// Rows reads the values of some Columns of a File, row by row. One goroutine uses it. Its texts are valid until the
// next row.
type Rows struct {
	file    *File
	columns []*columnReader
	group   int   // the next row group
	left    int64 // rows of the group that is read
	row     int64 // rows that were read
}

// Rows returns the rows of the Columns from a row on, counted from 0. Those before it are not decoded where they fill
// a row group.
func (f *File) Rows(columns []Column, from int64) (*Rows, error) {
	r := &Rows{file: f}
	for _, c := range columns {
		r.columns = append(r.columns, &columnReader{Column: c})
	}
	for r.group < len(f.groups) && f.groups[r.group].rows <= from-r.row {
		r.row += max(0, f.groups[r.group].rows)
		r.group++
	}
	for r.row < from {
		if err := r.Next(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Next reads the next row. Its error is io.EOF after the last one.
func (r *Rows) Next() error {
	for r.left <= 0 {
		if r.group >= len(r.file.groups) {
			return io.EOF
		}
		if err := r.openGroup(&r.file.groups[r.group]); err != nil {
			return fmt.Errorf("row group %d: %w", r.group+1, err)
		}
		r.group++
	}
	for _, c := range r.columns {
		if err := c.next(); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errCutOff
			}
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	r.left--
	r.row++
	return nil
}

var errCutOff = errors.New("the values end before the rows do")

func (r *Rows) openGroup(g *rowGroup) error {
	r.left = g.rows
	for _, c := range r.columns {
		if c.leaf >= len(g.chunks) {
			return fmt.Errorf("there is no column %s", c.Name)
		}
		chunk := &g.chunks[c.leaf]
		if chunk.start < 0 || chunk.size < 0 || chunk.start > r.file.size-chunk.size {
			return fmt.Errorf("column %s lies outside the file", c.Name)
		}
		if chunk.elsewhere || chunk.physical != c.physical {
			return fmt.Errorf("column %s is another one than in the schema", c.Name)
		}
		c.open(io.NewSectionReader(r.file.in, chunk.start, chunk.size), chunk.codec)
	}
	return nil
}

// Null reports whether the n-th Column has no value.
func (r *Rows) Null(n int) bool { return r.columns[n].null }

// Text returns the value of the n-th Column, of the type Text.
func (r *Rows) Text(n int) []byte { return r.columns[n].text }

// Int returns the value of the n-th Column, of the type Int.
func (r *Rows) Int(n int) int64 { return r.columns[n].int }

// Bool returns the value of the n-th Column, of the type Bool.
func (r *Rows) Bool(n int) bool { return r.columns[n].int != 0 }

// Time returns the value of the n-th Column, of the type Time.
func (r *Rows) Time(n int) time.Time {
	value := r.columns[n].int
	switch r.columns[n].unit {
	case time.Nanosecond:
		return time.Unix(0, value).UTC()
	case time.Microsecond:
		return time.UnixMicro(value).UTC()
	}
	return time.UnixMilli(value).UTC()
}

// columnReader reads the values of one column in a row group.
type columnReader struct {
	Column
	in    *bufio.Reader // the pages
	codec format.CompressionCodec
	zstd  *zstd.Decoder // made once it is needed

	compressed, page []byte // of the current page
	dictionaryPage   []byte
	dictionary       []value // of the row group; its texts lie in dictionaryPage

	left    int        // levels of the page that were not read
	levels  rle        // 1: there is a value
	indexes rle        // into the dictionary
	values  valueBytes // of a page in the encoding PLAIN
	deltas  deltas
	source  func(*columnReader) (value, error)

	null bool
	value
}

// value is a value of any Type.
type value struct {
	text []byte
	int  int64 // 1 for true
}

// chunkBufferBytes is what is read of a file at once, for each column.
const chunkBufferBytes = 16 << 10

func (c *columnReader) open(in io.Reader, codec format.CompressionCodec) {
	if c.in == nil {
		c.in = bufio.NewReaderSize(nil, chunkBufferBytes)
	}
	c.in.Reset(in)
	c.codec, c.left, c.dictionary = codec, 0, nil
}

// next reads the value of the next row.
func (c *columnReader) next() error {
	for c.left == 0 {
		if err := c.nextPage(); err != nil {
			return err
		}
	}
	c.left--
	if c.null = false; c.optional {
		defined, err := c.levels.next()
		if c.null = defined == 0; c.null || err != nil {
			c.value = value{}
			return err
		}
	}
	var err error
	c.value, err = c.source(c)
	return err
}

// fromDictionary reads an index.
func fromDictionary(c *columnReader) (value, error) {
	index, err := c.indexes.next()
	if err != nil {
		return value{}, err
	}
	if int64(index) >= int64(len(c.dictionary)) {
		return value{}, fmt.Errorf("value %d of a dictionary of %d", index+1, len(c.dictionary))
	}
	return c.dictionary[index], nil
}

// fromPage reads a value in the encoding PLAIN.
func fromPage(c *columnReader) (value, error) { return c.values.next(c.physical) }

// fromRuns reads a bool in the encoding RLE.
func fromRuns(c *columnReader) (value, error) {
	bit, err := c.indexes.next()
	return value{int: int64(bit)}, err
}
