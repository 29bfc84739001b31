package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// pageBytesMax bounds the memory for a page. Writers end a page at 1 MB, or with the first value behind it.
const pageBytesMax = 64 << 20

// plainDictionary is what files before format 2 call the encoding of a dictionary, and that of the indexes into it.
const plainDictionary = format.Encoding(2)

// nextPage reads pages up to the next one that has values.
func (c *columnReader) nextPage() error {
	var header format.PageHeader
	if _, err := c.in.Peek(1); err != nil { // the decoder's error would not be io.EOF
		return err
	}
	err := decode(func() error {
		return thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(c.in)).Decode(&header)
	})
	if err != nil {
		return fmt.Errorf("the header of a page is damaged: %w", err)
	}
	size, uncompressed := header.CompressedPageSize, header.UncompressedPageSize
	if size < 0 || uncompressed < 0 || max(size, uncompressed) > pageBytesMax {
		return fmt.Errorf("a page cannot have %d bytes, and %d when decompressed", size, uncompressed)
	}
	c.compressed = grown(c.compressed, int(size))
	if _, err := io.ReadFull(c.in, c.compressed); err != nil {
		return err
	}
	switch header.Type {
	case format.DictionaryPage:
		return c.readDictionary(&header)
	case format.DataPage:
		return c.readDataPage(&header)
	case format.DataPageV2:
		return c.readDataPageV2(&header)
	}
	return nil // an index
}

// grown returns a slice of a size, in the memory of another one where that is enough.
func grown(p []byte, size int) []byte {
	if cap(p) < size {
		return make([]byte, size)
	}
	return p[:size]
}

func (c *columnReader) readDictionary(header *format.PageHeader) error {
	h := &header.DictionaryPageHeader.V
	if h.Encoding != format.Plain && h.Encoding != plainDictionary {
		return errEncoding(h.Encoding)
	}
	var err error
	if c.dictionaryPage, err = c.decompress(c.dictionaryPage, c.compressed, header.UncompressedPageSize); err != nil {
		return err
	}
	c.dictionary = c.dictionary[:0]
	values := valueBytes{rest: c.dictionaryPage}
	for range h.NumValues {
		v, err := values.next(c.physical)
		if err != nil {
			return fmt.Errorf("dictionary: %w", err)
		}
		c.dictionary = append(c.dictionary, v)
	}
	return nil
}

func (c *columnReader) readDataPage(header *format.PageHeader) error {
	h := &header.DataPageHeader.V
	var err error
	if c.page, err = c.decompress(c.page, c.compressed, header.UncompressedPageSize); err != nil {
		return err
	}
	rest := c.page
	if c.optional {
		if h.DefinitionLevelEncoding != format.RLE {
			return errEncoding(h.DefinitionLevelEncoding)
		}
		var levels []byte
		if levels, rest, err = cutLength(rest); err != nil {
			return err
		}
		c.levels = rle{rest: levels, width: 1}
	}
	return c.readValues(h.NumValues, h.Encoding, rest)
}

// cutLength cuts off bytes behind their length.
func cutLength(p []byte) (before, rest []byte, err error) {
	if len(p) < 4 || int64(binary.LittleEndian.Uint32(p)) > int64(len(p)-4) {
		return nil, nil, io.ErrUnexpectedEOF
	}
	end := 4 + binary.LittleEndian.Uint32(p)
	return p[4:end], p[end:], nil
}

func (c *columnReader) readDataPageV2(header *format.PageHeader) error {
	h := &header.DataPageHeaderV2.V
	levels := int64(h.RepetitionLevelsByteLength) + int64(h.DefinitionLevelsByteLength)
	if h.RepetitionLevelsByteLength != 0 || levels < 0 || levels > int64(len(c.compressed)) {
		return fmt.Errorf("a page has %d bytes of levels", levels)
	}
	c.levels = rle{rest: bytes.Clone(c.compressed[:levels]), width: 1}
	values := c.compressed[levels:]
	if h.IsCompressed.V || !h.IsCompressed.Valid {
		var err error
		if c.page, err = c.decompress(c.page, values, header.UncompressedPageSize-int32(levels)); err != nil {
			return err
		}
		values = c.page
	}
	return c.readValues(h.NumValues, h.Encoding, values)
}

// readValues prepares reading the values of a page.
func (c *columnReader) readValues(count int32, encoding format.Encoding, page []byte) error {
	switch {
	case count < 0:
		return fmt.Errorf("a page has %d values", count)
	case encoding == format.Plain:
		c.values, c.source = valueBytes{rest: page}, fromPage
	case encoding == plainDictionary || encoding == format.RLEDictionary:
		if len(page) == 0 { // all are null
			page = []byte{0}
		}
		if page[0] > widthMax {
			return fmt.Errorf("an index has %d bits", page[0])
		}
		c.indexes, c.source = rle{rest: page[1:], width: uint(page[0])}, fromDictionary
	case encoding == format.RLE && c.Type == Bool:
		runs, _, err := cutLength(page)
		if err != nil {
			return err
		}
		c.indexes, c.source = rle{rest: runs, width: uint(bits.Len(1))}, fromRuns
	case encoding == format.DeltaBinaryPacked && c.physical != format.ByteArray && c.Type != Bool,
		c.Type == Text && (encoding == format.DeltaLengthByteArray || encoding == format.DeltaByteArray):
		if err := c.readDeltas(page, int(count), c.Type == Text, encoding == format.DeltaByteArray); err != nil {
			return err
		}
	default:
		return errEncoding(encoding)
	}
	c.left = int(count)
	return nil
}

func errEncoding(e format.Encoding) error { return fmt.Errorf("the encoding %v is not supported", e) }

// decompress decompresses a page of a size into the memory of dst.
func (c *columnReader) decompress(dst, page []byte, size int32) (text []byte, err error) {
	switch {
	case size < 0:
		return nil, fmt.Errorf("a page cannot have %d bytes", size)
	case c.codec == format.Uncompressed:
		text = append(dst[:0], page...)
	case c.codec == format.Snappy:
		if n, err := snappy.DecodedLen(page); err != nil || n != int(size) {
			return nil, errSize(n, size)
		}
		text, err = snappy.Decode(grown(dst, int(size)), page)
	case c.codec == format.Gzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(page)); err == nil {
			text = grown(dst, int(size))
			_, err = io.ReadFull(r, text)
		}
	case c.codec == format.Zstd:
		if c.zstd == nil {
			c.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(pageBytesMax))
			if err != nil {
				return nil, err
			}
		}
		text, err = c.zstd.DecodeAll(page, dst[:0])
	default:
		return nil, fmt.Errorf("the compression %v is not supported", c.codec)
	}
	if err == nil && len(text) != int(size) {
		err = errSize(len(text), size)
	}
	return text, err
}

func errSize(n int, size int32) error { return fmt.Errorf("a page has %d bytes, and not %d", n, size) }
