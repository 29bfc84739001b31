// Package parquet reads the rows of a Parquet file from its beginning to its end, a page of each column at a time. It
// reads what an Inventory has: columns of texts, whole numbers, times and bools, one value or null in each row.
//
//   - A File is an open file. Its Columns are those that can be read; others, as lists, are left out.
//   - Rows are the values of some Columns, row by row.
//
// The reader of parquet-go can read every file, and would add 5 MB to the program, a fifth of it.
//
// https://parquet.apache.org/docs/file-format/
package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Type is the type of a Column's values.
type Type uint8

const (
	Text Type = iota // any bytes
	Int              // a whole number
	Time             // a whole number of milliseconds since 1970
	Bool
)

// Column is a column that can be read.
type Column struct {
	Name string
	Type Type

	leaf     int // among the columns of a row group
	physical format.Type
	optional bool
	unit     time.Duration // of a Time
}

// File is an open file. It never changes, and may be used concurrently.
type File struct {
	in      io.ReaderAt
	size    int64
	groups  []rowGroup
	columns []Column
}

// rowGroup is what is needed of a format.RowGroup.
type rowGroup struct {
	rows   int64
	chunks []chunk // one for each leaf of the schema
}

// chunk is the pages of a column in a row group.
type chunk struct {
	start, size int64
	physical    format.Type
	codec       format.CompressionCodec
	elsewhere   bool // in another file
}

func newRowGroup(g *format.RowGroup) rowGroup {
	group := rowGroup{rows: g.NumRows}
	for i := range g.Columns {
		m := &g.Columns[i].MetaData
		start := m.DataPageOffset
		if m.DictionaryPageOffset > 0 {
			start = min(start, m.DictionaryPageOffset)
		}
		group.chunks = append(group.chunks, chunk{
			start, m.TotalCompressedSize, m.Type, m.Codec, g.Columns[i].FilePath != "",
		})
	}
	return group
}

const (
	magic      = "PAR1"
	tailBytes  = 8 // the length of the footer, and the magic
	footerMax  = 64 << 20
	columnsMax = 10_000
)

// Open reads the footer of a file.
func Open(in io.ReaderAt, size int64) (*File, error) {
	var tail [tailBytes]byte
	if size < int64(len(magic))+tailBytes {
		return nil, errors.New("the file is too short for Parquet")
	}
	if err := readAt(in, tail[:], size-tailBytes); err != nil {
		return nil, err
	}
	if string(tail[4:]) != magic {
		return nil, fmt.Errorf("the file does not end with %s, as Parquet does", magic)
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > min(footerMax, size-tailBytes-int64(len(magic))) {
		return nil, fmt.Errorf("the footer cannot have %d bytes", length)
	}
	footer := make([]byte, length)
	if err := readAt(in, footer, size-tailBytes-length); err != nil {
		return nil, err
	}
	var metadata format.FileMetaData
	err := decode(func() error { return thrift.Unmarshal(new(thrift.CompactProtocol), footer, &metadata) })
	if err != nil {
		return nil, fmt.Errorf("the footer is damaged: %w", err)
	}
	f := &File{in: in, size: size}
	for i := range metadata.RowGroups {
		f.groups = append(f.groups, newRowGroup(&metadata.RowGroups[i]))
	}
	f.columns, err = readSchema(metadata.Schema)
	return f, err
}

func readAt(in io.ReaderAt, p []byte, at int64) error {
	n, err := in.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	return err
}

// decode calls a decoder of parquet-go, which is not made for damaged files. It returns a panic as an error.
func decode(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return do()
}

// readSchema returns the Columns among the children of the root.
func readSchema(schema []format.SchemaElement) (columns []Column, err error) {
	if len(schema) == 0 || len(schema) > columnsMax {
		return nil, fmt.Errorf("the schema has %d elements", len(schema))
	}
	leaf := 0
	for i := 1; i < len(schema); i++ {
		e := &schema[i]
		if e.NumChildren.V <= 0 {
			if c, ok := newColumn(e, leaf); ok {
				columns = append(columns, c)
			}
			leaf++
			continue
		}
		for nested := int(e.NumChildren.V); nested > 0 && i+1 < len(schema); nested-- { // they are no Columns
			i++
			if children := schema[i].NumChildren.V; children > 0 {
				nested += int(children)
			} else {
				leaf++
			}
		}
	}
	return columns, nil
}

func newColumn(e *format.SchemaElement, leaf int) (c Column, ok bool) {
	c = Column{Name: e.Name, leaf: leaf, physical: e.Type.V, optional: e.RepetitionType.V == format.Optional}
	switch e.Type.V {
	case format.ByteArray:
		c.Type = Text
	case format.Boolean:
		c.Type = Bool
	case format.Int32, format.Int64:
		c.Type, c.unit = Int, timeUnit(e)
		if c.unit != 0 {
			c.Type = Time
		}
	default:
		return c, false
	}
	return c, e.Type.Valid && e.RepetitionType.V != format.Repeated
}

// timeUnit returns the unit of the column of a timestamp, which has one of two spellings; 0: it is of numbers.
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#timestamp
func timeUnit(e *format.SchemaElement) time.Duration {
	if t, ok := e.LogicalType.Value.(*format.TimestampType); ok {
		switch t.Unit.Value.(type) {
		case *format.MicroSeconds:
			return time.Microsecond
		case *format.NanoSeconds:
			return time.Nanosecond
		}
		return time.Millisecond
	}
	switch {
	case !e.ConvertedType.Valid:
	case e.ConvertedType.V == deprecated.TimestampMillis:
		return time.Millisecond
	case e.ConvertedType.V == deprecated.TimestampMicros:
		return time.Microsecond
	}
	return 0
}

// Columns returns the columns that can be read.
func (f *File) Columns() []Column { return slices.Clone(f.columns) }
