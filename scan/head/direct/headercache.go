package direct

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"headcount/scan/head"
)

// headerCache remembers the fields of the answer before, place by place: a store sends the same ones in the same order with nearly
// every answer. To see that it did is quicker than to read them, and what follows from their order need not be found out again.
type headerCache []headerSlot

// headerSlot is what is known of the field that stands there.
type headerSlot struct {
	nameBuf  []byte // that both names are parts of
	wireName []byte // the name as it was received, and the colon
	name     []byte // in lower case; of metadata without metaPrefix
	kind     fieldKind

	repeated bool // a header at a place before has the same name
	inOrder  bool // the metadata at places before have smaller names
}

// fieldKind is what is made of a field.
type fieldKind uint8

const (
	headerField fieldKind = iota
	connectionField
	metadataField
)

// headerCacheMax is how many places are remembered. Few answers have as many fields.
const headerCacheMax = 64

// parseCached takes fields at the start of text, for as long as each has the name remembered for its place, and is a line of the plain
// kind: ended by CRLF, with no control character, not folded. It returns how many there were, and their size.
func (r *response) parseCached(text []byte) (at, size int) {
	for ; at < len(r.cache); at++ {
		p, line := &r.cache[at], text[size:]
		from := len(p.wireName)
		if len(line) <= from || string(line[:from]) != string(p.wireName) {
			break
		}
		if line[from] == ' ' {
			from++
		}
		end := from + controlIndex(line[from:])
		if len(line) < end+len("\r\n ") || line[end] != '\r' || line[end+1] != '\n' || isBlank(line[end+2]) {
			break
		}
		size += end + len("\r\n")
		value := line[from:end]
		if n := len(value); n > 0 && (isBlank(value[0]) || isBlank(value[n-1])) {
			value = trimBlanks(value)
		}
		switch {
		case p.kind == metadataField && p.inOrder:
			appendField(&r.Metadata, p.name, value)
		case p.kind == headerField && !p.repeated:
			appendField(&r.Headers, p.name, value)
		default:
			r.addField(p, value)
		}
	}
	return at, size
}

// appendField appends a Field, part by part: to copy one that was just written makes the processor wait.
func appendField(fields *[]head.Field, name, value []byte) {
	*fields = append(*fields, head.Field{})
	f := &(*fields)[len(*fields)-1]
	f.Name, f.Value = name, value
}

// parseField takes the line of the field at a place apart (RFC 9112 §5), and remembers its name, and how it stands to the fields before it.
// It forgets the places behind it, which stood to another one. The place is valid until the next is learned.
func (r *response) parseField(at int, line []byte) (p *headerSlot, value []byte, err error) {
	n := nameLength(line)
	if n == 0 {
		return nil, nil, malformedError("a field has no name that is one")
	}
	value = trimBlanks(line[n+1:])
	if hasControl(value) {
		return nil, nil, malformedError("a field has a control character in its value")
	}
	if at < headerCacheMax {
		r.cache = slices.Grow(r.cache[:at], 1)[:at+1]
		p = &r.cache[at]
	} else {
		p = new(headerSlot)
	}
	p.setName(line[:n+1])
	switch {
	case hasMetadataPrefix(p.name):
		p.kind, p.name = metadataField, p.name[len(head.MetadataPrefix):]
		last := len(r.Metadata) - 1
		p.inOrder = last < 0 || bytes.Compare(r.Metadata[last].Name, p.name) < 0
		return p, value, nil
	case string(p.name) == "connection":
		p.kind = connectionField
	default:
		p.kind = headerField
	}
	p.repeated = slices.ContainsFunc(r.Headers, func(h head.Field) bool { return bytes.Equal(h.Name, p.name) })
	return p, value, nil
}

// setName names the place.
func (p *headerSlot) setName(written []byte) {
	p.nameBuf = append(p.nameBuf[:0], written...)
	for _, c := range written[:len(written)-1] {
		p.nameBuf = append(p.nameBuf, lowerName[c])
	}
	p.wireName, p.name = p.nameBuf[:len(written)], p.nameBuf[len(written):]
}

// hasControl says whether text has a control character other than the tab: no value may (RFC 9110 §5.5). A recipient must
// not take CR and NUL for what they are, and net/http refuses the others too.
func hasControl(text []byte) bool {
	for {
		i := controlIndex(text)
		if i == len(text) || text[i] != '\t' {
			return i < len(text)
		}
		text = text[i+1:]
	}
}

// controlIndex is where the first control character of text is, its length if there is none. The tab is one.
func controlIndex(text []byte) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if hits := controlBytes(binary.LittleEndian.Uint64(text[i:])); hits != 0 {
			return i + bits.TrailingZeros64(hits)/8
		}
	}
	for ; i < len(text); i++ {
		if text[i] < ' ' || text[i] == 0x7f {
			break
		}
	}
	return i
}

// controlBytes has the high bits of a word's bytes set that are less than a blank, or DEL. The lowest of them is right; above it may
// be some of bytes beside one.
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
func controlBytes(word uint64) uint64 {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	del := word ^ 0x7f*ones
	return ((word-' '*ones)&^word | (del-ones)&^del) & highs
}
