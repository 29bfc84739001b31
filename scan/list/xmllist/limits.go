package xmllist

import (
	"fmt"
	"io"
)

// These bound the memory that one document can take, whatever a store sends. S3 allows 1,000 keys on a page, and 1,024
// bytes for a key. Some stores ignore max-keys, and some have longer names.
const (
	// objectsMax is the number of objects and common prefixes on a page.
	objectsMax = 100_000

	// itemsMax is the number of custom metadata on a page: 100 for each of 1,000 objects.
	itemsMax = 100_000

	// keyBytesMax is the length of a key, and of a token. A path of Linux has at most 4,096 bytes, and three times as
	// many where each is escaped.
	keyBytesMax = 16 << 10

	// textBytesMax is the length of all texts of a page together: 1,000 of the longest keys, or 100,000 usual objects.
	textBytesMax = 16 << 20

	// tokenBytesMax is the length of one token of XML, which encoding/xml holds in memory: a text, a tag, a comment. The
	// longest key has 96 KB where each byte is written as &#xAB;.
	tokenBytesMax = 256 << 10

	// errorTextBytesMax is the length to which the texts of an Error document are cut. People read them.
	errorTextBytesMax = 1 << 10
)

// checkSize returns an error for a page that exceeds a limit.
func (p *page) checkSize() error {
	switch {
	case len(p.objects)+len(p.prefixes) > objectsMax:
		return fmt.Errorf("%w: a page has more than %d objects", ErrTooLarge, objectsMax)
	case len(p.items) > itemsMax:
		return fmt.Errorf("%w: a page has more than %d items of metadata", ErrTooLarge, itemsMax)
	case len(p.text) > textBytesMax:
		return fmt.Errorf("%w: the texts of a page have more than %d bytes", ErrTooLarge, textBytesMax)
	case max(len(p.token), len(p.marker), len(p.versionMarker)) > keyBytesMax:
		return fmt.Errorf("%w: a continuation token has more than %d bytes", ErrTooLarge, keyBytesMax)
	}
	return nil
}

// tokenReader reads one token of XML. Its limit begins anew with each token.
type tokenReader struct {
	io.Reader
	left int // bytes that the token may still have
}

func (r *tokenReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("%w: a part of it has more than %d bytes", ErrTooLarge, tokenBytesMax)
	}
	n, err := r.Reader.Read(p)
	r.left -= n
	return n, err
}

// cutText returns the beginning of a text that is for people.
func cutText(text []byte) string {
	if len(text) > errorTextBytesMax {
		return string(text[:errorTextBytesMax]) + "…"
	}
	return string(text)
}
