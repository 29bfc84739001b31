package list

// usual collects the fields of an object that are next, for as long as they are spelled as S3 spells them: nothing in
// their tags but the name, a text that stands for itself, no blanks between them. It does nothing that contents would
// not do without it, only several times faster, and leaves to contents what is spelled otherwise, is unknown to it, or
// is not wholly in the window.
func (d *decoder) usual(o *object) {
	for !d.xml.empty && d.usualField(o) {
	}
}

// usualField collects one field, and says whether it did.
func (d *decoder) usualField(o *object) bool {
	w := d.xml.look()
	if len(w) < len("<Si") {
		return false
	}
	switch w[1] {
	case 'K':
		return d.quick(&o.key, "<Key>", "</Key>")
	case 'L':
		return d.quick(&o.modified, "<LastModified>", "</LastModified>")
	case 'E': // with its quotes as AWS writes them, or a program in Go
		if d.quick(&o.etag, "<ETag>&quot;", "&quot;</ETag>") || d.quick(&o.etag, "<ETag>&#34;", "&#34;</ETag>") {
			d.unquote(&o.etag)
			return true
		}
	case 'S':
		if w[2] == 'i' && d.quick(&o.digits, "<Size>", "</Size>") {
			d.measure(o)
			return true
		}
		if w[2] == 't' && d.quick(&o.class, "<StorageClass>", "</StorageClass>") {
			d.share(&o.class)
			return true
		}
	}
	return false
}

// quick is collect for the text between start, which must be next, and end.
func (d *decoder) quick(place *span, start, end string) bool {
	w := d.xml.look()
	if place.said || !begins(w, start) {
		return false
	}
	from := len(start)
	to := plainEnd(w, from)
	if !begins(w[to:], end) {
		return false
	}
	*place = d.collected(w[from:to])
	d.xml.take(to + len(end))
	return true
}

func begins(text []byte, start string) bool {
	return len(text) >= len(start) && string(text[:len(start)]) == start
}
