package head

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"headcount/scan/list"
)

// Trait is something by which the answer to a HEAD is compared with the LIST. A Trait is also a set of Traits.
//
// Answers that are assigned to the wrong requests are the one fault that would give wrong data without an error. No
// answer names its object, so only the Traits show whose answer it is.
type Trait uint8

const (
	// HasETag is that the answer has an ETag. S3 sends one with every object. An answer without one is a web page of a
	// proxy: of maintenance, of a login, of a rule for static files.
	HasETag Trait = 1 << iota

	ETag
	Length

	// Written is Last-Modified, to the second. It is compared only where the ETag or the Length is not the listed one:
	// a HEAD has whole seconds, and two objects may have the same.
	Written

	// Version is the version ID of an answer that names one. It is never equal alone: only a difference is noted, and is
	// never expected.
	Version
)

// String names the Traits of a set, as a message has them: "ETag and length".
func (t Trait) String() string {
	var names []string
	for i, name := range []string{"presence of an ETag", "ETag", "length", "Last-Modified", "version"} {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// Compare sets Equal, Different and Mismatch by the object's entry in the LIST. last is the answer before on the same
// connection; nil if it is not known.
func (r *Result) Compare(e *list.Entry, expected *Expected, last *LastAnswer) {
	r.Equal, r.Different, r.Mismatch = 0, 0, false
	if r.Status != http.StatusOK {
		return
	}
	for i := range r.Headers {
		switch h := &r.Headers[i]; string(h.Name) {
		case "etag":
			r.compareETag(h.Value, e)
		case "content-length":
			if length, ok := parseLength(h.Value); ok && e.Size >= 0 {
				r.setTrait(Length, length == e.Size)
			}
		case "x-amz-version-id":
			if version := e.VersionID(); version != "" && len(h.Value) > 0 && string(h.Value) != version {
				r.Different |= Version
			}
		}
	}
	if r.Equal&ETag == 0 || r.Different != 0 {
		r.compareFurther(e, expected, last)
	}
}

func (r *Result) compareETag(value []byte, e *list.Entry) {
	if isQuoted(value, e.ETag) {
		r.Equal |= HasETag | ETag
		return
	}
	tag := trimETag(value)
	if len(tag) == 0 {
		return
	}
	r.Equal |= HasETag
	if e.ETag != "" {
		r.setTrait(ETag, string(tag) == e.ETag || sameETag(tag, e.ETag))
	}
}

// isQuoted reports whether value is a tag of some characters in quotes, as nearly all ETags are.
func isQuoted(value []byte, tag string) bool {
	last := len(value) - 1
	return last > 1 && value[0] == '"' && value[last] == '"' && string(value[1:last]) == tag
}

// sameETag reports whether an answer's ETag is the listed one in another form. Some stores write hexadecimal digits in
// upper case. A proxy that compresses appends the name of the coding (RFC 9110 §8.8.3.3).
func sameETag(tag []byte, listed string) bool {
	const md5Digits = 32
	n := len(listed)
	if n < md5Digits || len(tag) < n || !strings.EqualFold(string(tag[:n]), listed) {
		return false
	}
	switch string(tag[n:]) {
	case "", "-gzip", "--gzip", ";gzip", "-br", ";br", "-zstd", "-deflate":
		return true
	}
	return false
}

func (r *Result) setTrait(t Trait, equal bool) {
	if equal {
		r.Equal |= t
	} else {
		r.Different |= t
	}
}

// compareFurther decides about an answer whose ETag is not the listed one, or whose length is not.
func (r *Result) compareFurther(e *list.Entry, expected *Expected, last *LastAnswer) {
	if r.Equal&HasETag == 0 {
		r.Different |= HasETag
	}
	if r.Different == 0 && r.Equal&Length != 0 {
		return
	}
	if order := r.WrittenSince(e); order != Unknown {
		r.setTrait(Written, order == Same)
	}
	different := r.Different
	if e.ETag == "" {
		different &^= HasETag // the scan decides whether other answers of the store have an ETag
	}
	switch {
	case different == 0:
	case different&^expected.Of(e) != 0 || !r.Corroborated():
		r.Mismatch = true
	case different&(HasETag|ETag) != 0:
		r.Mismatch = last.repeatedBy(r)
	}
}

// Corroborated reports whether an answer that is unlike the LIST in some Traits is of the listed object by the others.
// It is not if it was written at another time, nor if it is equal in nothing.
func (r *Result) Corroborated() bool {
	return r.Different&Written == 0 && r.Equal&(ETag|Length|Written) != 0
}

// Expected are the Traits in which the answers of a store always differ from its listing, although no object was
// overwritten. Some gateways list other ETags than their HEADs have (minio/minio#13497), and Swift lists large objects
// with 0 bytes (ovh/svfs#10). An answer that differs in expected Traits alone is no Mismatch, if the other Traits
// corroborate it. The zero value, and nil, expect nothing. Expected may be used concurrently.
type Expected struct {
	traits [Groups]atomic.Uint32
	some   atomic.Bool // Set was called
}

// Of returns the Traits in which the answer for an entry may differ.
func (x *Expected) Of(e *list.Entry) Trait {
	if x == nil || !x.some.Load() {
		return 0
	}
	return Trait(x.traits[GroupOf(e)].Load())
}

// Set sets the Traits of a group.
func (x *Expected) Set(g Group, t Trait) {
	x.traits[g].Store(uint32(t))
	x.some.Store(true)
}

// Group is a kind of objects, by their entries in the LIST. The listing of a store may differ from its HEADs in one
// kind alone: Swift lists only large objects with 0 bytes, and ETags of multipart uploads are made in several ways.
type Group uint8

// Groups is the number of Groups, which are a set of bits.
const (
	listedEmpty Group = 1 << iota // with 0 bytes
	multipart                     // with an ETag as of a multipart upload
	Groups
)

// GroupOf returns the Group of an entry.
func GroupOf(e *list.Entry) Group {
	const digits = 32 // of an MD5, before the number of parts
	g := Group(0)
	if e.Size == 0 {
		g = listedEmpty
	}
	if len(e.ETag) > digits && e.ETag[digits] == '-' {
		g |= multipart
	}
	return g
}

// String names the Group, as a message has it; empty: objects without a mark.
func (g Group) String() string {
	return [Groups]string{
		"", "listed with 0 bytes", "listed as multipart uploads", "listed as multipart uploads with 0 bytes",
	}[g]
}

// LastAnswer is the last answer on a connection, where ETags are expected to differ from the LIST. It finds the answer
// that comes twice, after which all answers of the connection are those to earlier requests. The zero value is that of
// a new connection.
type LastAnswer struct {
	known           bool
	etag, requestID []byte
}

// repeatedBy reports whether the next answer on the connection is the same answer once more, and remembers it. Objects
// of the same content have the same ETag, and on AWS and most other stores different request IDs.
func (l *LastAnswer) repeatedBy(r *Result) (repeated bool) {
	if l == nil {
		return false
	}
	etag, requestID := r.ETag(), r.Get("x-amz-request-id")
	repeated = l.known && len(etag)+len(requestID) > 0 &&
		bytes.Equal(etag, l.etag) && bytes.Equal(requestID, l.requestID)
	l.known, l.etag, l.requestID = true, append(l.etag[:0], etag...), append(l.requestID[:0], requestID...)
	return repeated
}

// Order is the order of two times of writing.
type Order int8

// The Orders of the time that an answer says, relative to the listed one.
const (
	Unknown Order = iota // one of the two says no time
	Earlier
	Same // by whole seconds
	Later
)

// WrittenSince compares the Last-Modified of the answer with that of the LIST, by whole seconds: a HEAD has no
// fractions, and a LIST may have them.
func (r *Result) WrittenSince(e *list.Entry) Order {
	listed, listedErr := time.Parse(time.RFC3339, e.LastModified)
	answered, err := http.ParseTime(string(r.Get("last-modified")))
	if listedErr != nil || err != nil {
		return Unknown
	}
	switch listed = listed.Truncate(time.Second); {
	case answered.After(listed):
		return Later
	case answered.Equal(listed):
		return Same
	}
	return Earlier
}
