package list

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// depthMax is how deep elements may lie in each other. A listing is four deep, a web page in its place some dozens.
const depthMax = 250

// open enters the element whose start tag is next, and returns its local name.
// https://www.w3.org/TR/xml/#NT-STag
func (s *scanner) open() (token, []byte) {
	w := s.look()
	n := lettersEnd(w, 1)
	end := n + 1
	usual := n > 1 && n < len(w) && w[n] == '>' // a tag as S3 writes it: <Name>
	if !usual {
		n = s.nameEnd(1)
		end = s.attributes(n)
	}
	if len(s.starts) == depthMax {
		s.strange("elements too deep in each other")
	}
	if s.err != nil {
		return nothing, nil
	}
	name := s.look()[1:n]
	s.starts = append(s.starts, len(s.names))
	s.names = append(s.names, name...)
	s.take(end)
	if usual {
		return opened, name
	}
	return opened, local(name)
}

// local is a name without the prefix of its namespace.
func local(name []byte) []byte {
	prefix, rest, found := bytes.Cut(name, []byte(":"))
	if !found || len(prefix) == 0 || len(rest) == 0 {
		return name
	}
	return rest
}

// close leaves the innermost element, whose end tag must be next.
// https://www.w3.org/TR/xml/#NT-ETag
func (s *scanner) close() token {
	name := s.names[s.starts[len(s.starts)-1]:]
	tag, n := s.look(), len("</")+len(name)
	if n >= len(tag) || tag[n] != '>' || string(tag[2:n]) != string(name) {
		nameEnd := s.nameEnd(2)
		n = s.blankEnd(nameEnd)
		s.expect(n, ">")
		if s.err == nil && string(s.look()[2:nameEnd]) != string(name) {
			s.broken("<%.40s> is closed by </%.40s>", name, s.look()[2:nameEnd])
		}
		if s.err != nil {
			return nothing
		}
	}
	s.take(n + 1)
	return s.leave()
}

// leave forgets the innermost element.
func (s *scanner) leave() token {
	last := len(s.starts) - 1
	s.names, s.starts = s.names[:s.starts[last]], s.starts[:last]
	return closed
}

// attributes checks what a start tag has from a place on, and is the place where it ends. What they say, xmlns included,
// is of no use: a listing's elements are known by their local names.
func (s *scanner) attributes(i int) (end int) {
	for s.err == nil {
		i = s.blankEnd(i)
		switch s.at(i) {
		case '>':
			return i + 1
		case '/':
			s.expect(i, "/>")
			s.empty = true
			return i + 2
		}
		i = s.attribute(i)
	}
	return 0
}

// attribute checks the attribute at a place, and is the place where it ends.
// https://www.w3.org/TR/xml/#NT-Attribute
func (s *scanner) attribute(i int) int {
	i = s.blankEnd(s.nameEnd(i))
	s.expect(i, "=")
	i = s.blankEnd(i + 1)
	quote := s.at(i)
	if quote != '"' && quote != '\'' {
		s.broken("an attribute has no quotes")
	}
	end := s.find(i+1, string(quote))
	s.unescape(i+1, end, 0, inQuotes)
	return end + 1
}

// instruction passes over a processing instruction. The XML declaration looks like one; what it may declare is what is
// assumed without it.
// https://www.w3.org/TR/xml/#sec-pi, https://www.w3.org/TR/xml/#sec-prolog-dtd
func (s *scanner) instruction() {
	const start, end = "<?", "?>"
	target := s.nameEnd(len(start))
	n := s.find(target, end)
	if s.err != nil {
		return
	}
	if string(s.look()[len(start):target]) == "xml" {
		for said := range bytes.FieldsSeq(s.look()[target:n]) {
			switch {
			case declares(said, "version", "1.0"), declares(said, "encoding", "utf-8"):
			case declares(said, "standalone", "yes"), declares(said, "standalone", "no"):
			default:
				s.strange(fmt.Sprintf("an XML declaration with %.40q", said))
				return
			}
		}
	}
	s.take(n + len(end))
}

// declares says whether said is name="value", in either quotes.
func declares(said []byte, name, value string) bool {
	quoted, named := strings.CutPrefix(string(said), name+"=")
	return named && (strings.EqualFold(quoted, `"`+value+`"`) || strings.EqualFold(quoted, `'`+value+`'`))
}

// nameEnd is where the name ends that begins at a place of the window.
// https://www.w3.org/TR/xml/#NT-Name, https://www.w3.org/TR/xml-names/#NT-QName
func (s *scanner) nameEnd(i int) int {
	start, colons := i, 0
	for ; isNameByte(s.at(i)); i++ {
		if s.at(i) == ':' {
			colons++
		}
	}
	switch first := s.at(start); {
	case s.at(i) >= utf8.RuneSelf || colons > 1:
		s.strange("a name that is not ASCII, or has two colons,")
	case i == start || first == '-' || first == '.' || first >= '0' && first <= '9':
		s.broken("a name was expected")
	}
	return i
}

func isNameByte(b byte) bool {
	return isLetter(b) || b >= '0' && b <= '9' || b == '_' || b == ':' || b == '-' || b == '.'
}

// blankEnd is where the white space ends that may begin at a place of the window.
func (s *scanner) blankEnd(i int) int {
	for isBlank(s.at(i)) {
		i++
	}
	return i
}

// isBlank says whether b is white space between tags and in them.
// https://www.w3.org/TR/xml/#NT-S
func isBlank(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }
