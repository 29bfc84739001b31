package s3sim

import (
	"bytes"
	"errors"
	"math"
	"time"
)

// request is one request head. Its slices point into the connection's read buffer and are valid until the next read.
type request struct {
	method, target []byte
	fields         []byte // header lines, each with its CRLF
	host           []byte
	bodyBytes      int64
	chunked        bool
	http10         bool
	closeAfter     bool   // the client wants the connection closed after the response
	checksumMode   bool   // x-amz-checksum-mode is ENABLED
	restoreStatus  bool   // x-amz-optional-object-attributes has RestoreStatus
	customerKey    []byte // of x-amz-server-side-encryption-customer-key; nil: none
	arrived        time.Time
}

var errMalformed = errors.New("malformed request")

// parse parses one request head at the start of buf and returns its length. It returns 0 if the head is incomplete.
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
			// RFC 9112 §2.2: ignore an empty line before the request line.
		case fieldsAt == 0:
			fieldsAt, err = n, r.parseRequestLine(line)
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

// nextLine returns the first line without its CRLF, and the length with the CRLF. The length is 0 if the line is
// incomplete.
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

// parseRequestLine parses METHOD SP TARGET SP VERSION: RFC 9112 §3.
func (r *request) parseRequestLine(line []byte) error {
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

// parseField parses the headers that concern the connection, and those that ask for more in the response. verify parses
// the header lines again.
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
		r.chunked = true
	case equalFold(name, "x-amz-checksum-mode"):
		r.checksumMode = equalFold(value, "enabled")
	case equalFold(name, "x-amz-optional-object-attributes"):
		r.restoreStatus = bytes.Contains(value, []byte("RestoreStatus"))
	case equalFold(name, customerKeyHeader):
		r.customerKey = value
	case equalFold(name, "content-length"):
		n, ok := parseDigits(value)
		if !ok || n > math.MaxInt32 { // no supported operation has a body of any size
			return errMalformed
		}
		r.bodyBytes = n
	}
	return nil
}

// splitField splits a header line into name and value. It refuses a name that is empty or has a blank at either end,
// and thereby a folded line: RFC 9112 §5.1, §5.2.
func splitField(line []byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || isBlank(line[0]) || isBlank(line[colon-1]) {
		return nil, nil, false
	}
	value = line[colon+1:]
	for len(value) > 0 && isBlank(value[0]) {
		value = value[1:]
	}
	for len(value) > 0 && isBlank(value[len(value)-1]) {
		value = value[:len(value)-1]
	}
	return line[:colon], value, true
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' }

// eachField yields the header lines. parse must have accepted them.
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

// field returns the first value of a header. lower is the name in lower case.
func (r *request) field(lower string) (value []byte, present bool) {
	for name, raw := range r.eachField {
		if equalFold(name, lower) {
			return raw, true
		}
	}
	return nil, false
}

// equalFold compares ASCII text without regard to case. lower must be in lower case.
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
