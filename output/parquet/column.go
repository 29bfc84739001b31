package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// column gathers the values of a Column for one row group.
type column struct {
	Type
	leaves []leaf // one, or the names and the values of a Map
}

func newColumn(c Column) *column {
	if c.Type == Map {
		return &column{c.Type, []leaf{
			newLeaf(Text, 1, 2, c.Name, mapPairs, mapKey), newLeaf(Text, 1, 2, c.Name, mapPairs, mapValue),
		}}
	}
	return &column{c.Type, []leaf{newLeaf(c.Type, 0, 1, c.Name)}}
}

// size returns how many bytes of values the column has for the row group.
func (c *column) size() (size int64) {
	for i := range c.leaves {
		size += c.leaves[i].uncompressed + int64(c.leaves[i].pageSize())
	}
	return size
}

// append adds the first value in the bytes of Rows, and returns the bytes behind it.
func (c *column) append(rest []byte) []byte {
	leaf := &c.leaves[0]
	switch c.Type {
	case Text:
		if binary.LittleEndian.Uint32(rest) == absentLength {
			leaf.addLevels(0, 0)
			return rest[4:]
		}
		leaf.addLevels(0, 1)
		left := leaf.addText(rest)
		leaf.bounds.addText(rest[4 : len(rest)-len(left)])
		return left
	case Int, Time:
		if rest[0] == absentByte {
			leaf.addLevels(0, 0)
			return rest[1:]
		}
		leaf.addLevels(0, 1)
		leaf.values = append(leaf.values, rest[1:9]...)
		leaf.bounds.addInt(int64(binary.LittleEndian.Uint64(rest[1:])))
		return rest[9:]
	case Bool:
		if rest[0] == absentByte {
			leaf.addLevels(0, 0)
			return rest[1:]
		}
		leaf.addLevels(0, 1)
		leaf.addBool(rest[0])
		return rest[1:]
	}
	return c.appendMap(rest)
}

// appendMap is append for a Map. The levels say that there is no map (0), an empty one (1), or a pair (2); the first
// level of a row that begins it is 0, and 1 follows for each further pair.
// https://parquet.apache.org/docs/file-format/nestedencoding/
func (c *column) appendMap(rest []byte) []byte {
	names, values := &c.leaves[0], &c.leaves[1]
	pairs := binary.LittleEndian.Uint32(rest)
	rest = rest[4:]
	if pairs == 0 || pairs == absentLength {
		defined := byte(1)
		if pairs == absentLength {
			defined = 0
		}
		names.addLevels(0, defined)
		values.addLevels(0, defined)
		return rest
	}
	for i := range pairs {
		repeated := byte(min(i, 1))
		names.addLevels(repeated, 2)
		rest = names.addText(rest)
		values.addLevels(repeated, 2)
		rest = values.addText(rest)
	}
	return rest
}

// leaf gathers the values of a column of the file for one row group: the pages that are ended, and one that is not.
type leaf struct {
	Type
	path                 []string
	repeatMax, defineMax byte

	repeats, defines []byte // levels of the page, one for each value and null
	values           []byte // of the page, PLAIN
	bools            int    // bits in values

	bounds       bounds       // of the values of the row group; a Bool and a Map have none
	pages        bytes.Buffer // headers and compressed values
	count        int64        // of levels in pages
	nulls        int64        // of them without a value
	uncompressed int64        // bytes of pages before their compression
}

func newLeaf(t Type, repeatMax, defineMax byte, path ...string) leaf {
	return leaf{Type: t, path: path, repeatMax: repeatMax, defineMax: defineMax}
}

func (l *leaf) addLevels(repeated, defined byte) {
	if l.repeatMax > 0 {
		l.repeats = append(l.repeats, repeated)
	}
	l.defines = append(l.defines, defined)
	if defined < l.defineMax {
		l.nulls++
	}
}

// addText adds the first Text in the bytes of Rows, and returns the bytes behind it.
func (l *leaf) addText(rest []byte) []byte {
	end := 4 + int(binary.LittleEndian.Uint32(rest))
	l.values = append(l.values, rest[:end]...)
	return rest[end:]
}

// addBool adds a bit. https://parquet.apache.org/docs/file-format/data-pages/encodings/#plain-plain--0
func (l *leaf) addBool(bit byte) {
	if l.bools%8 == 0 {
		l.values = append(l.values, 0)
	}
	l.values[len(l.values)-1] |= bit << (l.bools % 8)
	l.bools++
}

// pageSize returns about how many bytes the page has.
func (l *leaf) pageSize() int { return len(l.values) + len(l.defines)/8 }

// endPage ends the page, at the end of a row.
func (l *leaf) endPage(w *Writer) error {
	page, err := l.appendLevels(w.scratch[:0], l.repeats, l.repeatMax)
	if err == nil {
		page, err = l.appendLevels(page, l.defines, l.defineMax)
	}
	if err != nil {
		return err
	}
	page = append(page, l.values...)
	plain := len(page)
	page = w.zstd.EncodeAll(page, page)
	w.scratch = page
	compressed := page[plain:]
	header, err := thrift.Marshal(new(thrift.CompactProtocol), &format.PageHeader{
		Type: format.DataPage, UncompressedPageSize: int32(plain), CompressedPageSize: int32(len(compressed)),
		CRC: int32(crc32.ChecksumIEEE(compressed)),
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(len(l.defines)), Encoding: format.Plain,
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		}),
	})
	if err != nil {
		return err
	}
	l.pages.Write(header)
	l.pages.Write(compressed)
	l.count += int64(len(l.defines))
	l.uncompressed += int64(len(header) + plain)
	l.repeats, l.defines, l.values, l.bools = l.repeats[:0], l.defines[:0], l.values[:0], 0
	return nil
}

// appendLevels appends levels and before them their length in bytes; nothing if all are 0 by the schema.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/#run-length-encoding--bit-packing-hybrid-rle--3
func (l *leaf) appendLevels(page, levels []byte, highest byte) ([]byte, error) {
	if highest == 0 {
		return page, nil
	}
	encoding := rle.Encoding{BitWidth: bits.Len8(highest)}
	encoded, err := encoding.EncodeLevels(nil, levels)
	return append(binary.LittleEndian.AppendUint32(page, uint32(len(encoded))), encoded...), err
}

// write writes the pages of the row group, and returns their description.
func (l *leaf) write(w *Writer) (chunk format.ColumnChunk, err error) {
	if len(l.defines) > 0 {
		if err := l.endPage(w); err != nil {
			return chunk, err
		}
	}
	chunk = format.ColumnChunk{MetaData: format.ColumnMetaData{
		Type: physicalType(l.Type), PathInSchema: l.path, Codec: format.Zstd,
		Encoding:  []format.Encoding{format.Plain, format.RLE},
		NumValues: l.count, Statistics: l.bounds.statistics(l.Type, l.nulls),
		TotalUncompressedSize: l.uncompressed, TotalCompressedSize: int64(l.pages.Len()), DataPageOffset: w.at,
	}}
	err = w.write(l.pages.Bytes())
	l.pages.Reset()
	l.count, l.nulls, l.uncompressed = 0, 0, 0
	l.bounds.reset()
	return chunk, err
}
