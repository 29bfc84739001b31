package xmllist

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// These bound the memory that is kept from one page for the next: of each kind as much as an honest page needs at 250
// bytes an object. More is soon allocated again, and would otherwise stay to the end of the run.
const (
	keptTextBytesMax = 256 << 10
	keptObjectsMax   = 2000
	keptItemsMax     = 8000
)

// page collects the texts of a document, and makes a Listing of them at the end of the document. Two things are known
// only there: whether the keys are encoded, which some stores write after the keys, and the length of all texts
// together.
type page struct {
	asked Asked

	text     []byte // of all objects
	objects  []object
	metadata []objectMetadata
	items    []item
	prefixes []object  // of CommonPrefixes: each has only a key
	versions []version // of each of the objects; empty in a listing without versions
	details  []detail  // of each of the objects, where they are asked for

	encoding, truncated, token, marker, versionMarker, keyCount, prefix []byte // nil: absent
}

// object is one Contents. Its texts are spans of page.text.
type object struct {
	key, modified, etag, class span
	encoded                    span // the key as it was written, where decoding has changed it
	size                       int64
}

// span is a part of page.text. No body is longer than BodyBytesMax, which an int32 holds.
type span struct{ from, to int32 }

func (s span) of(text string) string { return text[s.from:s.to] }

// objectMetadata is one UserMetadata.
type objectMetadata struct {
	object      int // index into objects
	from, to    int // of its items
	customerKey bool
}

// item is one custom metadatum. Its texts are spans of page.text.
type item struct{ name, value span }

// mark is how much a page had of everything; rewind removes what came later.
type mark struct{ text, objects, metadata, items, prefixes int }

func (p *page) mark() mark {
	return mark{len(p.text), len(p.objects), len(p.metadata), len(p.items), len(p.prefixes)}
}

func (p *page) rewind(m mark) {
	p.text, p.objects = p.text[:m.text], p.objects[:m.objects]
	p.metadata, p.items, p.prefixes = p.metadata[:m.metadata], p.items[:m.items], p.prefixes[:m.prefixes]
	p.versions = p.versions[:min(m.objects, len(p.versions))]
	p.details = p.details[:min(m.objects, len(p.details))]
}

// add appends a text and returns its span.
func (p *page) add(text []byte) span {
	from := len(p.text)
	p.text = append(p.text, text...)
	return span{int32(from), int32(len(p.text))}
}

// since is the span of the text that was appended after the length was from.
func (p *page) since(from int) span { return span{int32(from), int32(len(p.text))} }

// textOf is the text of a span.
func (p *page) textOf(s span) []byte { return p.text[s.from:s.to] }

// trimETag removes the mark of a weak ETag, and the quotes.
// https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
func (p *page) trimETag(etag span) span {
	if bytes.HasPrefix(p.textOf(etag), []byte("W/")) {
		etag.from += 2
	}
	return p.trimQuotes(etag)
}

func (p *page) trimQuotes(s span) span {
	for s.from < s.to && p.text[s.from] == '"' {
		s.from++
	}
	for s.from < s.to && p.text[s.to-1] == '"' {
		s.to--
	}
	return s
}

// isFieldName reports whether an object has a field of that name, and may have only one element with it.
func (p *page) isFieldName(name string) bool {
	switch name {
	case "Key", "LastModified", "ETag", "Size", "StorageClass":
		return true
	case "UserMetadata":
		return p.asked.Metadata
	case "VersionId", "IsLatest":
		return p.asked.Versions
	}
	return false
}

// single returns the text of the listing that an element of this name has, which may occur once; nil: there is none.
func (p *page) single(name string) *[]byte {
	switch name {
	case "EncodingType":
		return &p.encoding
	case "IsTruncated":
		return &p.truncated
	case "KeyCount":
		return &p.keyCount
	case "Prefix":
		return &p.prefix
	}
	switch {
	case p.asked.Versions && name == "NextKeyMarker":
		return &p.marker
	case p.asked.Versions && name == "NextVersionIdMarker":
		return &p.versionMarker
	case !p.asked.Versions && name == "NextContinuationToken":
		return &p.token
	case !p.asked.Versions && name == "NextMarker":
		return &p.marker
	}
	return nil
}

// metaPrefix begins the headers of custom metadata.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
const metaPrefix = "x-amz-meta-"

// customerKeyHeader is in the UserMetadata of an object that is encrypted with a key of the client's.
const customerKeyHeader = "x-amz-server-side-encryption-customer-algorithm"

// itemName returns the name of a custom metadatum from the name of its header, ok is false for another header.
func itemName(header []byte) (name []byte, ok bool) {
	n := len(metaPrefix)
	switch {
	case len(header) < n:
		return nil, false
	case string(header[:n]) == "X-Amz-Meta-", // as MinIO writes it
		strings.EqualFold(string(header[:n]), metaPrefix):
		return header[n:], true
	}
	return nil, false
}

func isCustomerKeyHeader(header []byte) bool {
	return len(header) == len(customerKeyHeader) && strings.EqualFold(string(header), customerKeyHeader)
}

// addLower appends a name in lower case and returns its span.
func (p *page) addLower(name []byte) span {
	from := len(p.text)
	for _, b := range name {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		p.text = append(p.text, b)
	}
	return p.since(from)
}

// listing makes a Listing of the page. It returns an error for a page that would be a guess.
func (p *page) listing() (*Listing, error) {
	if err := p.checkSize(); err != nil {
		return nil, err
	}
	count, ok := parseCount(p.keyCount)
	if !ok {
		return nil, fmt.Errorf("KeyCount is %.20q", p.keyCount)
	}
	l := &Listing{
		NextToken: string(p.token), NextVersion: string(p.versionMarker), KeyCount: count, Prefix: string(p.prefix),
	}
	switch strings.ToLower(string(bytes.TrimSpace(p.truncated))) {
	case "true": // s3rver and others in Python write True
		l.Truncated = true
	case "false", "": // where it is absent, the next page confirms the end
	default:
		return nil, fmt.Errorf("IsTruncated is %.20q", p.truncated)
	}
	switch string(p.encoding) {
	case "url":
		l.KeysDeclared = p.decodeKeys()
		l.NotEncoded = !l.KeysDeclared
	case "":
	default:
		return nil, fmt.Errorf("EncodingType is %.20q", p.encoding)
	}
	if l.NextToken == "" {
		marker := p.marker
		if l.KeysDeclared {
			// A marker that is not encoded as the keys are is useless, and not needed where there are keys.
			marker, _, _ = appendURLDecoded(nil, marker)
		}
		l.NextToken = string(marker)
	}
	text := string(p.text)
	var err error
	if l.Entries, err = entriesOf(p.objects, text); err != nil {
		return nil, err
	}
	if len(p.prefixes) > 0 {
		if l.Prefixes, err = entriesOf(p.prefixes, text); err != nil {
			return nil, err
		}
		for i := range l.Prefixes {
			l.Prefixes[i].CommonPrefix = true
		}
	}
	l.Metadata = p.metadataOf(text)
	err = p.addVersions(l.Entries, text)
	p.addDetails(l.Entries, text)
	return l, err
}

// entriesOf makes the Entries of objects whose texts are in text.
func entriesOf(objects []object, text string) ([]Entry, error) {
	entries := make([]Entry, len(objects))
	for i := range objects {
		o := &objects[i]
		switch n := o.key.to - o.key.from; {
		case n == 0:
			return nil, errors.New("an object has no Key")
		case n > keyBytesMax:
			return nil, fmt.Errorf("%w: a key has more than %d bytes", ErrTooLarge, keyBytesMax)
		case o.size == noSize:
			return nil, errors.New("the Size of an object is no number of bytes")
		}
		entries[i] = Entry{
			Key: o.key.of(text), ETag: o.etag.of(text), LastModified: o.modified.of(text),
			StorageClass: o.class.of(text), Size: o.size,
		}
		if o.encoded != (span{}) { // an empty part of text would be a pointer for the garbage collector to follow
			entries[i].Encoded = o.encoded.of(text)
		}
	}
	return entries, nil
}

// addPrefix adds a common prefix, whose text was added to the page. Some stores write an empty one, which stands for
// nothing.
func (p *page) addPrefix(prefix span) {
	if prefix.from < prefix.to {
		p.prefixes = append(p.prefixes, object{key: prefix, size: -1})
	}
}

// decodeKeys decodes the keys. It reports whether they are encoded: s3s-fs declares an encoding and encodes nothing. It
// changes no key of a page with a byte that no encoder leaves, or with a percent sign that begins no escape.
func (p *page) decodeKeys() (encoded bool) {
	if bytes.IndexByte(p.text, '%') < 0 && bytes.IndexByte(p.text, '+') < 0 {
		return !p.hasLossyKey()
	}
	m := p.mark()
	if p.decodeKeysOf(p.objects) && p.decodeKeysOf(p.prefixes) {
		return true
	}
	restoreKeys(p.objects)
	restoreKeys(p.prefixes)
	p.rewind(m)
	return false
}

// decodeKeysOf decodes the keys of some objects, up to the first that is not encoded. It reports whether there is none.
func (p *page) decodeKeysOf(objects []object) bool {
	for i := range objects {
		o := &objects[i]
		from := len(p.text)
		text, changed, ok := appendURLDecoded(p.text, p.textOf(o.key))
		if !ok {
			return false
		}
		if changed {
			p.text = text
			o.encoded, o.key = o.key, p.since(from)
		}
	}
	return true
}

// restoreKeys undoes the decoding of keys.
func restoreKeys(objects []object) {
	for i := range objects {
		if o := &objects[i]; o.encoded != (span{}) {
			o.key, o.encoded = o.encoded, span{}
		}
	}
}

// hasLossyKey reports whether a key has U+FFFD, or a line feed, in place of a character that XML cannot carry.
func (p *page) hasLossyKey() bool {
	if bytes.IndexByte(p.text, "\uFFFD"[0]) < 0 && bytes.IndexByte(p.text, '\n') < 0 {
		return false
	}
	lossy := func(o object) bool { return bytes.ContainsAny(p.textOf(o.key), "\uFFFD\n") }
	return slices.ContainsFunc(p.objects, lossy) || slices.ContainsFunc(p.prefixes, lossy)
}

// metadataOf makes the UserMetadata of each object, where they were asked for.
func (p *page) metadataOf(text string) []UserMetadata {
	if !p.asked.Metadata {
		return nil
	}
	items := make([]Item, len(p.items))
	for i, o := range p.items {
		items[i] = Item{o.name.of(text), o.value.of(text)}
	}
	all := make([]UserMetadata, len(p.objects))
	for _, m := range p.metadata {
		own := items[m.from:m.to:m.to]
		slices.SortFunc(own, func(a, b Item) int { return strings.Compare(a.Name, b.Name) })
		all[m.object] = UserMetadata{Items: own, CustomerKey: m.customerKey}
	}
	return all
}

// noSize is the size of an object whose Size is not empty, and no number of bytes.
const noSize = -2

// parseSize returns the size that a text says, -1 for an empty text, and noSize for any other.
func parseSize(text []byte) int64 {
	const digitsMax = 18 // as many digits as an int64 holds, whatever they are
	n := int64(0)
	for _, b := range text {
		n = n*10 + int64(b-'0')
		if b < '0' || b > '9' || len(text) > digitsMax {
			return parseLongSize(text)
		}
	}
	if len(text) == 0 {
		return -1
	}
	return n
}

// parseLongSize is parseSize for anything but a few digits.
func parseLongSize(text []byte) int64 {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return -1
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 {
		return noSize
	}
	return n
}

// parseCount returns the number that a text says, and -1 for an empty text. ok is false for any other.
func parseCount(text []byte) (n int, ok bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return -1, true
	}
	n, err := strconv.Atoi(string(text))
	return n, err == nil && n >= 0
}

// reset makes the page empty and keeps its buffers, unless they are too large.
func (p *page) reset() {
	*p = page{
		text:     keep(p.text, keptTextBytesMax),
		objects:  keep(p.objects, keptObjectsMax),
		metadata: keep(p.metadata, keptObjectsMax),
		items:    keep(p.items, keptItemsMax),
		prefixes: keep(p.prefixes, keptObjectsMax),
		versions: keep(p.versions, keptObjectsMax),
		details:  keep(p.details, keptObjectsMax),
	}
}

// keep returns s without elements, and nil where its capacity is over max.
func keep[T any](s []T, max int) []T {
	if cap(s) > max {
		return nil
	}
	return s[:0]
}
