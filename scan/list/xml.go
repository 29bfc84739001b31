package list

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// scanner reads an XML document as its body comes, element by element: child enters the next child of the innermost
// open element, and children, text or skip of that one come next. It understands what listings are made of, and all of
// that as encoding/xml does, and it checks what it passes over no less than what it returns.
//
// The first thing that is wrong is kept in err and ends everything: from then on there are no children and no text.
type scanner struct {
	window
	err error

	names   []byte // of the open elements, one after the other, as written
	starts  []int  // where in names each begins
	empty   bool   // the innermost element is <Name/>, and its end is still to be told
	scratch []byte // for a text that does not lie in the window as it is
}

// token is what can be next in an element.
type token int

const (
	nothing token = iota // err says why
	opened               // a start tag
	closed               // the end tag of the innermost element
	written              // text
)

// root enters the document element and returns its local name.
func (s *scanner) root() []byte {
	if s.has(3) && string(s.look()[:3]) == "\uFEFF" { // a byte order mark, https://www.w3.org/TR/xml/#charencoding
		s.take(3)
	}
	if !s.aside() {
		s.fail(errors.New("the answer is empty"))
		return nil
	}
	_, name := s.open()
	return name
}

// finish reads what follows the document element to the end of the body, at which the connection may yet fail.
func (s *scanner) finish() {
	if s.aside() {
		s.fail(errors.New("the answer goes on after its end"))
	}
}

// aside passes over what may stand before and after the document element, and says whether a tag follows.
// https://www.w3.org/TR/xml/#NT-Misc
func (s *scanner) aside() bool {
	for s.err == nil && s.has(1) {
		switch {
		case isBlank(s.at(0)):
			s.take(1)
		case s.at(0) != '<':
			s.strange("text outside the document element")
		case s.at(1) == '?':
			s.instruction()
		case s.at(1) == '!':
			s.comment()
		default:
			return s.err == nil
		}
	}
	if s.ended != io.EOF {
		s.fail(s.ended)
	}
	return false
}

// child enters the next child of the innermost element and returns its local name, which is valid until the scanner moves
// on. Where there is none, it leaves that element and returns nil. There must be no text beside the children.
func (s *scanner) child() []byte {
	for {
		for !s.empty && isBlank(s.at(0)) { // cheaper than to have token make a text of it
			s.take(1)
		}
		switch kind, found := s.token(); kind {
		case opened:
			return found
		case written:
			s.ignore(found)
		case closed, nothing:
			return nil
		}
	}
}

// ignore refuses a text, unless it is blank.
func (s *scanner) ignore(text []byte) {
	for _, b := range text {
		if !isBlank(b) {
			s.strange("text beside elements")
			return
		}
	}
}

// text appends the text of the innermost element and leaves it. There must be no elements in it.
func (s *scanner) text(dst *[]byte) {
	for {
		switch kind, found := s.token(); kind {
		case written:
			*dst = append(*dst, found...)
		case opened:
			s.strange("an element in a text")
			return
		case closed, nothing:
			return
		}
	}
}

// skip leaves the innermost element and all that is in it.
func (s *scanner) skip() {
	for outside := len(s.starts) - 1; len(s.starts) > outside; {
		if kind, _ := s.token(); kind == nothing {
			return
		}
	}
}

// token finds what is next in the innermost element: a local name or a text, valid until the scanner moves on.
func (s *scanner) token() (token, []byte) {
	for s.err == nil {
		if s.empty {
			s.empty = false
			return s.leave(), nil
		}
		if s.at(0) != '<' {
			return s.characters()
		}
		switch s.at(1) {
		case '/':
			return s.close(), nil
		case '?':
			s.instruction()
		case '!':
			if s.at(2) == '[' {
				return s.cdata()
			}
			s.comment()
		default:
			return s.open()
		}
	}
	return nothing, nil
}

// characters finds the text before the next tag.
func (s *scanner) characters() (token, []byte) {
	w := s.look()
	if n := plainEnd(w, 0); n < len(w) && w[n] == '<' {
		s.take(n)
		return written, w[:n]
	}
	n := s.find(0, "<")
	return s.unescape(0, n, n, inElement)
}

// cdata finds the text in <![CDATA[…]]>.
// https://www.w3.org/TR/xml/#sec-cdata-sect
func (s *scanner) cdata() (token, []byte) {
	const start, end = "<![CDATA[", "]]>"
	s.expect(0, start)
	n := s.find(len(start), end)
	return s.unescape(len(start), n, n+len(end), inCDATA)
}

// unescape makes a text of what the window has between two places, and takes it up to a third.
func (s *scanner) unescape(from, to, through int, in place) (token, []byte) {
	if s.err != nil {
		return nothing, nil
	}
	var err error
	if s.scratch, err = appendText(s.scratch[:0], s.look()[from:to], in); err != nil {
		s.broken("%v", err)
		return nothing, nil
	}
	s.take(through)
	return written, s.scratch
}

// comment passes over a comment. The other declarations are those of a DTD, which could change what the document means;
// no store sends one.
// https://www.w3.org/TR/xml/#sec-comments
func (s *scanner) comment() {
	const start, end = "<!--", "-->"
	if s.at(2) != '-' {
		s.strange("a DOCTYPE, or what else begins with <! and is no comment,")
		return
	}
	s.expect(0, start)
	n := s.find(len(start), "--")
	s.expect(n, end)
	if s.err == nil {
		s.take(n + len(end))
	}
}

// at is the byte at a place of the window, which reads on for it. After the end that is 0, which is allowed nowhere.
func (s *scanner) at(i int) byte {
	if s.next+i < len(s.buf) {
		return s.buf[s.next+i]
	}
	return s.atFar(i)
}

func (s *scanner) atFar(i int) byte {
	if s.has(i + 1) {
		return s.buf[s.next+i]
	}
	s.stop()
	return 0
}

// find is the next place in the window, from one on, where text stands; the window reads on for it. It means nothing
// where there is an error.
func (s *scanner) find(from int, text string) int {
	for s.err == nil {
		if i := bytes.Index(s.look()[from:], []byte(text)); i >= 0 {
			return from + i
		}
		from = max(from, len(s.look())-len(text)+1)
		if !s.more() {
			s.stop()
		}
	}
	return 0
}

// expect refuses a document in which text does not stand at a place of the window.
func (s *scanner) expect(i int, text string) {
	for j := range len(text) {
		if s.at(i+j) != text[j] {
			s.broken("%s was expected", text)
			return
		}
	}
}

// errNotUnderstood is a document that may be well-formed, but has what no store has a reason to write. It is refused,
// since what it means would be a guess.
var errNotUnderstood = errors.New("the answer is not understood")

func (s *scanner) strange(what string) {
	s.fail(fmt.Errorf("%w: %s at byte %d", errNotUnderstood, what, s.taken()))
}

func (s *scanner) broken(format string, args ...any) {
	s.fail(fmt.Errorf("the answer is not XML: at byte %d, "+format, append([]any{s.taken()}, args...)...))
}

// stop is for a document that must go on and does not.
func (s *scanner) stop() {
	if s.ended != io.EOF {
		s.fail(s.ended)
	}
	s.fail(fmt.Errorf("the answer is cut short after %d bytes", s.bytes))
}

// fail keeps the first error: those that follow are its consequences.
func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
