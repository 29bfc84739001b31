package xmllist

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Nearly every byte of a page stands for itself in a text. Such bytes are searched eight at a time, in a word that
// holds eight bytes, the first one lowest.
// https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord
const (
	eachByte = 0x0101010101010101 // times a byte: that byte eight times
	highBits = 0x80 * eachByte    // no ASCII byte has one of these
)

// plainEnd is the index of the first byte from i on that does not stand for itself in every text: a byte that is not
// ASCII, a control character, & or <, or >, which may end the forbidden ]]>. The padding of the window has such bytes.
func plainEnd(w []byte, i int) int {
	for ; i <= len(w)-8; i += 8 {
		word := binary.LittleEndian.Uint64(w[i:])
		// A subtraction sets the high bit of a byte that it takes below zero, which only a byte that is searched can
		// be. The borrow may then mark bytes after it wrongly, so only the lowest mark is right.
		odd := word | // not ASCII
			(word - ' '*eachByte) | // a control character
			((word ^ '&'*eachByte) - eachByte) |
			((word | ('<'^'>')*eachByte ^ '>'*eachByte) - eachByte) // < and >, which differ in one bit
		if odd &= highBits; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	return len(w) - 1 // never reached: the padding has eight zeros
}

// appendText appends the text at i to dst and returns the index of the tag behind it, and 0 for a text that it does not
// understand. It understands UTF-8, line feeds and the references that servers write.
func appendText(dst, w []byte, i int) ([]byte, int) {
	for {
		end := plainEnd(w, i)
		dst = append(dst, w[i:end]...)
		i = end
		b, size := w[i], 1
		switch {
		case b == '<':
			return dst, i
		case b == '&':
			if b, size = reference(w[i:]); size == 0 {
				return dst, 0
			}
			dst = append(dst, b)
		case b == '\n' || b == '\t' || b == '>' && !(w[i-1] == ']' && w[i-2] == ']'):
			dst = append(dst, b)
		case b >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRune(w[i:]); r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
				return dst, 0
			}
			dst = append(dst, w[i:i+size]...)
		default:
			return dst, 0
		}
		i += size
	}
}

// reference returns the character that the reference at the head of w stands for, and the length of the reference; 0
// for one that servers do not write. They write the five entities, and Go's xml.EscapeText writes numbers.
// https://www.w3.org/TR/xml/#sec-references, https://www.w3.org/TR/xml/#sec-predefined-ent
func reference(w []byte) (b byte, size int) {
	switch {
	case hasPrefix(w, "&quot;"):
		return '"', len("&quot;")
	case hasPrefix(w, "&#34;"):
		return '"', len("&#34;")
	case hasPrefix(w, "&amp;"), hasPrefix(w, "&#38;"):
		return '&', len("&amp;")
	case hasPrefix(w, "&#39;"):
		return '\'', len("&#39;")
	case hasPrefix(w, "&apos;"):
		return '\'', len("&apos;")
	case hasPrefix(w, "&lt;"):
		return '<', len("&lt;")
	case hasPrefix(w, "&gt;"):
		return '>', len("&gt;")
	case hasPrefix(w, "&#xA;"), hasPrefix(w, "&#10;"):
		return '\n', len("&#xA;")
	case hasPrefix(w, "&#xD;"), hasPrefix(w, "&#13;"):
		return '\r', len("&#xD;")
	case hasPrefix(w, "&#x9;"):
		return '\t', len("&#x9;")
	}
	return 0, 0
}
