// Package console writes text for people: lines on standard error, numbers with their nouns, and a status line at the
// bottom of a terminal. It imports nothing else of headcount.
package console

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"
)

// PrintLine formats one line and writes it to w. Keys and messages of a store may hold any bytes, so PrintLine escapes
// them as Printable does. A failed write is ignored: w is standard error, and nothing else is left to report it to.
func PrintLine(w io.Writer, format string, args ...any) {
	_, _ = io.WriteString(w, Printable(fmt.Sprintf(format, args...))+"\n")
}

// Printable escapes every character of text that is not printable or not valid UTF-8, as \n, \x1b or \u202e. A terminal
// then shows such a character instead of obeying it.
func Printable(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if invalid := r == utf8.RuneError && size == 1; strconv.IsPrint(r) && !invalid {
			b.WriteString(text[:size])
		} else {
			quoted := strconv.Quote(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[size:]
	}
	return b.String()
}

// Number formats n with commas between the thousands.
func Number(n int64) string { return humanize.Comma(n) }

// Count formats n and its noun: 1 try, 2 tries.
func Count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// CanDraw reports whether stream is a terminal on which a line can be drawn again: one that obeys escape sequences.
// https://www.gnu.org/software/emacs/manual/html_node/emacs/General-Variables.html (TERM)
func CanDraw(stream any) bool { return IsTerminal(stream) && os.Getenv("TERM") != "dumb" }

// IsTerminal reports whether stream, an io.Reader or io.Writer, is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

const columnsDefault = 80 // of a terminal that does not report its size

// Columns returns how many characters fit into a line of the terminal that stream is now; 0: it is no terminal.
func Columns(stream any) int {
	if !IsTerminal(stream) {
		return 0
	}
	columns, _, err := term.GetSize(int(stream.(*os.File).Fd()))
	if err != nil || columns <= 0 {
		return columnsDefault
	}
	return columns
}
