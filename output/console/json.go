package console

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// JSONWriter returns a writer that writes texts of JSON to w, each by one Write, with the characters escaped that a
// terminal obeys. A text stays the same JSON. Every Write must have whole characters.
func JSONWriter(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ w io.Writer }

func (j jsonWriter) Write(text []byte) (int, error) {
	escaped := EscapeJSON(text)
	n, err := j.w.Write(escaped)
	if len(escaped) == len(text) {
		return n, err
	}
	if err != nil { // which part of text has become the written bytes is not known
		return 0, err
	}
	return len(text), nil
}

// EscapeJSON returns lines of JSON in which each character that a terminal obeys is a \u escape: control characters
// but the line feed, and those that change the direction of text. It returns text itself where there are none.
func EscapeJSON(text []byte) []byte {
	var escaped []byte
	copied := 0 // text before it is in escaped
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		if r == '\n' || !unicode.IsControl(r) && !isBidi(r) {
			i += size
			continue
		}
		escaped = fmt.Appendf(append(escaped, text[copied:i]...), `\u%04x`, r)
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
