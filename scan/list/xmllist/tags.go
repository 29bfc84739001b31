package xmllist

import (
	"bytes"
)

// skipDepthMax is how deep the elements in a skipped one may be nested. An Owner has one level.
const skipDepthMax = 8

// skipElement is the end of the element that begins at i.
func (d *Decoder) skipElement(w []byte, i, depth int) int {
	name, i := startTag(w, i)
	if name, empty := bytes.CutSuffix(name, []byte("/")); empty && isPlainName(name) {
		return i
	}
	if !isPlainName(name) || depth == skipDepthMax {
		return 0
	}
	for {
		if i = d.skipText(w, i); i == 0 {
			return 0
		}
		if w[i+1] == '/' {
			return endTag(w, i, name)
		}
		if i = d.skipElement(w, i, depth+1); i == 0 {
			return 0
		}
	}
}

// skipText is the index of the tag after the text at i.
func (d *Decoder) skipText(w []byte, i int) (end int) {
	if end = plainEnd(w, i); w[end] == '<' {
		return end
	}
	from := len(d.text)
	d.text, end = appendText(d.text, w, i)
	d.text = d.text[:from]
	return end
}

// startTag returns the text between < and > of the tag at i, and the end of the tag; nil where there is no tag. Only a
// text that is equal to a known name, or passes isPlainName, makes the tag a start tag.
func startTag(w []byte, i int) (name []byte, end int) {
	if w[i] != '<' {
		return nil, 0
	}
	if end = plainEnd(w, i+1); w[end] != '>' {
		return nil, 0
	}
	return w[i+1 : end], end + 1
}

// endTag is the end of the end tag of name at i.
func endTag(w []byte, i int, name []byte) int {
	end := i + len("</") + len(name)
	if end >= len(w) || w[i] != '<' || w[i+1] != '/' || w[end] != '>' || !bytes.Equal(w[i+2:end], name) {
		return 0
	}
	return end + 1
}

// isPlainName reports whether name is an XML name in ASCII, without a namespace prefix.
// https://www.w3.org/TR/xml/#NT-Name
func isPlainName(name []byte) bool {
	for i, b := range name {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '_':
		case i > 0 && (b >= '0' && b <= '9' || b == '-' || b == '.'):
		default:
			return false
		}
	}
	return len(name) > 0
}

// blankEnd is the end of the white space that may be at i.
// https://www.w3.org/TR/xml/#NT-S
func blankEnd(w []byte, i int) int {
	for w[i] == ' ' || w[i] == '\n' || w[i] == '\t' || w[i] == '\r' {
		i++
	}
	return i
}

// hasPrefix reports whether text begins with start.
func hasPrefix(text []byte, start string) bool {
	return len(text) >= len(start) && string(text[:len(start)]) == start
}
