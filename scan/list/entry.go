// Package list finds the keys: a Pager walks a Range of a bucket by ListObjectsV2 (or V1) and hands out Pages of
// Entries, each key once and in order. A Listing has several Pagers, whose Ranges are split as they go.
//
// A listing is believed only as far as it can be checked. What real stores get wrong is guarded against in
// pager.go; what cannot be repaired is a ProtocolError, never a listing that merely ends.
package list

import (
	"strings"

	"headcount/scan/list/xmllist"
)

// pageKeysMax is the most keys that one LIST returns. Asking for fewer makes MinIO end listings early.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (MaxKeys)
const pageKeysMax = 1000

// Entry is what a LIST says of one object.
type Entry = xmllist.Entry

// Page is some keys of a Range, usually at most 1,000, in order and without gap: all that the bucket has in Page.Range. Lossy
// keys stand where the store listed them. One that ends in them extends to the end of the Range that is walked, so that nobody has to
// go on from them.
type Page struct {
	Range   Range
	Entries []Entry

	// Metadata is that of each Entry, where the listing was asked for it (Lister.WantMetadata) and gave it; nil otherwise, and then Withheld
	// says why, if it was asked for in vain.
	Metadata    []Metadata
	MetadataErr error

	// KeysDeclared is set where the store declared how it encoded the keys, so that they are surely what they seem.
	KeysDeclared bool
}

// Lossy says whether key stands for a name that the store could not list: stores that do not honour encoding-type write
// U+FFFD for what XML cannot carry. It may be the name itself, since that is a character too.
func (p *Page) Lossy(key string) bool { return isLossy(key, p.KeysDeclared) }

func isLossy(key string, exact bool) bool { return !exact && strings.Contains(key, "\uFFFD") }

// NameUncertain says whether key may not be the name that the object has: it is lossy, or the store may have encoded it
// without saying so, or it has a line feed, which is what XML makes of a carriage return.
func (p *Page) NameUncertain(key string) bool {
	return p.Lossy(key) || !p.KeysDeclared && strings.ContainsAny(key, "%+\n")
}
