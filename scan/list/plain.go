package list

import (
	"encoding/binary"
	"math/bits"
)

// Nearly every byte of a page is a letter of a tag's name or stands for itself in a text. Both are looked for eight
// at a time, in a word that holds eight bytes, the first of them lowest.
// https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord
const (
	eachByte = 0x0101010101010101 // times a byte: that byte eight times
	highBits = 0x80 * eachByte    // what no ASCII byte has
)

// plainEnd is the next place in text, from i on, of a byte that does not stand for itself in any XML text, or the end of
// text. Those that do are ASCII from the blank on, but neither & nor <, nor >, which may end the forbidden ]]>.
func plainEnd(text []byte, i int) int {
	for ; i <= len(text)-8; i += 8 {
		word := binary.LittleEndian.Uint64(text[i : i+8])
		// A subtraction sets the high bit of a byte that it takes below zero, which only a byte that is looked for can
		// be; the borrow may then mark bytes after it wrongly. So the lowest mark is right, and it is the one used.
		odd := word | // not ASCII
			(word - ' '*eachByte) | // a control character
			((word ^ '&'*eachByte) - eachByte) |
			((word | ('<'^'>')*eachByte ^ '>'*eachByte) - eachByte) // < and >, which differ in a bit
		if odd &= highBits; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for i < len(text) && isPlain(text[i]) {
		i++
	}
	return i
}

func isPlain(b byte) bool { return b >= ' ' && b < 0x80 && b != '&' && b != '<' && b != '>' }

// lettersEnd is the next place in text, from i on, of a byte that is no ASCII letter, or the end of text.
func lettersEnd(text []byte, i int) int {
	for ; i <= len(text)-8; i += 8 {
		word := binary.LittleEndian.Uint64(text[i : i+8])
		small := word | ('a'-'A')*eachByte // capitals made small, and nothing else made a letter
		odd := word |                      // not ASCII
			(small - 'a'*eachByte) | // below a
			(small + (0x7F-'z')*eachByte) // over z; what carries into the next byte is not ASCII, and marked itself
		if odd &= highBits; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for i < len(text) && isLetter(text[i]) {
		i++
	}
	return i
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
