package direct

import (
	"bytes"

	"headcount/scan/fault"
	"headcount/scan/head"
)

// wireError is an answer that is none, or none that can be believed.
type wireError struct {
	class fault.Class
	text  string
}

func (e *wireError) Error() string           { return e.text }
func (e *wireError) FaultClass() fault.Class { return e.class }

func malformedError(what string) error {
	return &wireError{fault.Malformed, "malformed answer: " + what}
}

// errTooLong is an answer whose header block is longer than store.HeaderBytesMax.
var errTooLong = &wireError{fault.HeaderTooLarge, "the answer's header is longer than 64 KiB"}

// hasHeaderEnd says whether a header block ends in text.
func hasHeaderEnd(text []byte) bool {
	return bytes.HasSuffix(text, []byte("\r\n\r\n")) || // nearly always: a store writes whole answers
		bytes.Contains(text, []byte("\n\r\n")) || bytes.Contains(text, []byte("\n\n"))
}

// response is a Result that is parsed from the bytes of an answer. It is used again for one answer after the other.
type response struct {
	head.Result
	cache headerCache // of the answers before

	// Of the answer that is being parsed.
	unsorted               bool // metadata have come out of order, or twice
	sawClose, sawKeepAlive bool // options of Connection
}

// parse reads the header block at the start of text, which holds a whole one, into r's Status, Metadata and Headers. They
// point into text, where folded lines are joined, and into what r remembers of names. It returns the length of the block, and whether
// the store closes the connection after it.
//
// There is no body to be read: the answer to a HEAD has none, whatever its fields say (RFC 9112 §6.3).
func (r *response) parse(text []byte) (length int, closing bool, err error) {
	line, length := nextLine(text)
	status, isHTTP10, err := parseStatusLine(line)
	if err != nil {
		return 0, false, err
	}
	r.Status, r.Metadata, r.Headers = status, r.Metadata[:0], r.Headers[:0]
	r.unsorted, r.sawClose, r.sawKeepAlive = false, false, false
	at, size := r.parseCached(text[length:])
	length += size
	for ; ; at++ {
		line, size := nextField(text[length:])
		length += size
		if len(line) == 0 {
			break
		}
		p, value, err := r.parseField(at, line)
		if err != nil {
			return 0, false, err
		}
		r.addField(p, value)
	}
	if r.unsorted {
		head.SortFields(r.Metadata)
		r.joinMetadata()
	}
	return length, r.sawClose || isHTTP10 && !r.sawKeepAlive, nil // RFC 9112 §9.3
}

// addField adds the field that stands at p.
func (r *response) addField(p *headerSlot, value []byte) {
	if p.kind == metadataField {
		r.unsorted = r.unsorted || !p.inOrder
		r.Metadata = append(r.Metadata, head.Field{Name: p.name, Value: value})
		return
	}
	if p.kind == connectionField {
		r.sawClose = r.sawClose || hasOption(value, "close")
		r.sawKeepAlive = r.sawKeepAlive || hasOption(value, "keep-alive")
	}
	if !p.repeated || !joinHeader(r.Headers, p.name, value) {
		r.Headers = append(r.Headers, head.Field{Name: p.name, Value: value})
	}
}

// nextField is the first line of text without its end, joined with those that go on with it (obs-fold, RFC 9112 §5.2), and
// the size of all.
func nextField(text []byte) (line []byte, size int) {
	line, size = nextLine(text)
	if len(line) == 0 {
		return nil, size
	}
	for size < len(text) && isBlank(text[size]) {
		more, moreSize := nextLine(text[size:])
		line = foldLine(line, more)
		size += moreSize
	}
	return line, size
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
		return 0, false, malformedError("its first line is no status line")
	}
	minor, code, rest := line[len(version)-2], line[len(version):len(version)+3], line[len(version)+3:]
	for _, digit := range code {
		if digit < '0' || digit > '9' {
			return 0, false, malformedError("its status is no number")
		}
		status = 10*status + int(digit-'0')
	}
	if minor < '0' || minor > '9' || len(rest) > 0 && rest[0] != ' ' || status < 100 {
		return 0, false, malformedError("its first line is no status line")
	}
	if status == 101 {
		return 0, false, malformedError("it switches protocols, which nobody asked for")
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

// foldLine joins a field's line and the one that goes on with it by a blank, where the first one lies. The blanks before that
// stay: the first line after the status has no other to go on with, and is malformed.
func foldLine(line, more []byte) []byte {
	return append(append(trimTrailingBlanks(line), ' '), trimBlanks(more)...)
}

func trimBlanks(text []byte) []byte {
	for len(text) > 0 && isBlank(text[0]) {
		text = text[1:]
	}
	return trimTrailingBlanks(text)
}

func trimTrailingBlanks(text []byte) []byte {
	for len(text) > 0 && isBlank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

// nameLength is how long the name is with which the line of a field begins, 0 where it is none.
func nameLength(line []byte) int {
	for i, c := range line {
		if lowerName[c] == 0 {
			if c == ':' {
				return i
			}
			break
		}
	}
	return 0
}

// lowerName is the byte of a field's name in lower case, 0 for one that a name cannot have (RFC 9110 §5.6.2, token).
var lowerName = func() (table [256]byte) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
		table[c] = c
	}
	for c := byte('A'); c <= 'Z'; c++ {
		table[c] = c + 'a' - 'A'
	}
	return table
}()

func hasMetadataPrefix(name []byte) bool {
	return name[0] == head.MetadataPrefix[0] && len(name) > len(head.MetadataPrefix) && string(name[:len(head.MetadataPrefix)]) == head.MetadataPrefix
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

// joinHeader adds value to the header of that name, if there is one. A repeated length that says the same says it once
// (RFC 9110 §8.6).
func joinHeader(headers []head.Field, name, value []byte) bool {
	for i := range headers {
		h := &headers[i]
		if !bytes.Equal(h.Name, name) {
			continue
		}
		if string(name) != "content-length" || !bytes.Equal(h.Value, value) {
			h.Value = joinValues(h.Value, value)
		}
		return true
	}
	return false
}

// joinMetadata makes one Field of those with the same name, which lie beside each other and in the order received.
func (r *response) joinMetadata() {
	kept := 0
	for i := range r.Metadata {
		if kept > 0 && bytes.Equal(r.Metadata[kept-1].Name, r.Metadata[i].Name) {
			r.Metadata[kept-1].Value = joinValues(r.Metadata[kept-1].Value, r.Metadata[i].Value)
			continue
		}
		r.Metadata[kept] = r.Metadata[i]
		kept++
	}
	r.Metadata = r.Metadata[:kept]
}

// joinValues is a list of two values (RFC 9110 §5.3), in memory of its own: there is no room between them where they lie.
func joinValues(a, b []byte) []byte {
	return append(append(append(make([]byte, 0, len(a)+1+len(b)), a...), ','), b...)
}
