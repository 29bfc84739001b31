package xmllist

import "io"

const (
	// BodyBytesMax is far over the largest honest page. 1,000 keys of 1,024 bytes are 6 MB where each byte is written
	// as &#xAB;. 100,000 usual keys are 25 MB.
	BodyBytesMax = 32 << 20

	// drainBytesMax is how much of a useless body is read, so that its connection can be used again. Error pages are
	// far shorter; a new connection is cheaper than reading more than a page of keys.
	drainBytesMax = 256 << 10
)

// Decoder decodes the bodies of LISTs, one after the other, and reuses its buffers. The zero Decoder is ready. A
// Decoder must not be used by two goroutines at once. A Listing keeps no memory of its Decoder.
type Decoder struct {
	window
	page
	repeats  repeats
	rootOpen bool // the start tag of the root was taken from the window
}

// Asked is what a LIST has asked for, beside the keys.
type Asked struct {
	Metadata bool // custom metadata
	Details  bool // Owner, checksums, RestoreStatus
	Versions bool // all versions: the body is a ListVersionsResult
}

// root returns the name of the root element of the answer.
func (a Asked) root() string {
	if a.Versions {
		return "ListVersionsResult"
	}
	return "ListBucketResult"
}

// Decode reads body to its end and returns its Listing.
//
// Errors: *ReadError, where the body cannot be read to its end; *ErrorDocument; any other error, where the document is
// no listing, not well-formed, cut short, or continued after its end. ErrTooLarge, where the document is longer than
// BodyBytesMax or exceeds a limit of limits.go.
func (d *Decoder) Decode(body io.Reader, asked Asked) (*Listing, error) {
	return d.decode(body, asked, BodyBytesMax)
}

func (d *Decoder) decode(body io.Reader, asked Asked, bytesMax int64) (*Listing, error) {
	d.open(body, bytesMax)
	d.asked = asked
	defer d.reset()
	if !d.scan() {
		if err := d.decodeSlowly(); err != nil {
			d.drain()
			return nil, err
		}
	}
	return d.listing()
}

// reset forgets the body and the page, and keeps the buffers.
func (d *Decoder) reset() {
	d.window.close()
	d.page.reset()
	d.rootOpen = false
}
