package output

import "unicode/utf8"

const hex = "0123456789abcdef"

// appendString appends text as a JSON string. Bytes that are not UTF-8 become U+FFFD: callers that must not lose them
// ask utf8.Valid first, and write base64 under another name. Unlike encoding/json it leaves <, > and & as they are.
// https://www.rfc-editor.org/rfc/rfc8259#section-7
func appendString[T string | []byte](dst []byte, text T) []byte {
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
