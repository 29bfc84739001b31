package output

import (
	"encoding/base64"
	"encoding/binary"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// appendString appends text as a JSON string. A byte that is not UTF-8 becomes U+FFFD: a caller that must keep it
// checks utf8.Valid first, and uses appendBase64. Unlike encoding/json, it leaves <, > and & as they are.
// https://www.rfc-editor.org/rfc/rfc8259#section-7
func appendString(dst, text []byte) []byte {
	if dst, ok := appendVerbatim(dst, text); ok {
		return dst
	}
	return appendEscaped(dst, text)
}

// appendVerbatim is appendString for text without a byte to escape, which nearly all text is: it copies the text first,
// and then checks the copy. For other text it returns dst unchanged, and false.
func appendVerbatim(dst, text []byte) ([]byte, bool) {
	dst = append(dst, '"')
	from := len(dst)
	dst = append(dst, text...)
	if !isVerbatim(dst[from:]) {
		return dst[:from-1], false
	}
	return append(dst, '"'), true
}

// isVerbatim reports whether text is ASCII that JSON does not escape. DEL is escaped too, since terminals act on it. It
// compares eight bytes at a time; the last word may overlap the one before.
func isVerbatim(text []byte) bool {
	if len(text) < 8 {
		for _, c := range text {
			if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
				return false
			}
		}
		return true
	}
	last := len(text) - 8
	for i := 0; i < last; i += 8 {
		if !isVerbatimWord(binary.LittleEndian.Uint64(text[i:])) {
			return false
		}
	}
	return isVerbatimWord(binary.LittleEndian.Uint64(text[last:]))
}

// isVerbatimWord is isVerbatim for the eight bytes of a word. Subtracting sets the high bit of a byte that is zero, or
// less than a space. https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
func isVerbatimWord(word uint64) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	quote, backslash, del := word^('"'*ones), word^('\\'*ones), word^(0x7f*ones)
	hit := word | (word - ' '*ones) | (quote-ones)&^quote | (backslash-ones)&^backslash | (del-ones)&^del
	return hit&highs == 0
}

// appendEscaped is appendString for any text.
func appendEscaped(dst, text []byte) []byte {
	dst = append(dst, '"')
	copied := 0 // text before it is in dst
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			dst = appendEscape(append(dst, text[copied:i]...), c)
			i++
			copied = i
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, text[copied:i]...), `\ufffd`...)
			copied = i + 1
		case r == '\u2028' || r == '\u2029': // legal in JSON, but some readers end a line there
			dst = append(append(dst, text[copied:i]...), `\u202`...)
			dst = append(dst, hex[r&0xf])
			copied = i + size
		}
		i += size
	}
	dst = append(dst, text[copied:]...)
	return append(dst, '"')
}

// appendEscape appends the escape sequence of an ASCII character.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}

// appendBase64 appends a JSON string of the bytes in base64.
func appendBase64(dst, value []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), value), '"')
}

// closeObject ends an object: the comma after its last member becomes the brace.
func closeObject(line []byte) []byte {
	if last := len(line) - 1; line[last] == ',' {
		line[last] = '}'
		return line
	}
	return append(line, '}')
}
