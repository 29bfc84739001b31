package parquet

import (
	"bytes"
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// bounds are the least and the greatest value of a column in a row group. Readers leave out row groups by them.
type bounds struct {
	known            bool
	minInt, maxInt   int64
	minText, maxText []byte
}

func (b *bounds) reset() { b.known = false }

func (b *bounds) addInt(n int64) {
	if !b.known {
		b.known, b.minInt, b.maxInt = true, n, n
		return
	}
	b.minInt, b.maxInt = min(b.minInt, n), max(b.maxInt, n)
}

// addText compares texts as bytes, the order of UTF8 in Parquet.
func (b *bounds) addText(text []byte) {
	switch {
	case !b.known:
		b.known = true
		b.minText, b.maxText = append(b.minText[:0], text...), append(b.maxText[:0], text...)
	case bytes.Compare(text, b.maxText) > 0:
		b.maxText = append(b.maxText[:0], text...)
	case bytes.Compare(text, b.minText) < 0:
		b.minText = append(b.minText[:0], text...)
	}
}

// boundBytesMax leaves out longer texts than keys usually are: memory and the footer have the bounds of all row groups.
const boundBytesMax = 256

// statistics returns the bounds as the footer has them.
func (b *bounds) statistics(t Type, nulls int64) format.Statistics {
	s := format.Statistics{NullCount: nulls}
	switch {
	case !b.known:
	case t == Text && max(len(b.minText), len(b.maxText)) <= boundBytesMax:
		s.MinValue, s.MaxValue = bytes.Clone(b.minText), bytes.Clone(b.maxText)
	case t == Int || t == Time:
		s.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(b.minInt))
		s.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(b.maxInt))
	}
	return s
}
