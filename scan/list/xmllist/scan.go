package xmllist

import (
	"bytes"
	"io"
)

// The fast scanner reads a ListBucketResult whose elements have no attributes: Contents with fields in any order,
// blanks between elements, empty elements as <Name/>. It reads such documents exactly as encoding/xml does.
//
// The functions below read w, the window, from index i. Each returns the index behind the part that it has read, and 0
// where it does not understand that part, or the window ends in it.

// scan collects the document, and reports whether it has read the whole body. Where it has not, everything that it has
// taken from the window is collected, and the window begins with a child of the root, or with the document.
func (d *Decoder) scan() (complete bool) {
	d.fill()
	w := d.unread()
	n := rootStart(w)
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
	const endTag = "</ListBucketResult>"
	w := d.unread()
	i := blankEnd(w, 0)
	return d.err == io.EOF && hasPrefix(w[i:], endTag) && blankEnd(w, i+len(endTag)) == d.end-d.next
}

// rootStart is the end of the start tag of the root.
func rootStart(w []byte) int {
	const name = "<ListBucketResult"
	i := blankEnd(w, declarationEnd(w))
	if !hasPrefix(w[i:], name) {
		return 0
	}
	i += len(name)
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
		if hasPrefix(w[i:], contents) {
			next = d.contents(w, i+len(contents))
		} else {
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
	var text *[]byte
	switch string(name) {
	case "EncodingType":
		text = &d.encoding
	case "IsTruncated":
		text = &d.truncated
	case "NextContinuationToken":
		text = &d.token
	case "NextMarker":
		text = &d.marker
	case "KeyCount":
		text = &d.keyCount
	case "Prefix":
		text = &d.prefix
	case "Prefix/": // as usual where no prefix was asked for
		if d.prefix != nil {
			return 0
		}
		d.prefix = []byte{}
		return start
	case "CommonPrefixes":
		return d.commonPrefixes(w, start)
	case "KeyCount/", "Contents/", "EncodingType/", "IsTruncated/", "NextContinuationToken/", "NextMarker/":
		return 0
	default:
		return d.skipElement(w, i, 0)
	}
	if *text != nil {
		return 0
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

// contents collects the object whose fields begin at i.
func (d *Decoder) contents(w []byte, i int) int {
	const (
		key = 1 << iota
		modified
		etag
		size
		class
		metadata
	)
	var (
		o     = object{size: -1}
		seen  uint
		field uint
	)
	d.repeats.nth = 0
	for {
		i = blankEnd(w, i)
		switch { // by one byte first, since most comparisons would fail
		case w[i+1] == '/' && hasPrefix(w[i:], "</Contents>"):
			d.objects = append(d.objects, o)
			return i + len("</Contents>")
		case w[i+1] == 'K' && hasPrefix(w[i:], "<Key>"):
			field = key
			o.key, i = d.field(w, i+len("<Key>"), "</Key>")
		case w[i+1] == 'L' && hasPrefix(w[i:], "<LastModified>"):
			field = modified
			o.modified, i = d.field(w, i+len("<LastModified>"), "</LastModified>")
		case w[i+1] == 'E' && hasPrefix(w[i:], "<ETag>"):
			field = etag
			o.etag, i = d.etag(w, i+len("<ETag>"))
		case w[i+2] == 'i' && hasPrefix(w[i:], "<Size>"):
			field = size
			o.size, i = d.size(w, i+len("<Size>"))
		case w[i+2] == 't' && hasPrefix(w[i:], "<StorageClass>"):
			field = class
			o.class, i = d.class(w, i)
		case d.withMetadata && hasPrefix(w[i:], "<UserMetadata>"):
			field = metadata
			i = d.userMetadata(w, i+len("<UserMetadata>"))
		default:
			field = 0
			i = d.skipField(w, i)
		}
		if i == 0 || seen&field != 0 {
			return 0
		}
		seen |= field
	}
}

// field collects the text at i, which this end tag follows.
func (d *Decoder) field(w []byte, i int, endTag string) (span, int) {
	from, end := len(d.text), plainEnd(w, i)
	if w[end] == '<' {
		d.text = append(d.text, w[i:end]...)
	} else if d.text, end = appendText(d.text, w, i); end == 0 {
		return span{}, 0
	}
	if !hasPrefix(w[end:], endTag) {
		return span{}, 0
	}
	return d.since(from), end + len(endTag)
}

// etag collects the ETag at i.
func (d *Decoder) etag(w []byte, i int) (span, int) {
	// The quotes as AWS writes them, and as programs in Go do.
	for _, quote := range [...]string{"&quot;", "&#34;"} {
		if hasPrefix(w[i:], quote) {
			from := i + len(quote)
			end := plainEnd(w, from)
			if next := end + len(quote); hasPrefix(w[end:], quote) && hasPrefix(w[next:], "</ETag>") {
				return d.trimQuotes(d.add(w[from:end])), next + len("</ETag>")
			}
		}
	}
	etag, end := d.field(w, i, "</ETag>")
	return d.trimETag(etag), end
}

// class collects the StorageClass element at i.
func (d *Decoder) class(w []byte, i int) (span, int) {
	r := &d.repeats.class
	if n := r.element.prefixes(w, i); n > 0 {
		return r.text, i + n
	}
	class, end := d.field(w, i+len("<StorageClass>"), "</StorageClass>")
	*r = repeat{element: span{int32(i), int32(end)}, text: class}
	return class, end
}

// size parses the Size at i.
func (d *Decoder) size(w []byte, i int) (int64, int) {
	end := plainEnd(w, i)
	if !hasPrefix(w[end:], "</Size>") {
		return 0, 0
	}
	return parseSize(w[i:end]), end + len("</Size>")
}

// userMetadata collects the UserMetadata whose children begin at i.
func (d *Decoder) userMetadata(w []byte, i int) int {
	m := objectMetadata{object: len(d.objects), from: len(d.items)}
	for {
		if i = blankEnd(w, i); w[i+1] == '/' && hasPrefix(w[i:], "</UserMetadata>") {
			m.to = len(d.items)
			d.metadata = append(d.metadata, m)
			return i + len("</UserMetadata>")
		}
		header, name, start := d.itemTag(w, i)
		if start == 0 {
			if header, _ = startTag(w, i); isItem(header) {
				return 0
			}
			m.customerKey = m.customerKey || isCustomerKeyHeader(bytes.TrimSuffix(header, []byte("/")))
			if i = d.skipField(w, i); i == 0 {
				return 0
			}
			continue
		}
		from, end := len(d.text), 0
		if d.text, end = appendText(d.text, w, start); end == 0 {
			return 0
		}
		value := d.since(from)
		if i = endTag(w, end, header); i == 0 {
			return 0
		}
		d.items = append(d.items, item{name, value})
	}
}

// itemTag reads the start tag of a custom metadatum. It returns the header in the tag, the span of the name, and where
// the value begins; 0 where the tag is another one. MinIO writes the items of an object in random order.
func (d *Decoder) itemTag(w []byte, i int) (header []byte, name span, start int) {
	for _, r := range d.repeats.items {
		if n := r.element.prefixes(w, i); n > 0 {
			return w[i+1 : i+n-1], r.text, i + n
		}
	}
	header, start = startTag(w, i)
	text, ok := itemName(header)
	if !ok || !isPlainName(header) {
		return nil, span{}, 0
	}
	name = d.addLower(text)
	if len(d.repeats.items) < repeatedItemsMax {
		d.repeats.items = append(d.repeats.items, repeat{element: span{int32(i), int32(start)}, text: name})
	}
	return header, name, start
}

// repeatedItemsMax is how many names are compared with. Few objects have more.
const repeatedItemsMax = 16

func isItem(header []byte) bool {
	_, ok := itemName(header)
	return ok
}

// skipField skips a field that no Entry has.
func (d *Decoder) skipField(w []byte, i int) int {
	nth, before := d.repeats.nth, d.repeats.skipped
	d.repeats.nth++
	if nth < len(before) {
		if n := before[nth].prefixes(w, i); n > 0 {
			return i + n
		}
	}
	tag, _ := startTag(w, i)
	if name, empty := bytes.CutSuffix(tag, []byte("/")); empty && d.isFieldName(string(name)) {
		return 0
	}
	end := d.skipElement(w, i, 0)
	if end == 0 {
		return 0
	}
	d.repeats.skipped = append(before[:min(nth, len(before))], span{int32(i), int32(end)})
	return end
}

// repeats remembers parts of earlier objects in the window. Nearly all objects of a page have the same storage class,
// Owner, checksum algorithm and names of metadata. Equal bytes have the same meaning, so they are compared and not read
// again.
type repeats struct {
	class   repeat
	skipped []span   // fields of an object, in their order
	nth     int      // how many fields of the present object were skipped
	items   []repeat // start tags of custom metadata, in any order
}

// repeat is a part of the window that has a text.
type repeat struct {
	element span // in the window
	text    span // in page.text
}

func (r *repeats) reset() { *r = repeats{skipped: r.skipped[:0], items: r.items[:0]} }

// prefixes returns the length of the part s of w if the same bytes are at i, and otherwise 0.
func (s span) prefixes(w []byte, i int) int {
	if part := w[s.from:s.to]; bytes.HasPrefix(w[i:], part) {
		return len(part)
	}
	return 0
}

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
