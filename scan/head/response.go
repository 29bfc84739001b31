package head

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// wireError is an answer that is none, or none that can be believed.
type wireError struct{ class, text string }

func (e *wireError) Error() string        { return e.text }
func (e *wireError) FailureClass() string { return e.class }

func malformed(what string) error { return &wireError{"malformed", "malformed answer: " + what} }

// errTooLong is an answer whose header block is longer than store.HeaderBytesMax.
var errTooLong = &wireError{"header_too_large", "the answer's header is longer than 64 KiB"}

// headerEnds says whether a header block ends in text.
func headerEnds(text []byte) bool {
	return bytes.HasSuffix(text, []byte("\r\n\r\n")) || // nearly always: a store writes whole answers
		bytes.Contains(text, []byte("\n\r\n")) || bytes.Contains(text, []byte("\n\n"))
}

// parse reads the header block at the start of text, which holds a whole one, into r's Status, Metadata and Headers. They
// point into text, where folded lines are joined, and into what r remembers of names. It returns the length of the block, and whether
// the store closes the connection after it.
//
// There is no body to be read: the answer to a HEAD has none, whatever its fields say (RFC 9112 §6.3).
func (r *Result) parse(text []byte) (length int, closing bool, err error) {
	var isHTTP10, isClosed, isKept bool
	line, length := nextLine(text)
	if r.Status, isHTTP10, err = parseStatusLine(line); err != nil {
		return 0, false, err
	}
	metadata, headers := r.Metadata[:0], r.Headers[:0]
	seen := nameSet(0)
	for at := 0; ; at++ {
		line, size := nextLine(text[length:])
		length += size
		if len(line) == 0 {
			break
		}
		for length < len(text) && isBlank(text[length]) { // obs-fold, RFC 9112 §5.2
			more, size := nextLine(text[length:])
			line = fold(line, more)
			length += size
		}
		name, value, err := r.names.parseField(at, line)
		if err != nil {
			return 0, false, err
		}
		if isMetadata(name) {
			metadata = append(metadata, Field{name[len(metaPrefix):], value})
			continue
		}
		if string(name) == "connection" {
			isClosed = isClosed || hasOption(value, "close")
			isKept = isKept || hasOption(value, "keep-alive")
		}
		if !seen.has(name) || !joinRepeated(headers, name, value) {
			headers = append(headers, Field{name, value})
		}
	}
	r.Metadata, r.Headers = metadata, headers
	r.sortMetadata()
	r.joinMetadata()
	return length, isClosed || isHTTP10 && !isKept, nil // RFC 9112 §9.3
}

// nextLine is the first line of text without its end, and its size with it. A lone LF ends a line too (RFC 9112 §2.2).
func nextLine(text []byte) (line []byte, size int) {
	end := bytes.IndexByte(text, '\n')
	if end < 0 {
		return nil, len(text) // not in a whole block
	}
	line = text[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	return line, end + 1
}

// parseStatusLine reads "HTTP/1.1 200 OK" (RFC 9112 §4). The reason may be missing, with the blank before it.
func parseStatusLine(line []byte) (status int, isHTTP10 bool, err error) {
	const version = "HTTP/1.x "
	if !startsHTTP(line) || len(line) < len(version)+3 || line[len(version)-1] != ' ' {
		return 0, false, malformed("its first line is no status line")
	}
	minor, code, rest := line[len(version)-2], line[len(version):len(version)+3], line[len(version)+3:]
	for _, digit := range code {
		if digit < '0' || digit > '9' {
			return 0, false, malformed("its status is no number")
		}
		status = 10*status + int(digit-'0')
	}
	if minor < '0' || minor > '9' || len(rest) > 0 && rest[0] != ' ' || status < 100 {
		return 0, false, malformed("its first line is no status line")
	}
	if status == 101 {
		return 0, false, malformed("it switches protocols, which nobody asked for")
	}
	return status, minor == '0', nil
}

// startsHTTP says whether text, which may be cut short, begins as an answer does.
func startsHTTP(text []byte) bool {
	const start = "HTTP/1."
	n := min(len(text), len(start))
	return string(text[:n]) == start[:n]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// fold joins a field's line and the one that goes on with it by a blank, where the first one lies. The blanks before that
// stay: the first line after the status has no other to go on with, and is malformed.
func fold(line, more []byte) []byte {
	return append(append(trimEnd(line), ' '), trimBlanks(more)...)
}

func trimBlanks(text []byte) []byte {
	for len(text) > 0 && isBlank(text[0]) {
		text = text[1:]
	}
	return trimEnd(text)
}

func trimEnd(text []byte) []byte {
	for len(text) > 0 && isBlank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

// nameBook remembers how the names of an answer's fields were written: a store sends the same ones in the same order
// with nearly every answer, and to see that it did is quicker than to read them.
type nameBook []struct{ written, lower []byte }

// parseField takes the line of the field at a place apart (RFC 9112 §5): the name, lowered, and the value without outer
// blanks. The name may be the book's, valid until that place is parsed again.
func (b *nameBook) parseField(at int, line []byte) (name, value []byte, err error) {
	if at < len(*b) {
		known := &(*b)[at]
		if n := len(known.written); n < len(line) && line[n] == ':' && string(line[:n]) == string(known.written) {
			name, value = known.lower, line[n+1:]
		}
	}
	if name == nil {
		n := nameEnd(line)
		if n == 0 {
			return nil, nil, malformed("a field has no name that is one")
		}
		name, value = b.learn(at, line[:n]), line[n+1:]
	}
	value = trimBlanks(value)
	if hasControl(value) {
		return nil, nil, malformed("a field has a control character in its value")
	}
	return name, value, nil
}

// nameEnd is how long the name is with which the line of a field begins, 0 where it is none.
func nameEnd(line []byte) int {
	for i, c := range line {
		if lowered[c] == 0 {
			if c == ':' {
				return i
			}
			break
		}
	}
	return 0
}

// bookMax is how many names are remembered. Few answers have as many fields.
const bookMax = 64

// learn remembers a name, and returns it lowered.
func (b *nameBook) learn(at int, name []byte) []byte {
	if at >= bookMax {
		for i, c := range name {
			name[i] = lowered[c]
		}
		return name[:len(name):len(name)]
	}
	if at == len(*b) {
		*b = append(*b, struct{ written, lower []byte }{})
	}
	place := &(*b)[at]
	place.written = append(place.written[:0], name...)
	place.lower = place.lower[:0]
	for _, c := range name {
		place.lower = append(place.lower, lowered[c])
	}
	return place.lower
}

// hasControl says whether text has a control character other than the tab: no value may (RFC 9110 §5.5). A recipient must
// not take CR and NUL for what they are, and net/http refuses the others too.
func hasControl(text []byte) bool {
	if len(text) < 8 {
		return slices.ContainsFunc(text, isControl)
	}
	last := len(text) - 8
	for i := 0; i < last; i += 8 {
		if mayHaveControl(binary.LittleEndian.Uint64(text[i:])) && slices.ContainsFunc(text[i:i+8], isControl) {
			return true
		}
	}
	return mayHaveControl(binary.LittleEndian.Uint64(text[last:])) && slices.ContainsFunc(text[last:], isControl)
}

func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

// mayHaveControl says whether a byte of the word is less than a blank, or DEL. It may say so of bytes beside them.
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
func mayHaveControl(word uint64) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	del := word ^ 0x7f*ones
	return ((word-' '*ones)&^word|(del-ones)&^del)&highs != 0
}

// lowered is the byte of a field's name in lower case, 0 for one that a name cannot have (RFC 9110 §5.6.2, token).
var lowered = func() (table [256]byte) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
		table[c] = c
	}
	for c := byte('A'); c <= 'Z'; c++ {
		table[c] = c + 'a' - 'A'
	}
	return table
}()

func isMetadata(name []byte) bool {
	return name[0] == metaPrefix[0] && len(name) > len(metaPrefix) && string(name[:len(metaPrefix)]) == metaPrefix
}

// hasOption says whether a Connection field has that option (RFC 9110 §7.6.1).
func hasOption(value []byte, option string) bool {
	for text := range bytes.SplitSeq(value, []byte{','}) {
		// Of the same length, since the letters that are equal but for their case are not all ASCII.
		if text = trimBlanks(text); len(text) == len(option) && bytes.EqualFold(text, []byte(option)) {
			return true
		}
	}
	return false
}

// nameSet remembers names roughly: it may take a name for one that it has seen, and never the other way round. Repeated
// fields are rare, and this makes the search for them so.
type nameSet uint64

// has says whether name was perhaps seen before, and remembers it.
func (s *nameSet) has(name []byte) bool {
	bit := nameSet(1) << ((uint(len(name))*7 + uint(name[0]) + 3*uint(name[len(name)-1]) + 5*uint(name[len(name)/2])) & 63)
	seen := *s&bit != 0
	*s |= bit
	return seen
}

// joinRepeated adds value to the header of that name, if there is one. A repeated length that says the same says it once
// (RFC 9110 §8.6).
func joinRepeated(headers []Field, name, value []byte) bool {
	for i := range headers {
		h := &headers[i]
		if !bytes.Equal(h.Name, name) {
			continue
		}
		if string(name) != "content-length" || !bytes.Equal(h.Value, value) {
			h.Value = joined(h.Value, value)
		}
		return true
	}
	return false
}

// joinMetadata makes one Field of those with the same name, which lie beside each other and in the order received.
func (r *Result) joinMetadata() {
	kept := 0
	for i := range r.Metadata {
		if kept > 0 && bytes.Equal(r.Metadata[kept-1].Name, r.Metadata[i].Name) {
			r.Metadata[kept-1].Value = joined(r.Metadata[kept-1].Value, r.Metadata[i].Value)
			continue
		}
		r.Metadata[kept] = r.Metadata[i]
		kept++
	}
	r.Metadata = r.Metadata[:kept]
}

// joined is a list of two values (RFC 9110 §5.3), in memory of its own: there is no room between them where they lie.
func joined(a, b []byte) []byte {
	return append(append(append(make([]byte, 0, len(a)+1+len(b)), a...), ','), b...)
}
