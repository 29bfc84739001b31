package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// deltaValuesMax bounds the numbers of a page, which are decoded at once. Some of them take no bits.
const deltaValuesMax = 1 << 22

// decodeDeltas decodes at most so many numbers in the encoding DELTA_BINARY_PACKED into the memory of dst, and returns
// the bytes behind them.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/#DELTAENC
func decodeDeltas(dst []int64, p []byte, most int) (numbers []int64, rest []byte, err error) {
	r := varints{rest: p}
	blockSize, miniblocks, count, value := r.unsigned(), r.unsigned(), r.unsigned(), r.signed()
	switch {
	case r.err != nil:
		return nil, nil, r.err
	case blockSize > 1<<16 || miniblocks == 0 || miniblocks > blockSize || blockSize/miniblocks%8 != 0:
		return nil, nil, fmt.Errorf("a block cannot have %d numbers in %d parts", blockSize, miniblocks)
	case count > uint64(most) || count > deltaValuesMax:
		return nil, nil, fmt.Errorf("a page has %d numbers", count)
	case count == 0:
		return dst[:0], r.rest, nil
	}
	numbers = append(dst[:0], value)
	for uint64(len(numbers)) < count {
		least := r.signed()
		widths := r.bytes(miniblocks)
		for _, width := range widths {
			left := count - uint64(len(numbers))
			if left == 0 {
				break
			}
			if width > 64 {
				return nil, nil, fmt.Errorf("a number has %d bits", width)
			}
			packed := r.bytes(blockSize / miniblocks * uint64(width) / 8)
			if r.err != nil {
				break
			}
			for i := range min(left, blockSize/miniblocks) {
				value += least + int64(unpack(packed, i*uint64(width), uint64(width)))
				numbers = append(numbers, value)
			}
		}
		if r.err != nil {
			return nil, nil, r.err
		}
	}
	return numbers, r.rest, nil
}

// unpack returns the number of some bits from a bit on.
func unpack(p []byte, from, width uint64) (n uint64) {
	for got := uint64(0); got < width; {
		bit := (from + got) % 8
		n |= uint64(p[(from+got)/8]>>bit) << got
		got += 8 - bit
	}
	if width < 64 {
		n &= 1<<width - 1
	}
	return n
}

// varints reads numbers of variable length. After the first error it returns zeros.
type varints struct {
	rest []byte
	err  error
}

func (r *varints) unsigned() uint64 {
	n, length := binary.Uvarint(r.rest)
	r.skip(length)
	return n
}

func (r *varints) signed() int64 {
	n, length := binary.Varint(r.rest)
	r.skip(length)
	return n
}

func (r *varints) skip(length int) {
	switch {
	case length > 0:
		r.rest = r.rest[length:]
	case length < 0:
		r.err = errors.New("a number is damaged")
	default:
		r.err = io.ErrUnexpectedEOF
	}
}

func (r *varints) bytes(count uint64) []byte {
	if r.err == nil && count > uint64(len(r.rest)) {
		r.err = io.ErrUnexpectedEOF
	}
	if r.err != nil {
		return nil
	}
	p := r.rest[:count]
	r.rest = r.rest[count:]
	return p
}

// deltas are the values of a page in one of the encodings with deltas.
type deltas struct {
	numbers  []int64 // the values, or the lengths of texts behind what they share with the text before
	shared   []int64 // how much texts share with the text before; nil: nothing
	texts    []byte
	previous []byte
	next     int // into numbers
}

// readDeltas prepares reading at most so many values.
func (c *columnReader) readDeltas(page []byte, count int, texts, shared bool) (err error) {
	d := &c.deltas
	d.next, d.previous = 0, nil
	if shared {
		if d.shared, page, err = decodeDeltas(d.shared, page, count); err != nil {
			return err
		}
	} else {
		d.shared = nil
	}
	if d.numbers, d.texts, err = decodeDeltas(d.numbers, page, count); err != nil {
		return err
	}
	if shared && len(d.shared) != len(d.numbers) {
		return fmt.Errorf("%d prefixes of %d texts", len(d.shared), len(d.numbers))
	}
	c.source = fromNumbers
	if texts {
		c.source = fromLengths
	}
	return nil
}

// fromNumbers reads a number.
func fromNumbers(c *columnReader) (value, error) {
	d := &c.deltas
	if d.next == len(d.numbers) {
		return value{}, io.ErrUnexpectedEOF
	}
	d.next++
	return value{int: d.numbers[d.next-1]}, nil
}

// fromLengths reads a text.
func fromLengths(c *columnReader) (value, error) {
	d := &c.deltas
	n := d.next
	length, err := fromNumbers(c)
	if err != nil {
		return value{}, err
	}
	if length.int < 0 || length.int > int64(len(d.texts)) {
		return value{}, io.ErrUnexpectedEOF
	}
	text := d.texts[:length.int]
	d.texts = d.texts[length.int:]
	if d.shared != nil {
		if d.shared[n] < 0 || d.shared[n] > int64(len(d.previous)) {
			return value{}, fmt.Errorf("a text shares %d bytes with one of %d", d.shared[n], len(d.previous))
		}
		d.previous = append(d.previous[:d.shared[n]], text...)
		text = d.previous
	}
	return value{text: text}, nil
}
