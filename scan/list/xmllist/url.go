package xmllist

// appendURLDecoded undoes encoding-type=url: %XX is a byte, and both + and %20 are a blank. ok is false for a text that
// no encoder has written: it has a byte that every encoder escapes, or a percent sign that begins no escape. changed is
// set where the result differs from text. dst may be the beginning of the memory that holds text.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (encoding-type)
func appendURLDecoded(dst, text []byte) (result []byte, changed, ok bool) {
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '+':
			dst, changed = append(dst, ' '), true
		case b == '%':
			if i+2 >= len(text) || hexDigit(text[i+1]) > 15 || hexDigit(text[i+2]) > 15 {
				return nil, false, false
			}
			dst, changed = append(dst, hexDigit(text[i+1])<<4|hexDigit(text[i+2])), true
			i += 2
		case isAlwaysEscaped(b):
			return nil, false, false
		default:
			dst = append(dst, b)
		}
	}
	return dst, changed, true
}

// isAlwaysEscaped reports whether every encoder escapes b. They differ in the punctuation that they leave, but none
// leaves what no URI can hold. https://www.rfc-editor.org/rfc/rfc3986#section-2
func isAlwaysEscaped(b byte) bool {
	switch b {
	case '"', '<', '>', '\\', '^', '`', '{', '|', '}':
		return true
	}
	return b <= ' ' || b >= 0x7f
}

// hexDigit is the value of a digit, and more than 15 for any other byte.
func hexDigit(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10
	}
	return 16
}
