package xmllist

import (
	"bytes"
	"io"
)

// The fast scanner reads a listing whose elements have no attributes: Contents with fields in any order,
// blanks between elements, empty elements as <Name/>. It reads such documents exactly as encoding/xml does.
//
// The functions below read w, the window, from index i. Each returns the index behind the part that it has read, and 0
// where it does not understand that part, or the window ends in it.

// scan collects the document, and reports whether it has read the whole body. Where it has not, everything that it has
// taken from the window is collected, and the window begins with a child of the root, or with the document.
func (d *Decoder) scan() (complete bool) {
	d.fill()
	w := d.unread()
	n := rootStart(w, d.asked.root())
	if n == 0 {
		return false
	}
	d.take(n)
	d.rootOpen = true
	for {
		if n = d.children(d.unread()); n > 0 {
			d.take(n)
		}
		if d.checkSize() != nil {
			return false // the slow reader reports it
		}
		if d.isAtEnd() {
			return true
		}
		if !d.fill() {
			return false
		}
	}
}

// isAtEnd reports whether the window has the end tag of the root, and nothing but blanks up to the end of the body.
func (d *Decoder) isAtEnd() bool {
	w := d.unread()
	i := blankEnd(w, 0)
	end := endTag(w, i, []byte(d.asked.root()))
	return d.err == io.EOF && end > 0 && blankEnd(w, end) == d.end-d.next
}

// rootStart is the end of the start tag of the root.
func rootStart(w []byte, name string) int {
	i := blankEnd(w, declarationEnd(w))
	if w[i] != '<' || !hasPrefix(w[i+1:], name) {
		return 0
	}
	i += 1 + len(name)
	for w[i] == ' ' {
		if i = attributeEnd(w, i+1); i == 0 {
			return 0
		}
	}
	if w[i] != '>' {
		return 0
	}
	return i + 1
}

// declarationEnd is the end of a byte order mark and the XML declaration, which may both be absent.
// https://www.w3.org/TR/xml/#charencoding, https://www.w3.org/TR/xml/#sec-prolog-dtd
func declarationEnd(w []byte) int {
	i := 0
	if hasPrefix(w, byteOrderMark) {
		i = len(byteOrderMark)
	}
	for _, declaration := range []string{
		`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version='1.0' encoding='UTF-8'?>`,
		`<?xml version="1.0" encoding="utf-8"?>`, `<?xml version="1.0"?>`,
	} {
		if hasPrefix(w[i:], declaration) {
			return i + len(declaration)
		}
	}
	return i
}

const byteOrderMark = "\uFEFF"

// attributeEnd is the end of the attribute at i, as in xmlns="http://s3.amazonaws.com/doc/2006-03-01/". The value means
// nothing: the elements of a listing are known by their local names.
func attributeEnd(w []byte, i int) int {
	equals := bytes.IndexByte(w[i:], '=')
	if equals < 0 || !isPlainName(bytes.TrimPrefix(w[i:i+equals], []byte("xmlns:"))) {
		return 0
	}
	i += equals + 1
	quote := w[i]
	if quote != '"' && quote != '\'' {
		return 0
	}
	end := plainEnd(w, i+1)
	length := bytes.IndexByte(w[i+1:end], quote)
	if length < 0 {
		return 0
	}
	return i + 1 + length + 1
}

// children collects the children of the root that lie wholly in w, and returns the end of the last one.
func (d *Decoder) children(w []byte) (end int) {
	d.repeats.reset()
	for {
		i := blankEnd(w, end)
		m := d.mark()
		const contents = "<Contents>"
		var next int
		switch {
		case hasPrefix(w[i:], contents) && !d.asked.Versions:
			next = d.contents(w, i+len(contents))
		case d.asked.Versions && isVersionTag(w[i:]):
			next = d.version(w, i)
		default:
			next = d.rootField(w, i)
		}
		if next == 0 {
			d.rewind(m)
			return end
		}
		end = next
	}
}

// rootField collects an element at i that is not a Contents.
func (d *Decoder) rootField(w []byte, i int) int {
	name, start := startTag(w, i)
	element, empty := bytes.CutSuffix(name, []byte("/"))
	text := d.single(string(element))
	switch {
	case string(name) == "CommonPrefixes":
		return d.commonPrefixes(w, start)
	case string(name) == "Prefix/" && d.prefix == nil: // as usual where no prefix was asked for
		d.prefix = []byte{}
		return start
	case text != nil && (empty || *text != nil), string(element) == "Contents", d.isObjectName(string(element)):
		return 0
	case text == nil:
		return d.skipElement(w, i, 0)
	}
	collected, end := appendText([]byte{}, w, start)
	if end == 0 {
		return 0
	}
	if end = endTag(w, end, name); end > 0 {
		*text = collected
	}
	return end
}

// commonPrefixes collects a CommonPrefixes whose only child, a Prefix, begins at i.
func (d *Decoder) commonPrefixes(w []byte, i int) int {
	const startTag, endTag = "<Prefix>", "</CommonPrefixes>"
	if !hasPrefix(w[i:], startTag) {
		return 0
	}
	prefix, end := d.field(w, i+len(startTag), "</Prefix>")
	if end == 0 || !hasPrefix(w[end:], endTag) {
		return 0
	}
	d.addPrefix(prefix)
	return end + len(endTag)
}
