package output

import (
	"encoding/binary"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// appendString appends text as a JSON string. Bytes that are not UTF-8 become U+FFFD: callers that must not lose them
// ask utf8.Valid first, and write base64 under another name. Unlike encoding/json it leaves <, > and & as they are.
// https://www.rfc-editor.org/rfc/rfc8259#section-7
func appendString[T string | []byte](dst []byte, text T) []byte {
	if dst, ok := appendVerbatim(dst, text); ok {
		return dst
	}
	return appendEscaped(dst, text)
}

// appendVerbatim is appendString for text of which every byte stands for itself, which is nearly all there is: it is copied, and
// only then looked at, eight bytes at a time. Otherwise dst is returned as it was, and false.
func appendVerbatim[T string | []byte](dst []byte, text T) ([]byte, bool) {
	dst = append(dst, '"')
	from := len(dst)
	dst = append(dst, text...)
	if !isVerbatim(dst[from:]) {
		return dst[:from-1], false
	}
	return append(dst, '"'), true
}

// isVerbatim says whether text is ASCII that JSON does not escape. DEL is escaped too, for the sake of terminals.
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
		if !areVerbatim(binary.LittleEndian.Uint64(text[i:])) {
			return false
		}
	}
	return areVerbatim(binary.LittleEndian.Uint64(text[last:]))
}

// areVerbatim is isVerbatim for the eight bytes of a word. A byte that is zero, or less than a blank, borrows its high bit.
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
func areVerbatim(word uint64) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	quote, backslash, del := word^('"'*ones), word^('\\'*ones), word^(0x7f*ones)
	hit := word | (word - ' '*ones) | (quote-ones)&^quote | (backslash-ones)&^backslash | (del-ones)&^del
	return hit&highs == 0
}

// appendEscaped is appendString for any text.
func appendEscaped[T string | []byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	plain := 0 // where the bytes begin that are copied as they are
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			dst = appendEscape(append(dst, text[plain:i]...), c)
			i++
			plain = i
			continue
		}
		r, size := decodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, text[plain:i]...), `\ufffd`...)
			plain = i + 1
		case r == '\u2028' || r == '\u2029': // legal in JSON, but the end of a line to some readers
			dst = append(append(dst, text[plain:i]...), `\u202`...)
			dst = append(dst, hex[r&0xf])
			plain = i + size
		}
		i += size
	}
	dst = append(dst, text[plain:]...)
	return append(dst, '"')
}

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

func decodeRune[T string | []byte](text T) (rune, int) {
	var four [utf8.UTFMax]byte
	n := copy(four[:], text)
	return utf8.DecodeRune(four[:n])
}
