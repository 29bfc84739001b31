package list

import (
	"cmp"
	"strings"

	"headcount/scan/list/xmllist"
)

// pageKeysMax is the largest number of keys that one LIST returns. Asking for fewer makes MinIO end listings early.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (MaxKeys)
const pageKeysMax = 1000

// Entry is the part of a listing about one object.
type Entry = xmllist.Entry

// Details is what a source of keys says of an object beyond what every LIST says.
type Details = xmllist.Details

// DetailHeader is a header of Details.
type DetailHeader = xmllist.DetailHeader

// ListedName returns a key as the store wrote it, which no run decodes in two ways.
func ListedName(e *Entry) string { return cmp.Or(e.Encoded, e.Key) }

// ListedVersion returns ListedName, and the version in a listing of versions. No two entries of a listing have the same
// one.
func ListedVersion(e *Entry) string {
	if version := e.VersionID(); version != "" {
		return ListedName(e) + "\x00" + version
	}
	return ListedName(e)
}

// Page is everything that the bucket has in Page.Range, in the order of keys: at most 1,000 keys, or more where lossy
// keys follow each other, or where the store lists in any order. Lossy keys keep the places at which the store listed
// them. A Page that ends in lossy keys extends to the end of the Range of its Pager, so that no listing has to begin at
// them.
type Page struct {
	Range   Range
	Entries []Entry

	// Unplaced is set where the store lists in any order and the page covers no Range: a later Page covers the rest of the
	// Range of its Pager.
	Unplaced bool

	// Metadata is the custom metadata of each Entry, where Config.Metadata is set. It is nil where the store gave none.
	// MetadataErr is then the reason, if a LIST with metadata failed.
	Metadata    []Metadata
	MetadataErr error

	// KeysDeclared is set where the store declared the encoding of the keys, which are then the names of objects for
	// sure.
	KeysDeclared bool
}

// Lossy reports whether key stands for a name that the store could not list. Stores that do not honour encoding-type
// write U+FFFD for bytes that XML cannot carry. As U+FFFD is a character too, a lossy key can be the name itself.
func (p *Page) Lossy(key string) bool { return isLossy(key, p.KeysDeclared) }

func isLossy(key string, keysDeclared bool) bool {
	return !keysDeclared && strings.Contains(key, "\uFFFD")
}

// NameUncertain reports whether the object may have another name than key. That is so for a lossy key. Without declared
// encoding, it is also so for a key that may be encoded, and for one with a line feed: XML reads a carriage return as a
// line feed.
func (p *Page) NameUncertain(key string) bool {
	return p.Lossy(key) || !p.KeysDeclared && strings.ContainsAny(key, "%+\n")
}
