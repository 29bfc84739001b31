package head

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// layout remembers the fields of the answer before, place by place: a store sends the same ones in the same order with nearly
// every answer. To see that it did is quicker than to read them, and what follows from their order need not be found out again.
type layout []place

// place is what is known of the field that stands there.
type place struct {
	text    []byte // that both names are parts of
	written []byte // the name as it was received, and the colon
	name    []byte // in lower case; of metadata without metaPrefix
	kind    kind

	isRepeated bool // a header at a place before has the same name
	isNext     bool // the metadata at places before have smaller names
}

// kind is what is made of a field.
type kind uint8

const (
	header kind = iota
	connection
	metadata
)

// layoutMax is how many places are remembered. Few answers have as many fields.
const layoutMax = 64

// takeExpected takes fields at the start of text, for as long as each has the name remembered for its place, and is a line of the plain
// kind: ended by CRLF, with no control character, not folded. It returns how many there were, and their size.
func (r *Result) takeExpected(text []byte) (at, size int) {
	for ; at < len(r.layout); at++ {
		p, line := &r.layout[at], text[size:]
		from := len(p.written)
		if len(line) <= from || string(line[:from]) != string(p.written) {
			break
		}
		if line[from] == ' ' {
			from++
		}
		end := from + controlAt(line[from:])
		if len(line) < end+len("\r\n ") || line[end] != '\r' || line[end+1] != '\n' || isBlank(line[end+2]) {
			break
		}
		size += end + len("\r\n")
		value := line[from:end]
		if n := len(value); n > 0 && (isBlank(value[0]) || isBlank(value[n-1])) {
			value = trimBlanks(value)
		}
		switch {
		case p.kind == metadata && p.isNext:
			appendField(&r.Metadata, p.name, value)
		case p.kind == header && !p.isRepeated:
			appendField(&r.Headers, p.name, value)
		default:
			r.take(p, value)
		}
	}
	return at, size
}

// appendField appends a Field, part by part: to copy one that was just written makes the processor wait.
func appendField(fields *[]Field, name, value []byte) {
	*fields = append(*fields, Field{})
	f := &(*fields)[len(*fields)-1]
	f.Name, f.Value = name, value
}

// learn takes the line of the field at a place apart (RFC 9112 §5), and remembers its name, and how it stands to the fields before it.
// It forgets the places behind it, which stood to another one. The place is valid until the next is learned.
func (r *Result) learn(at int, line []byte) (p *place, value []byte, err error) {
	n := nameEnd(line)
	if n == 0 {
		return nil, nil, malformed("a field has no name that is one")
	}
	value = trimBlanks(line[n+1:])
	if hasControl(value) {
		return nil, nil, malformed("a field has a control character in its value")
	}
	if at < layoutMax {
		r.layout = slices.Grow(r.layout[:at], 1)[:at+1]
		p = &r.layout[at]
	} else {
		p = new(place)
	}
	p.call(line[:n+1])
	switch {
	case isMetadata(p.name):
		p.kind, p.name = metadata, p.name[len(metaPrefix):]
		last := len(r.Metadata) - 1
		p.isNext = last < 0 || bytes.Compare(r.Metadata[last].Name, p.name) < 0
		return p, value, nil
	case string(p.name) == "connection":
		p.kind = connection
	default:
		p.kind = header
	}
	p.isRepeated = slices.ContainsFunc(r.Headers, func(h Field) bool { return bytes.Equal(h.Name, p.name) })
	return p, value, nil
}

// call names the place.
func (p *place) call(written []byte) {
	p.text = append(p.text[:0], written...)
	for _, c := range written[:len(written)-1] {
		p.text = append(p.text, lowered[c])
	}
	p.written, p.name = p.text[:len(written)], p.text[len(written):]
}

// hasControl says whether text has a control character other than the tab: no value may (RFC 9110 §5.5). A recipient must
// not take CR and NUL for what they are, and net/http refuses the others too.
func hasControl(text []byte) bool {
	for {
		i := controlAt(text)
		if i == len(text) || text[i] != '\t' {
			return i < len(text)
		}
		text = text[i+1:]
	}
}

// controlAt is where the first control character of text is, its length if there is none. The tab is one.
func controlAt(text []byte) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if hits := controls(binary.LittleEndian.Uint64(text[i:])); hits != 0 {
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

// controls has the high bits of a word's bytes set that are less than a blank, or DEL. The lowest of them is right; above it may
// be some of bytes beside one.
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
func controls(word uint64) uint64 {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	del := word ^ 0x7f*ones
	return ((word-' '*ones)&^word | (del-ones)&^del) & highs
}
