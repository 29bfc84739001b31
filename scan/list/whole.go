package list

import "bytes"

// wholes collects the objects that are next, for as long as each lies in the window as S3 writes it: the usual fields in
// the usual order, and nothing else. That is nearly every object of nearly every store, and each is passed over once, without a
// look at what else it might be. The first one that is not so is left to contents, from its first byte on.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (Response Syntax)
func (d *decoder) wholes() {
	if d.xml.empty || d.xml.err != nil {
		return
	}
	w, taken := d.xml.look(), 0
	for {
		n := d.whole(w[taken:])
		if n == 0 {
			break
		}
		taken += n
	}
	d.xml.take(taken)
}

// whole collects the object at the start of w and returns how long it is, 0 if it is not wholly there or not as expected.
func (d *decoder) whole(w []byte) int {
	const (
		begin    = "<Contents><Key>"
		modified = "</Key><LastModified>"
		etag     = "</LastModified><ETag>&quot;"
		size     = "&quot;</ETag><Size>"
		class    = "</Size><StorageClass>"
		end      = "</StorageClass></Contents>"
	)
	// Each place is where a text ends and a literal begins. Conversions of so many bytes compare without a call.
	if len(w) < len(begin) || string(w[:len(begin)]) != begin {
		return 0
	}
	key := plainEnd(w, len(begin))
	if len(w)-key < len(modified) || string(w[key:key+len(modified)]) != modified {
		return 0
	}
	date := plainEnd(w, key+len(modified))
	if len(w)-date < len(etag) || string(w[date:date+len(etag)]) != etag {
		return 0
	}
	tag := plainEnd(w, date+len(etag))
	if len(w)-tag < len(size) || string(w[tag:tag+len(size)]) != size {
		return 0
	}
	digits := plainEnd(w, tag+len(size))
	if len(w)-digits < len(class) || string(w[digits:digits+len(class)]) != class {
		return 0
	}
	name := plainEnd(w, digits+len(class))
	if len(w)-name < len(end) || string(w[name:name+len(end)]) != end {
		return 0
	}
	hash := w[date+len(etag) : tag]
	if n := len(hash); n < 2 || hash[0] == '"' || hash[n-1] == '"' || hash[0] == 'W' { // more quotes, or a weak one
		return 0
	}

	o := object{size: sizeOf(w[tag+len(size) : digits])}
	o.key = d.collected(w[len(begin):key])
	o.etag = d.collected(hash) // beside the key: a HEAD needs both
	o.modified = d.collected(w[key+len(modified) : date])
	o.class = d.classBefore(w[digits+len(class) : name])
	if !o.class.said {
		o.class = d.collected(w[digits+len(class) : name])
	}
	d.objects = append(d.objects, o)
	return name + len(end)
}

// collected collects a text and returns its place.
func (d *decoder) collected(text []byte) span {
	from := len(d.text)
	d.text = append(d.text, text...)
	return span{int32(from), int32(len(d.text)), true}
}

// classBefore is the place of the storage class before, if it is this one.
func (d *decoder) classBefore(class []byte) span {
	if len(d.objects) > 0 {
		if before := d.objects[len(d.objects)-1].class; bytes.Equal(class, d.text[before.from:before.to]) {
			return before
		}
	}
	return span{}
}
