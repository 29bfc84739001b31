package s3sim

import (
	"bytes"
	"errors"
	"math"
	"time"
)

// request is one request head. Its slices point into the connection's read
// buffer and are good until the next read.
type request struct {
	method, target []byte
	fields         []byte // the header lines, each with its CRLF
	host           []byte
	bodyBytes      int64
	isChunked      bool
	http10         bool
	closeAfter     bool // the client wants the connection closed after the answer
	arrived        time.Time
}

var errMalformed = errors.New("malformed request")

// parse reads one request head from the start of buf and returns its length,
// or 0 if it is not complete yet. It goes over the bytes once.
func (r *request) parse(buf []byte) (n int, err error) {
	*r = request{arrived: r.arrived}
	for fieldsAt := 0; ; {
		line, size, err := nextLine(buf[n:])
		if size == 0 || err != nil {
			return 0, err
		}
		n += size
		switch {
		case fieldsAt == 0 && len(line) == 0:
			// An empty line before the request is left over from a body: RFC 9112 §2.2.
		case fieldsAt == 0:
			fieldsAt, err = n, r.parseLine(line)
		case len(line) == 0:
			r.fields = buf[fieldsAt : n-size]
			if r.host == nil && !r.http10 { // RFC 9112 §3.2
				return 0, errMalformed
			}
			return n, nil
		default:
			err = r.parseField(line)
		}
		if err != nil {
			return 0, err
		}
	}
}

// nextLine returns the first line without its CRLF, and its size with it: 0 if
// it is not complete.
func nextLine(buf []byte) (line []byte, size int, err error) {
	end := bytes.IndexByte(buf, '\n')
	if end < 0 {
		return nil, 0, nil
	}
	if end == 0 || buf[end-1] != '\r' {
		return nil, 0, errMalformed
	}
	return buf[:end-1], end + 1, nil
}

// parseLine reads METHOD SP TARGET SP VERSION: RFC 9112 §3.
func (r *request) parseLine(line []byte) error {
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first <= 0 || last <= first+1 {
		return errMalformed
	}
	r.method, r.target = line[:first], line[first+1:last]
	if bytes.IndexByte(r.target, ' ') >= 0 {
		return errMalformed
	}
	switch string(line[last+1:]) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		r.http10, r.closeAfter = true, true
	default:
		return errMalformed
	}
	return nil
}

// parseField keeps what matters to the connection. Signatures read the lines again.
func (r *request) parseField(line []byte) error {
	name, value, ok := splitField(line)
	if !ok {
		return errMalformed
	}
	switch {
	case equalFold(name, "host"):
		r.host = value
	case equalFold(name, "connection"):
		r.closeAfter = r.closeAfter && !equalFold(value, "keep-alive") || equalFold(value, "close")
	case equalFold(name, "transfer-encoding"):
		r.isChunked = true
	case equalFold(name, "content-length"):
		n, ok := parseDigits(value)
		if !ok || n > math.MaxInt32 { // no answer here needs a body of any size
			return errMalformed
		}
		r.bodyBytes = n
	}
	return nil
}

// splitField takes a header line apart. A name that is empty or has a blank at
// either end, and with it a folded line, is refused: RFC 9112 §5.1, §5.2.
func splitField(line []byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || blank(line[0]) || blank(line[colon-1]) {
		return nil, nil, false
	}
	value = line[colon+1:]
	for len(value) > 0 && blank(value[0]) {
		value = value[1:]
	}
	for len(value) > 0 && blank(value[len(value)-1]) {
		value = value[:len(value)-1]
	}
	return line[:colon], value, true
}

func blank(b byte) bool { return b == ' ' || b == '\t' }

// eachField yields the header lines, which parse has found to be well-formed.
func (r *request) eachField(yield func(name, value []byte) bool) {
	for rest := r.fields; len(rest) > 0; {
		line, size, _ := nextLine(rest)
		name, value, _ := splitField(line)
		if !yield(name, value) {
			return
		}
		rest = rest[size:]
	}
}

// equalFold compares ASCII without case. lower is in lower case.
func equalFold(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, b := range text {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}
