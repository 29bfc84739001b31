// Package xmllist decodes the XML body of a LIST: the ListBucketResult of ListObjectsV2 and of ListObjects (V1), the
// ListVersionsResult of ListObjectVersions, or the Error document that a store sends in its place.
//
// A Decoder turns one body into one Listing: its Entries, whether it is truncated, and where the next page begins. A
// fast scanner reads documents as S3 servers write them (scan.go). From the first element that it does not understand,
// encoding/xml reads the rest (fallback.go). The fast scanner reports no errors: encoding/xml alone decides what is
// wrong.
package xmllist

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Listing is the content of one ListBucketResult or ListVersionsResult, in the order of the document.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (Response Syntax)
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html (Response Syntax)
type Listing struct {
	Entries      []Entry // their strings are parts of one text
	Truncated    bool
	NextToken    string // the continuation token, V1's NextMarker, or the NextKeyMarker of versions
	NextVersion  string // the NextVersionIdMarker of versions
	KeysDeclared bool   // the store declared encoding-type=url, and the keys were decoded
	NotEncoded   bool   // the store declared encoding-type=url, and a key shows that it encodes nothing
	KeyCount     int    // as the store declared it; -1: absent
	Prefix       string // of the keys, as the store wrote it; empty: it says none

	// Prefixes are the CommonPrefixes, which only a LIST with a delimiter has, in the store's order. Each stands for all
	// keys that begin with its Key.
	Prefixes []Entry

	// Metadata is the custom metadata of each Entry; nil where it was not asked for.
	Metadata []UserMetadata
}

// IsOf reports whether the listing can be that of the keys that begin with prefix. Stores that leave the prefix out, or
// do not encode it as they encode the keys, say nothing wrong. XML cannot carry some prefixes.
func (l *Listing) IsOf(prefix string) bool {
	if l.Prefix == "" || l.Prefix == prefix || strings.ContainsFunc(prefix, isNoXML) {
		return true
	}
	decoded, _, ok := appendURLDecoded(nil, []byte(l.Prefix))
	return ok && string(decoded) == prefix
}

// isNoXML reports whether a character of a text is lost, or may become another one, in XML.
// https://www.w3.org/TR/xml/#charsets
func isNoXML(r rune) bool { return r < ' ' || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF }

// Entry is the content of one Contents, Version or DeleteMarker, or the Prefix of a CommonPrefixes. A field that the
// store leaves out is empty.
type Entry struct {
	// A worker reads these for each HEAD. They are neighbours, so that they are in one or two lines of the processor's
	// cache.
	Key          string // its bytes, decoded; not always UTF-8
	ETag         string // without the quotes
	Size         int64  // bytes; -1: absent
	CommonPrefix bool   // Key is a prefix of keys; the other fields are absent

	Encoded      string // the key as the store wrote it, where decoding has changed it; empty: as Key
	LastModified string // as the store wrote it, RFC 3339
	StorageClass string

	Details *Details // nil: nothing more was asked for, or said
}

// Details is what a source of keys says of one object, beyond what every LIST says. A text that it does not say is
// empty. Nobody changes Details after the page is made.
type Details struct {
	// VersionID is that of a listing of versions; "null" for the null version; empty: the listing has no versions.
	VersionID    string
	IsLatest     bool // the newest version of the key; false without a VersionID
	DeleteMarker bool // it has no metadata, and no HEAD

	Owner             string // the display name, or the ID where there is none
	ChecksumAlgorithm string // names, separated by commas
	ChecksumType      string
	EncryptionStatus  string // in the words of an Inventory, as SSE-KMS

	// Headers are values that the HEAD has in a header, as the header has them: the restore status, or a column of an
	// Inventory. The HEAD is the newer answer.
	Headers []DetailHeader
}

// DetailHeader is a header: its name in lower case, and its value.
type DetailHeader struct{ Name, Value string }

// VersionID returns the version ID of an object in a listing of versions; empty in any other.
func (e *Entry) VersionID() string {
	if e.Details == nil {
		return ""
	}
	return e.Details.VersionID
}

// IsDeleteMarker reports whether the entry is a delete marker, of which there is no HEAD.
func (e *Entry) IsDeleteMarker() bool { return e.Details != nil && e.Details.DeleteMarker }

// Get returns the value of a header; said is false where it is not there. It may be called on nil.
func (d *Details) Get(name string) (value string, said bool) {
	if d == nil {
		return "", false
	}
	for i := range d.Headers {
		if d.Headers[i].Name == name {
			return d.Headers[i].Value, true
		}
	}
	return "", false
}

// Clone returns a copy that shares no memory with d, and nil for nil.
func (d *Details) Clone() *Details {
	if d == nil {
		return nil
	}
	clone := *d
	for _, text := range []*string{
		&clone.VersionID, &clone.Owner, &clone.ChecksumAlgorithm, &clone.ChecksumType, &clone.EncryptionStatus,
	} {
		*text = strings.Clone(*text)
	}
	clone.Headers = slices.Clone(d.Headers)
	for i, h := range clone.Headers {
		clone.Headers[i] = DetailHeader{Name: strings.Clone(h.Name), Value: strings.Clone(h.Value)}
	}
	return &clone
}

// UserMetadata is the content of one UserMetadata element, which MinIO adds to a Contents for metadata=true. The zero
// UserMetadata stands for an object without this element.
type UserMetadata struct {
	Items []Item // sorted by name; nil only where the element is absent

	// CustomerKey is set where the object is encrypted with a key of the client's, which a HEAD would have to send.
	CustomerKey bool
}

// Item is one custom metadatum.
type Item struct {
	Name  string // in lower case, without x-amz-meta-
	Value string
}

// ErrorDocument is the Error document that a store sends instead of a listing, with any status.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type ErrorDocument struct{ Code, Message, RequestID string }

func (e *ErrorDocument) Error() string { return "the store answered with the error " + e.Code }

// ReadError is a body that could not be read to its end: a failure of the connection, not of the document.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return e.Err.Error() }
func (e *ReadError) Unwrap() error { return e.Err }

// ErrTooLarge is a document with more, or longer, parts than an honest page has.
var ErrTooLarge = errors.New("the response is too large")

// ErrNotListing is a well-formed document with another root element than the listing that was asked for.
var ErrNotListing = errors.New("not a")

// errUnsupported is a document that may be well-formed, but has something that no store has a reason to write. It is
// refused, since reading it would be a guess.
var errUnsupported = errors.New("unsupported XML")
