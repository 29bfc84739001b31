package xmllist

import (
	"bytes"
)

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
		t     detail
		seen  uint
		field uint
	)
	d.repeats.nth = 0
	for {
		i = blankEnd(w, i)
		switch { // by one byte first, since most comparisons would fail
		case w[i+1] == '/' && hasPrefix(w[i:], "</Contents>"):
			d.objects = append(d.objects, o)
			d.addDetail(t)
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
		case d.asked.Metadata && hasPrefix(w[i:], "<UserMetadata>"):
			field = metadata
			i = d.userMetadata(w, i+len("<UserMetadata>"))
		case d.isDetail(w[i:]):
			field = 0
			i = d.detail(w, i, &t)
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
