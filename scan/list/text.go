package list

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// place is where in a document a text stands, which decides what has a meaning in it.
type place int

const (
	inElement place = iota // between tags
	inQuotes               // the value of an attribute
	inCDATA                // <![CDATA[…]]>
)

// appendText appends the characters that raw stands for: references are replaced, and line ends become line feeds. It
// refuses what is not UTF-8, or no character of XML, or not allowed there, as encoding/xml does.
// https://www.w3.org/TR/xml/#syntax, https://www.w3.org/TR/xml/#sec-line-ends, https://www.w3.org/TR/xml/#charsets
func appendText(dst, raw []byte, in place) ([]byte, error) {
	i := 0
	for {
		if n := plainEnd(raw, i); n > i {
			dst = append(dst, raw[i:n]...)
			i = n
		}
		// Keys that are not ASCII at all are met here, one character after the other.
		for i < len(raw) && raw[i] >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(raw[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				return dst, errors.New("invalid UTF-8")
			case !isChar(r):
				return dst, fmt.Errorf("the character %U", r)
			}
			dst = append(dst, raw[i:i+size]...)
			i += size
		}
		if i == len(raw) {
			return dst, nil
		}
		switch b := raw[i]; {
		case b == '&' && in != inCDATA:
			r, size, err := reference(raw[i:])
			if err != nil {
				return dst, err
			}
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		case b == '<' && in == inQuotes:
			return dst, errors.New("< in an attribute's value")
		case b == '>' && in == inElement && bytes.HasSuffix(raw[:i], []byte("]]")):
			return dst, errors.New("]]> in a text")
		case b == '\r':
			dst = append(dst, '\n')
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
		case !isChar(rune(b)):
			return dst, fmt.Errorf("the character %U", b)
		default:
			dst = append(dst, b)
		}
		i++
	}
}

// reference is the character that the reference at the head of raw stands for, and how long the reference is. Entities
// are the five that need no DOCTYPE. Half a surrogate pair becomes U+FFFD, with encoding/xml: the key is a lossy one.
// https://www.w3.org/TR/xml/#sec-references, https://www.w3.org/TR/xml/#sec-predefined-ent
func reference(raw []byte) (r rune, size int, err error) {
	end := 1
	for end < len(raw) && raw[end] != ';' {
		end++
	}
	switch name := raw[1:end]; string(name) {
	case "quot":
		r = '"'
	case "amp":
		r = '&'
	case "lt":
		r = '<'
	case "gt":
		r = '>'
	case "apos":
		r = '\''
	default:
		var ok bool
		if r, ok = codePoint(name); !ok {
			return 0, 0, fmt.Errorf("the reference %.20q", raw)
		}
	}
	if end == len(raw) {
		return 0, 0, errors.New("a reference without an end")
	}
	return r, end + 1, nil
}

// codePoint is the character that a numeric reference names: #10 or #xA.
// https://www.w3.org/TR/xml/#NT-CharRef
func codePoint(name []byte) (rune, bool) {
	digits, numeric := bytes.CutPrefix(name, []byte("#"))
	if !numeric {
		return 0, false
	}
	base := 10
	if hex, ok := bytes.CutPrefix(digits, []byte("x")); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(string(digits), base, 31)
	r := rune(n)
	return r, err == nil && (isChar(r) || utf16.IsSurrogate(r))
}

// isChar says whether XML allows the character in a document.
// https://www.w3.org/TR/xml/#NT-Char
func isChar(r rune) bool {
	return r >= ' ' && r <= 0xD7FF || r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}
