package keylist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
)

// bufferBytes is how much of a text is read at once.
const bufferBytes = 64 << 10

// text is a text that is read from its beginning to its end. What in hands out is consumed with its record: then it is
// counted, and part of the checksum.
type text struct {
	in      *bufio.Reader // of source
	source  *source
	end     byte // of each record
	at      int64
	sum     uint32
	table   *crc32.Table // of sum
	records int64        // ends of records: lines, or NULs
	long    []byte
}

// source keeps the bytes that were read, and are not consumed yet.
type source struct {
	r      io.Reader
	memory []byte // of kept
	kept   []byte
	total  int64 // bytes read
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.kept, s.total = append(append(s.memory[:0], s.kept...), p[:n]...), s.total+int64(n)
	s.memory = s.kept
	return n, err
}

func newText(r io.Reader, null bool) *text {
	t := &text{source: &source{r: r}, end: '\n', table: crc32.MakeTable(crc32.Castagnoli)}
	if null {
		t.end = 0
	}
	t.in = bufio.NewReaderSize(t.source, bufferBytes)
	return t
}

// consume counts all bytes that in has handed out.
func (t *text) consume() {
	n := t.handedOut() - t.at
	consumed := t.source.kept[:n]
	t.source.kept = t.source.kept[n:]
	t.sum = crc32.Update(t.sum, t.table, consumed)
	t.records += int64(bytes.Count(consumed, []byte{t.end}))
	t.at += n
}

// handedOut returns how many bytes in has handed out.
func (t *text) handedOut() int64 { return t.source.total - int64(t.in.Buffered()) }

// skip consumes the text up to a number of bytes.
func (t *text) skip(to int64) error {
	if to < t.at {
		return errors.New("it is read already")
	}
	for t.at < to {
		if _, err := t.in.Discard(int(min(to-t.at, bufferBytes))); err != nil {
			return err
		}
		t.consume()
	}
	return nil
}

// place returns the place behind what was consumed. Places are in the order of the text.
func (t *text) place() string { return fmt.Sprintf("%020d-%08x", t.at, t.sum) }

// bytesOf returns how many bytes are in front of a place, and -1 for a text that is no place.
func bytesOf(place string) int64 {
	digits, _, _ := strings.Cut(place, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// unit names a record.
func (t *text) unit() string {
	if t.end == 0 {
		return "key"
	}
	return "line"
}

// recordBytesMax bounds a record: a thousand times the longest key.
const recordBytesMax = 1 << 20

// record returns the next record without its end, valid until the next read, or io.EOF. The last record may have no
// end.
func (t *text) record() ([]byte, error) {
	t.long = t.long[:0]
	for {
		part, err := t.in.ReadSlice(t.end)
		if len(t.long)+len(part) > recordBytesMax {
			return nil, fmt.Errorf("it has more than %d bytes", recordBytesMax)
		}
		switch {
		case err == bufio.ErrBufferFull:
			t.long = append(t.long, part...)
			continue
		case err != nil && err != io.EOF:
			return nil, err
		case len(t.long) > 0:
			t.long = append(t.long, part...)
			part = t.long
		}
		if err == io.EOF && len(part) == 0 {
			return nil, io.EOF
		}
		return bytes.TrimSuffix(part, []byte{t.end}), nil
	}
}
