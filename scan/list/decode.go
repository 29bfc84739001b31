package list

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// bodyBytesMax is far over the largest honest page: 1,000 keys of 1,024 bytes, each byte written as &#xAB;, is 6 MB.
	bodyBytesMax = 64 << 20

	// roomBytesMax and roomObjectsMax are how much memory is kept from one page for the next: of each text what an honest page
	// needs at 250 bytes an object. More is soon made, and would otherwise stay to the end of the run.
	roomBytesMax   = 256 << 10
	roomObjectsMax = 2 * pageKeysMax
	roomItemsMax   = 8 * pageKeysMax
)

// errNotList is a well-formed document that is not a listing.
var errNotList = errors.New("not a ListBucketResult")

// refusal is the <Error> document that a store sends instead of a listing, whatever the status.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type refusal struct{ code, message, requestID string }

func (r *refusal) Error() string { return "the store refuses: " + r.code }

// decoder makes answers of the bodies of LISTs, one after the other, by version 2 and version 1.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (Response Syntax)
//
// A page is collected first and made an answer at its end: only there is it known whether its keys are encoded, which
// some stores say after them, and how long the text is that all its strings are parts of. Nothing of it is kept but room.
type decoder struct {
	xml     scanner
	objects []object
	text    []byte // what is said of them

	encoding, truncated, token, marker []byte // of the listing; nil: not said

	wanted   bool // metadata are; it is set before each page
	metadata []userMetadata
	items    []item // of all objects
}

// object is one Contents. Of its texts these are the places.
type object struct {
	key, modified, etag, digits, class span
	size                               int64
}

// span is a place in a text.
type span struct {
	from, to int32 // bodyBytesMax is less
	said     bool
}

// decode reads the body to its end. A body that cannot be read to its end is a cutError, an <Error> a refusal, any other
// document errNotList; what is no XML, is cut short, goes on after its end or is longer than bytesMax is another error,
// and so is errNotUnderstood.
func (d *decoder) decode(body io.Reader, bytesMax int64) (*answer, error) {
	d.xml.body, d.xml.bytesMax = body, bytesMax
	defer d.forget()
	var other error
	switch root := d.xml.root(); string(root) {
	case "ListBucketResult":
		d.listing()
	case "Error":
		other = d.refusal()
	default:
		other = fmt.Errorf("%w but <%.40s>", errNotList, root)
		d.xml.skip()
	}
	d.xml.finish()
	switch {
	case d.xml.err != nil:
		d.xml.drain()
		return nil, d.xml.err
	case other != nil:
		return nil, other
	}
	return d.answer()
}

// listing collects what a ListBucketResult has. CommonPrefixes are skipped: nobody asked for a delimiter.
func (d *decoder) listing() {
	for {
		d.wholes()
		name := d.xml.child()
		if name == nil {
			return
		}
		switch string(name) {
		case "Contents":
			d.contents()
		case "EncodingType":
			d.once(&d.encoding)
		case "IsTruncated":
			d.once(&d.truncated)
		case "NextContinuationToken":
			d.once(&d.token)
		case "NextMarker":
			d.once(&d.marker)
		default:
			d.xml.skip()
		}
	}
}

// refusal reads an Error.
func (d *decoder) refusal() *refusal {
	var code, message, requestID []byte
	for name := d.xml.child(); name != nil; name = d.xml.child() {
		switch string(name) {
		case "Code":
			d.once(&code)
		case "Message":
			d.once(&message)
		case "RequestId":
			d.once(&requestID)
		default:
			d.xml.skip()
		}
	}
	return &refusal{string(code), string(message), string(requestID)}
}

// contents collects one object.
func (d *decoder) contents() {
	o := object{size: -1}
	for {
		d.usual(&o)
		name := d.xml.child()
		if name == nil {
			break
		}
		switch string(name) {
		case "Key":
			d.collect(&o.key)
		case "LastModified":
			d.collect(&o.modified)
		case "ETag":
			d.collect(&o.etag)
			if bytes.HasPrefix(d.text[o.etag.from:], []byte("W/")) { // weak, https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
				o.etag.from += 2
			}
			d.unquote(&o.etag)
		case "Size":
			d.collect(&o.digits)
			d.measure(&o)
		case "StorageClass":
			d.collect(&o.class)
			d.share(&o.class)
		case "UserMetadata":
			if d.wanted {
				d.userMetadata()
			} else {
				d.xml.skip()
			}
		default:
			d.xml.skip()
		}
	}
	d.objects = append(d.objects, o)
}

// collect collects the text of the element and notes its place. There may be one such element in its parent.
func (d *decoder) collect(place *span) {
	if place.said {
		d.xml.strange("what can be said once is said twice")
	}
	from := len(d.text)
	d.xml.text(&d.text)
	*place = span{int32(from), int32(len(d.text)), true}
}

// once is collect for a text that stands alone.
func (d *decoder) once(text *[]byte) {
	if *text != nil {
		d.xml.strange("what can be said once is said twice")
	}
	*text = []byte{}
	d.xml.text(text)
}

// unquote leaves of an ETag what is between its quotes.
func (d *decoder) unquote(etag *span) {
	for etag.from < etag.to && d.text[etag.from] == '"' {
		etag.from++
	}
	for etag.from < etag.to && d.text[etag.to-1] == '"' {
		etag.to--
	}
}

// measure makes a size of the digits that were collected last, of which no text is needed.
func (d *decoder) measure(o *object) {
	o.size = sizeOf(d.text[o.digits.from:])
	d.text = d.text[:o.digits.from]
}

// share lets the storage class that was collected last have the place of the one before if they are equal, as they are on
// most pages.
func (d *decoder) share(class *span) {
	if len(d.objects) == 0 {
		return
	}
	before := d.objects[len(d.objects)-1].class
	if bytes.Equal(d.text[class.from:], d.text[before.from:before.to]) {
		d.text = d.text[:class.from]
		class.from, class.to = before.from, before.to
	}
}

// forget makes the decoder a new one that has room already.
func (d *decoder) forget() {
	x := &d.xml
	*d = decoder{
		xml: scanner{
			window:  window{buf: room(x.buf, windowBytes)},
			names:   room(x.names, roomBytesMax),
			starts:  room(x.starts, depthMax),
			scratch: room(x.scratch, roomBytesMax),
		},
		objects:  room(d.objects, roomObjectsMax),
		text:     room(d.text, roomBytesMax),
		metadata: room(d.metadata, roomObjectsMax),
		items:    room(d.items, roomItemsMax),
	}
}

// room is the memory of s, unless it is more than most.
func room[T any](s []T, most int) []T {
	if cap(s) > most {
		return nil
	}
	return s[:0]
}
