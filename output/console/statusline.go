package console

import (
	"cmp"
	"io"
	"sync"
)

// StatusLine lets log lines and one line of progress share a terminal. A Write removes the line that Draw has drawn,
// and the next Draw draws it again below. Its methods may be called concurrently.
type StatusLine struct {
	mu    sync.Mutex
	w     io.Writer
	drawn bool
}

// NewStatusLine returns a StatusLine that writes to w, on which nothing is drawn.
func NewStatusLine(w io.Writer) *StatusLine { return &StatusLine{w: w} }

// ClearLine is the escape sequence that removes a drawn line. StatusLine sends no other, with or without NO_COLOR.
const ClearLine = "\r\x1b[K"

// Write writes text above the drawn line.
func (s *StatusLine) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return s.w.Write(text)
}

// Draw replaces the drawn line by line; an empty line only removes it. A failed write is ignored: it is standard error
// that failed, and nothing else is left to report it to.
func (s *StatusLine) Draw(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	_, _ = io.WriteString(s.w, line)
	s.drawn = line != ""
}

func (s *StatusLine) clear() {
	if s.drawn {
		_, _ = io.WriteString(s.w, ClearLine)
		s.drawn = false
	}
}

// Columns returns how many characters fit into a line of the terminal now.
func (s *StatusLine) Columns() int { return cmp.Or(Columns(s.w), columnsDefault) }

// Fit cuts line to the columns of a terminal. It leaves the last column free, since some terminals scroll after a full
// line. Every character of line must be one column wide.
func Fit(line string, columns int) string {
	runes := []rune(line)
	return string(runes[:max(0, min(len(runes), columns-1))])
}
