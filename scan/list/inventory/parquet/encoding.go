package parquet

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go/format"
)

// valueBytes reads values in the encoding PLAIN.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/#PLAIN
type valueBytes struct {
	rest []byte
	bit  uint // of the first byte of rest, for bools
}

func (v *valueBytes) next(t format.Type) (value, error) {
	switch t {
	case format.ByteArray:
		if len(v.rest) < 4 {
			return value{}, io.ErrUnexpectedEOF
		}
		length := int64(binary.LittleEndian.Uint32(v.rest))
		if length > int64(len(v.rest)-4) {
			return value{}, io.ErrUnexpectedEOF
		}
		text := v.rest[4 : 4+length : 4+length]
		v.rest = v.rest[4+length:]
		return value{text: text}, nil
	case format.Int64:
		if len(v.rest) < 8 {
			return value{}, io.ErrUnexpectedEOF
		}
		n := int64(binary.LittleEndian.Uint64(v.rest))
		v.rest = v.rest[8:]
		return value{int: n}, nil
	case format.Int32:
		if len(v.rest) < 4 {
			return value{}, io.ErrUnexpectedEOF
		}
		n := int32(binary.LittleEndian.Uint32(v.rest))
		v.rest = v.rest[4:]
		return value{int: int64(n)}, nil
	}
	if len(v.rest) == 0 {
		return value{}, io.ErrUnexpectedEOF
	}
	n := int64(v.rest[0] >> v.bit & 1)
	if v.bit = (v.bit + 1) % 8; v.bit == 0 {
		v.rest = v.rest[1:]
	}
	return value{int: n}, nil
}

// rle reads numbers in the hybrid of run lengths and packed bits.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
type rle struct {
	rest  []byte
	width uint // bits of a number

	repeated uint64 // numbers of the run that are equal
	number   uint32 // of such a run
	packed   uint64 // numbers of the run that are packed
	bits     uint64 // read ahead of packed numbers
	bitCount uint
}

// widthMax is the largest width of a number.
const widthMax = 32

func (r *rle) next() (uint32, error) {
	for r.repeated == 0 && r.packed == 0 {
		if err := r.nextRun(); err != nil {
			return 0, err
		}
	}
	if r.repeated > 0 {
		r.repeated--
		return r.number, nil
	}
	for r.bitCount < r.width {
		if len(r.rest) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		r.bits |= uint64(r.rest[0]) << r.bitCount
		r.rest, r.bitCount = r.rest[1:], r.bitCount+8
	}
	r.packed--
	n := uint32(r.bits & (1<<r.width - 1))
	r.bits >>= r.width
	r.bitCount -= r.width
	return n, nil
}

func (r *rle) nextRun() error {
	header, n := binary.Uvarint(r.rest)
	switch {
	case n == 0:
		return io.ErrUnexpectedEOF
	case n < 0:
		return errors.New("the header of a run is damaged")
	}
	r.rest, r.bits, r.bitCount = r.rest[n:], 0, 0
	if header&1 != 0 {
		r.packed = header >> 1 * 8
		return nil
	}
	bytes := int(r.width+7) / 8
	if len(r.rest) < bytes {
		return io.ErrUnexpectedEOF
	}
	var number [4]byte
	copy(number[:], r.rest[:bytes])
	r.repeated, r.number, r.rest = header>>1, binary.LittleEndian.Uint32(number[:]), r.rest[bytes:]
	return nil
}
