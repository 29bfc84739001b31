package direct

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"headcount/scan/fault"
	"headcount/scan/head"
)

// headerCache remembers the field names of the answer before, one slot for each field in order. A store sends the
// same fields in the same order with nearly every answer. It is faster to compare a name than to parse it, and the
// facts that follow from the order of the names are known.
type headerCache []headerSlot

// headerSlot holds the facts about one field name.
type headerSlot struct {
	nameBuf  []byte // holds both names
	wireName []byte // as received, with the colon
	name     []byte // in lower case, without the prefix of metadata
	kind     fieldKind

	repeated bool // an earlier header has the same name
	inOrder  bool // all earlier metadata have smaller names
}

type fieldKind uint8

const (
	headerField fieldKind = iota
	connectionField
	metadataField
	furtherField // metadata under head.Config.MetadataPrefix
	otherField   // metadata under the prefix of another vendor
)

// headerCacheMax limits the slots. Few answers have as many fields.
const headerCacheMax = 64

// parseCached parses fields at the start of text, as long as each has the name of its slot and is a simple line. A
// simple line ends with CRLF, and has no control character and no continuation line. It returns the number of these
// fields, and their size.
func (r *response) parseCached(text []byte) (at, size int) {
	rest := text
	for ; at < len(r.cache); at++ {
		slot := &r.cache[at]
		from := len(slot.wireName)
		if len(rest) <= from || string(rest[:from]) != string(slot.wireName) {
			break
		}
		value := rest[from:]
		if value[0] == ' ' {
			value = value[1:]
		}
		n := controlIndex(value)
		end := value[n:]
		if len(end) < len("\r\n ") || end[0] != '\r' || end[1] != '\n' || isBlank(end[2]) {
			break
		}
		rest = end[len("\r\n"):]
		value = value[:n]
		if n > 0 && (isBlank(value[0]) || isBlank(value[n-1])) {
			value = trimBlanks(value)
		}
		switch {
		case slot.kind == metadataField && slot.inOrder:
			appendHeader(&r.Metadata, slot.name, value)
		case slot.kind == headerField && !slot.repeated:
			appendHeader(&r.Headers, slot.name, value)
		default:
			r.addField(slot, value)
		}
	}
	return at, len(text) - len(rest)
}

// appendHeader appends a Header. It assigns the members in place: the processor waits longer for a Header that is
// written to the stack and then copied.
func appendHeader(headers *[]head.Header, name, value []byte) {
	n := len(*headers)
	if n == cap(*headers) {
		*headers = slices.Grow(*headers, 1)
	}
	*headers = (*headers)[:n+1]
	h := &(*headers)[n]
	h.Name, h.Value = name, value
}

// parseField parses the line of the field with index at (RFC 9112 §5), and stores the facts about its name in the
// slot. It drops the later slots: their facts depend on the fields before them. The slot is valid until the next
// parseField.
func (r *response) parseField(at int, line []byte) (slot *headerSlot, value []byte, err error) {
	n := nameLength(line)
	if n == 0 {
		return nil, nil, malformedError("invalid field name")
	}
	value = trimBlanks(line[n+1:])
	if hasForbidden(value) {
		return nil, nil, &fault.UnusableError{What: "NUL or CR in a field value"}
	}
	if at < headerCacheMax {
		r.cache = slices.Grow(r.cache[:at], 1)[:at+1]
		slot = &r.cache[at]
	} else {
		slot = new(headerSlot)
	}
	slot.setName(line[:n+1])
	switch {
	case hasMetadataPrefix(slot.name):
		slot.kind, slot.name = metadataField, slot.name[len(head.MetadataPrefix):]
		last := len(r.Metadata) - 1
		slot.inOrder = last < 0 || bytes.Compare(r.Metadata[last].Name, slot.name) < 0
		return slot, value, nil
	case len(slot.name) > len(r.prefix) && r.prefix != "" && bytes.HasPrefix(slot.name, []byte(r.prefix)):
		slot.kind, slot.name = furtherField, slot.name[len(r.prefix):]
		return slot, value, nil
	case head.OtherPrefix(slot.name) != nil:
		slot.kind = otherField
	case string(slot.name) == "connection":
		slot.kind = connectionField
	default:
		slot.kind = headerField
	}
	slot.repeated = slices.ContainsFunc(r.Headers, func(h head.Header) bool { return bytes.Equal(h.Name, slot.name) })
	return slot, value, nil
}

func hasMetadataPrefix(name []byte) bool {
	const prefix = head.MetadataPrefix
	return name[0] == prefix[0] && len(name) > len(prefix) && string(name[:len(prefix)]) == prefix
}

// setName sets the slot's names. wireName is the name as received, with the colon.
func (slot *headerSlot) setName(wireName []byte) {
	n := len(wireName)
	slot.nameBuf = append(slot.nameBuf[:0], wireName...)
	for _, c := range wireName[:n-1] {
		slot.nameBuf = append(slot.nameBuf, lowerName[c])
	}
	slot.wireName, slot.name = slot.nameBuf[:n], slot.nameBuf[n:]
}

// hasForbidden reports whether text has a NUL or a CR, which no recipient may accept in a field value. It may keep
// other control characters (RFC 9110 §5.5), and some stores send them in metadata.
func hasForbidden(text []byte) bool {
	for {
		i := controlIndex(text)
		if i == len(text) || text[i] == 0 || text[i] == '\r' {
			return i < len(text)
		}
		text = text[i+1:]
	}
}

// controlIndex returns the index of the first control character of text, or len(text). Tabs count, too.
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

// controlBytes marks the bytes of word that are below a blank, or DEL, by their high bits. The lowest mark is right.
// Higher marks may be wrong: they may mark the neighbour of a control character.
// https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord
func controlBytes(word uint64) uint64 {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	return ((word - ' '*ones) | (word&^highs + ones)) &^ word & highs
}
