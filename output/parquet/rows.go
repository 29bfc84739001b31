package parquet

import (
	"encoding/binary"
	"math"
)

// Rows are rows for Writer.Append, as bytes. A row is a value for each Column of the Writer, in the order of the
// Columns: one call of Absent, Text, Int, Bool, or Map. EndRow ends a row. The zero value has no rows.
//
// The bytes of a Text are as in a page: its length in four bytes, and its bytes (PLAIN). An Int is a byte of 1 and
// eight bytes, a Bool one byte, a Map the number of its pairs in four bytes, and its pairs as Texts.
type Rows struct {
	bytes []byte
	count int
}

const (
	absentLength = math.MaxUint32 // in place of a length or a number of pairs
	absentByte   = 2              // in place of the first byte of an Int or a Bool
)

// Reset drops all rows, and keeps the memory.
func (r *Rows) Reset() { r.bytes, r.count = r.bytes[:0], 0 }

// Absent adds that the row has no value in a Column of this Type.
func (r *Rows) Absent(t Type) {
	switch t {
	case Text, Map:
		r.bytes = binary.LittleEndian.AppendUint32(r.bytes, absentLength)
	default:
		r.bytes = append(r.bytes, absentByte)
	}
}

// Text adds a value of a Text Column, or the name or value of a pair of a Map. It must be UTF-8.
func (r *Rows) Text(text []byte) {
	r.bytes = append(binary.LittleEndian.AppendUint32(r.bytes, uint32(len(text))), text...)
}

// Int adds a value of an Int Column, or the microseconds since 1970 of a Time Column.
func (r *Rows) Int(n int64) {
	r.bytes = binary.LittleEndian.AppendUint64(append(r.bytes, 1), uint64(n))
}

// Bool adds a value of a Bool Column.
func (r *Rows) Bool(value bool) {
	var b byte
	if value {
		b = 1
	}
	r.bytes = append(r.bytes, b)
}

// Map adds a value of a Map Column: so many pairs, of which the names and the values are the next Texts.
func (r *Rows) Map(pairs int) { r.bytes = binary.LittleEndian.AppendUint32(r.bytes, uint32(pairs)) }

// EndRow ends a row.
func (r *Rows) EndRow() { r.count++ }
