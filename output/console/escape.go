package console

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// EscapingWriter returns a writer that writes texts to w, each by one Write and escaped by Escape. Every Write must
// have whole characters.
func EscapingWriter(w io.Writer) io.Writer { return escapingWriter{w} }

type escapingWriter struct{ w io.Writer }

func (e escapingWriter) Write(text []byte) (int, error) {
	escaped := Escape(text)
	n, err := e.w.Write(escaped)
	if len(escaped) == len(text) {
		return n, err
	}
	if err != nil { // which part of text has become the written bytes is not known
		return 0, err
	}
	return len(text), nil
}

// Escape returns lines of text in which each character that a terminal obeys is an escape, as \u001b: control
// characters but the line feed, and those that change the direction of text. A byte that is not UTF-8 becomes \xff. It
// returns text itself where there are none. A text of JSON stays the same JSON.
func Escape(text []byte) []byte {
	var escaped []byte
	copied := 0 // text before it is in escaped
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		format := `\u%04x`
		switch {
		case r == utf8.RuneError && size == 1:
			format, r = `\x%02x`, rune(text[i])
		case r == '\n' || !unicode.IsControl(r) && !isBidi(r):
			i += size
			continue
		}
		escaped = fmt.Appendf(append(escaped, text[copied:i]...), format, r)
		i += size
		copied = i
	}
	if copied == 0 {
		return text
	}
	return append(escaped, text[copied:]...)
}

// isBidi reports whether a character changes the direction of the text beside it.
// https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
func isBidi(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }
