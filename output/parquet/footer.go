package parquet

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// rowGroup is the description of a row group. It is format.RowGroup without the ordinal, which parquet-go always
// writes: in 16 bits, too few for a file of 100,000 row groups. Only readers of encrypted files need it.
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
type rowGroup struct {
	Columns             []format.ColumnChunk `thrift:"1,required"`
	TotalByteSize       int64                `thrift:"2,required"`
	NumRows             int64                `thrift:"3,required"`
	FileOffset          int64                `thrift:"5,optional"`
	TotalCompressedSize int64                `thrift:"6,optional"`
}

// groupList is the row groups of a file as the footer has them. With all fields a description takes 2 kB; a Go
// structure takes 20 kB.
type groupList struct {
	descriptions []byte // one after the other
	count        int
	rows         int64
}

func (l *groupList) add(description []byte, rows int64) {
	l.descriptions = append(l.descriptions, description...)
	l.count++
	l.rows += rows
}

// The footer is a structure in the compact protocol of Thrift. Its field 4 is the list of the row groups, and the field
// before that is the last one of footerHead. A field begins with a byte: how much its number is above that of the field
// before, and its type. So the numbers of the fields in footerTail are less by 4 than those in the footer.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
type (
	footerHead struct {
		Version int32                  `thrift:"1,required"`
		Schema  []format.SchemaElement `thrift:"2,required"`
		NumRows int64                  `thrift:"3,required"`
	}
	footerTail struct {
		KeyValues    []KeyValue           `thrift:"1,optional"` // 5
		CreatedBy    string               `thrift:"2,optional"` // 6
		ColumnOrders []format.ColumnOrder `thrift:"3,optional"` // 7
	}
)

// KeyValue is what a footer says of its file, for people and programs that know the key.
type KeyValue = format.KeyValue

const (
	listField      = 1<<4 | 9    // the next field, a list
	structElements = 0xf<<4 | 12 // of structures, and their number follows
)

// footer returns the footer of a file in its parts.
func (l *groupList) footer(schema []format.SchemaElement, tail footerTail) (parts [][]byte, err error) {
	head, err := marshal(&footerHead{1, schema, l.rows})
	if err != nil {
		return nil, err
	}
	head = append(head[:len(head)-1], listField, structElements) // in place of the end of the structure
	head = binary.AppendUvarint(head, uint64(l.count))
	end, err := marshal(&tail)
	return [][]byte{head, l.descriptions, end}, err
}

func marshal(structure any) ([]byte, error) {
	return thrift.Marshal(new(thrift.CompactProtocol), structure)
}

// readPart returns the description of the row group of the part that ends at a place.
func readPart(file io.ReaderAt, end int64) (description []byte, group rowGroup, err error) {
	var last [trailerEnd]byte
	if end < trailerEnd {
		return nil, group, io.ErrUnexpectedEOF
	}
	if _, err := file.ReadAt(last[:], end-trailerEnd); err != nil {
		return nil, group, err
	}
	length := int64(binary.LittleEndian.Uint32(last[:]))
	if string(last[4:]) != partMagic || length > end-trailerEnd {
		return nil, group, errors.New("no description of a row group")
	}
	description = make([]byte, length)
	start := end - trailerEnd - length
	if _, err := file.ReadAt(description, start); err != nil {
		return nil, group, err
	}
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), description, &group); err != nil {
		return nil, group, err
	}
	if group.FileOffset < int64(len(magic)) || group.FileOffset >= start {
		return nil, group, errors.New("no place of a row group")
	}
	return description, group, nil
}
