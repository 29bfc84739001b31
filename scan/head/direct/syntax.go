package direct

import "bytes"

// startsHTTP reports whether text, which may be incomplete, begins like an answer.
func startsHTTP(text []byte) bool {
	const start = "HTTP/1."
	n := min(len(text), len(start))
	return string(text[:n]) == start[:n]
}

// hasHeaderEnd reports whether a header block ends in text.
func hasHeaderEnd(text []byte) bool {
	return bytes.HasSuffix(text, []byte("\r\n\r\n")) || // the usual case: the read ends with the answer
		bytes.Contains(text, []byte("\n\r\n")) || bytes.Contains(text, []byte("\n\n"))
}

// parseStatusLine parses "HTTP/1.1 200 OK" (RFC 9112 §4). The reason may be missing, and the blank before it.
func parseStatusLine(line []byte) (status int, isHTTP10 bool, err error) {
	const version = "HTTP/1.x "
	if !startsHTTP(line) || len(line) < len(version)+3 || line[len(version)-1] != ' ' {
		return 0, false, malformedError("invalid status line")
	}
	minor, code, rest := line[len(version)-2], line[len(version):len(version)+3], line[len(version)+3:]
	for _, digit := range code {
		if digit < '0' || digit > '9' {
			return 0, false, malformedError("invalid status code")
		}
		status = 10*status + int(digit-'0')
	}
	if minor < '0' || minor > '9' || len(rest) > 0 && rest[0] != ' ' || status < 100 {
		return 0, false, malformedError("invalid status line")
	}
	if status == 101 {
		return 0, false, malformedError("status 101 without a request to switch protocols")
	}
	return status, minor == '0', nil
}

// nextLine returns the first line of text without its end, and its size with its end. A lone LF ends a line, too (RFC
// 9112 §2.2).
func nextLine(text []byte) (line []byte, size int) {
	end := bytes.IndexByte(text, '\n')
	if end < 0 {
		return nil, len(text) // impossible in a complete header block
	}
	line = text[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	return line, end + 1
}

// nextField returns the first line of text without its end, joined with its continuation lines (obs-fold, RFC 9112
// §5.2), and the size of all these lines.
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

// foldLine joins a field's line and its continuation line by one blank, in place. Blanks before the field's name
// stay: a blank at the start of the first line after the status line continues no field, and makes the answer
// malformed.
func foldLine(line, more []byte) []byte {
	return append(append(trimTrailingBlanks(line), ' '), trimBlanks(more)...)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

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

// nameLength returns the length of the field name at the start of line, 0 if there is no valid name.
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

// lowerName maps a byte of a field name to lower case, and a byte that a name cannot have to 0 (RFC 9110 §5.6.2,
// token).
var lowerName = func() (table [256]byte) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
		table[c] = c
	}
	for c := byte('A'); c <= 'Z'; c++ {
		table[c] = c + 'a' - 'A'
	}
	return table
}()
