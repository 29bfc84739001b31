package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen lets log lines and a progress line share standard error: what is written while a line is drawn takes its place,
// and the next tick draws it again below.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	drawn bool
}

// clearLine takes what is drawn away. No other escape sequence is ever sent, with or without NO_COLOR.
const clearLine = "\r\x1b[K"

func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return s.w.Write(text)
}

// draw puts line into the place of the line that is drawn; the empty one only takes that away. It fails only when
// standard error does, and then there is nobody to tell.
func (s *screen) draw(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	_, _ = io.WriteString(s.w, line)
	s.drawn = line != ""
}

func (s *screen) clear() {
	if s.drawn {
		_, _ = io.WriteString(s.w, clearLine)
		s.drawn = false
	}
}

const columnsDefault = 80 // of a terminal that does not say

// columns is how many characters a line of the terminal has at the moment.
func (s *screen) columns() int {
	if f, ok := s.w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return columnsDefault
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printLine prints one line for people. Keys and the messages of a store may hold anything, so what is not printable is
// shown as Go would write it, and a terminal does not obey it. It fails only when standard error does.
func printLine(w io.Writer, format string, args ...any) {
	_, _ = io.WriteString(w, printable(fmt.Sprintf(format, args...))+"\n")
}

// printable writes what is not printable, or not UTF-8, as \n, \x1b or \u202e.
func printable(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if isBroken := r == utf8.RuneError && size == 1; strconv.IsPrint(r) && !isBroken {
			b.WriteString(text[:size])
		} else {
			quoted := strconv.Quote(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[size:]
	}
	return b.String()
}

// number writes n with commas between the thousands.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, groups...), ",")
}

// count writes n and its noun: 1 try, 2 tries.
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}
