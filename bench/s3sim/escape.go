package s3sim

import (
	"bytes"
	"unicode/utf8"
)

// appendUnescaped appends text with its percent escapes decoded. It returns false if an escape is invalid. plusIsSpace
// is for query strings; in a path a plus stands for itself (RFC 3986 §2.1, §3.3).
func appendUnescaped(dst, text []byte, plusIsSpace bool) ([]byte, bool) {
	if !plusIsSpace && bytes.IndexByte(text, '%') < 0 {
		return append(dst, text...), true
	}
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '%':
			if i+2 >= len(text) {
				return dst, false
			}
			high, ok1 := hexValue(text[i+1])
			low, ok2 := hexValue(text[i+2])
			if !ok1 || !ok2 {
				return dst, false
			}
			dst = append(dst, high<<4|low)
			i += 2
		case b == '+' && plusIsSpace:
			dst = append(dst, ' ')
		default:
			dst = append(dst, b)
		}
	}
	return dst, true
}

func hexValue(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10, true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}

// appendURLEncoded appends a key as AWS encodes it for encoding-type=url: a blank becomes a plus, a slash stays.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html#API_ListObjectsV2_ResponseSyntax
func appendURLEncoded(dst, key []byte) []byte {
	plain := 0 // start of the bytes that are copied unchanged
	for i, b := range key {
		if isUnreserved(b) || b == '/' || b == '*' {
			continue
		}
		dst = append(dst, key[plain:i]...)
		plain = i + 1
		if b == ' ' {
			dst = append(dst, '+')
		} else {
			dst = append(dst, '%', upperHex[b>>4], upperHex[b&15])
		}
	}
	return append(dst, key[plain:]...)
}

const upperHex = "0123456789ABCDEF"

// isUnreserved reports whether a byte needs no escape in any part of a URL (RFC 3986 §2.3).
func isUnreserved(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' ||
		b == '-' || b == '_' || b == '.' || b == '~'
}

// appendXML appends text as XML character data. It replaces characters that XML 1.0 cannot represent and invalid UTF-8
// by U+FFFD, as versitygw does: such a key is lost.
// https://www.w3.org/TR/xml/#charsets
func appendXML(dst, text []byte) []byte {
	for len(text) > 0 {
		r, size := rune(text[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text)
		}
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\r': // a parser reads an unescaped \r as \n: https://www.w3.org/TR/xml/#sec-line-ends
			dst = append(dst, "&#13;"...)
		case !isXMLChar(r):
			dst = append(dst, "\ufffd"...)
		default: // an invalid byte decodes as U+FFFD
			dst = utf8.AppendRune(dst, r)
		}
		text = text[size:]
	}
	return dst
}

// isXMLChar reports whether an XML 1.0 document may contain a character.
func isXMLChar(r rune) bool {
	return r >= 0x20 && r <= 0xd7ff || r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= utf8.MaxRune
}

// xmlRepresentable reports whether XML 1.0 can represent text unchanged.
func xmlRepresentable(text string) bool {
	for _, r := range text {
		if !isXMLChar(r) {
			return false
		}
	}
	return utf8.ValidString(text)
}
