package s3sim

import (
	"strconv"
	"strings"
	"time"
)

// Object is what the Server reports of one key. It is a small value, computed from the key and the Shape alone: neither
// Seed nor HeadStates nor faults change it.
type Object struct {
	hash          uint64
	nasty         bool
	attributes    bool          // Options.Attributes
	allAttributes bool          // Options.AllAttributes
	place         *versionPlace // nil in a bucket without versions
}

// Header is one header line of a HEAD response, with its spelling.
type Header struct{ Name, Value string }

// metaPrefix begins the header names of user metadata.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
const metaPrefix = "x-amz-meta-"

// One in withoutMetadataOneIn objects has no user metadata.
const withoutMetadataOneIn = 10

// ID returns the value of the metadata "id", which every object with metadata has: the 64-bit FNV-1a hash of the key in
// hex.
func ID(key []byte) string { return string(appendHex64(nil, hashKey(key))) }

// WithoutMetadata reports whether the object has no user metadata.
func (o Object) WithoutMetadata() bool {
	return mix(o.hash, saltWithoutMetadata)%withoutMetadataOneIn == 0
}

// Metadata returns the user metadata as a client should report it: names in lower case without x-amz-meta-, and
// repeated values joined with a comma in order. It is empty for an object without metadata.
func (o Object) Metadata() map[string]string {
	metadata := map[string]string{}
	for _, header := range o.MetadataHeaders() {
		name := strings.ToLower(header.Name[len(metaPrefix):])
		if before, repeated := metadata[name]; repeated {
			header.Value = before + "," + header.Value
		}
		metadata[name] = header.Value
	}
	return metadata
}

// MetadataHeaders returns the user metadata as the Server sends it.
func (o Object) MetadataHeaders() []Header {
	var headers []Header
	if o.WithoutMetadata() {
		return headers
	}
	headers = append(headers, Header{metaPrefix + "id", string(appendHex64(nil, o.hash))})
	o.eachExceptID(func(name, value string) {
		headers = append(headers, Header{name, value})
	})
	return headers
}

// eachExceptID calls each with all metadata except "id". Only the value of "id" must be computed, so a HEAD can append
// the others without an allocation.
func (o Object) eachExceptID(each func(name, value string)) {
	each("x-amz-meta-owner", pick(o.hash, saltOwner,
		"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"))
	if mix(o.hash, saltProject)%3 == 0 {
		each("x-amz-meta-project", pick(o.hash, saltProjectName, "apollo", "gemini", "mercury", "voyager"))
	}
	if o.attributes && o.oneIn(60, saltClientKey) {
		each(pick(mix(o.hash, saltClientKey)/60, saltClientKey,
			"x-amz-meta-x-amz-key", "x-amz-meta-x-amz-key-v2", "x-amz-meta-x-amz-c"), "bm90IGEga2V5")
	}
	if o.allAttributes && mix(o.hash, saltContentHeader)%50 == 7 {
		each("x-amz-meta-title", "=?UTF-8?B?5pel5pys?=") // as AWS sends what is not ASCII
	}
	if o.nasty {
		o.eachNasty(each)
	}
}

// eachNasty calls each with metadata that clients handle wrongly, one kind per object.
func (o Object) eachNasty(each func(name, value string)) {
	switch mix(o.hash, saltExtra) % 9 {
	case 0:
		each("x-amz-meta-empty", "")
	case 1:
		each("x-amz-meta-utf8", "größe 日本語 😀") // raw, as versitygw sends non-ASCII
	case 2:
		each("x-amz-meta-quoted", `say "hi" \ <b>&amp;</b>`)
	case 3:
		each("x-amz-meta-spaced", "two  blanks\tand a tab")
	case 4: // two lines of one name are one value (RFC 9110 §5.3)
		each("x-amz-meta-dup", "first")
		each("x-amz-meta-dup", "second")
	case 5:
		each("X-Amz-Meta-MixedCase", "Kept As It Is")
	case 6:
		each("x-amz-meta-encoded", "=?UTF-8?B?Z3LDtsOfZQ==?=") // as AWS and MinIO send non-ASCII
	case 7:
		each("x-amz-meta-latin1", "gr\xf6\xdfe") // not UTF-8
	case 8:
		each("x-amz-meta-colon", "a: b, c; d=e")
	}
}

// pick chooses one of the names by the hash. Callers pass few names, so that the slice stays on the stack.
func pick(h uint64, s salt, names ...string) string {
	return names[mix(h, s)%uint64(len(names))]
}

// ETag returns the entity tag with its quotes, as both LIST and HEAD report it.
func (o Object) ETag() string {
	return `"` + string(o.appendETag(nil)) + `"`
}

func (o Object) appendETag(dst []byte) []byte {
	dst = appendHex64(dst, mix(o.hash, saltETagHigh))
	dst = appendHex64(dst, mix(o.hash, saltETagLow))
	return o.appendPartCount(dst)
}

// appendPartCount appends the end of the ETag and of the checksum of an object that was uploaded in parts.
func (o Object) appendPartCount(dst []byte) []byte {
	if parts := o.parts(); parts > 0 {
		return strconv.AppendInt(append(dst, '-'), parts, 10)
	}
	return dst
}

// objectBytesMax keeps sizes below a mebibyte. No client downloads an object.
const objectBytesMax = 1 << 20

// Size returns the length in bytes.
func (o Object) Size() int64 { return int64(mix(o.hash, saltSize) % objectBytesMax) }

// LastModified returns a time in UTC with whole seconds, the resolution of an HTTP date.
func (o Object) LastModified() time.Time {
	return time.Unix(modifiedFirst+o.modifiedSecond(), 0).UTC()
}

// modifiedSecond returns LastModified in seconds since modifiedFirst.
func (o Object) modifiedSecond() int64 {
	if o.place != nil {
		return o.place.modifiedSecond()
	}
	return modifiedSecond(o.hash)
}

func modifiedSecond(hash uint64) int64 {
	return int64(mix(hash, saltModified) % (modifiedDays * daySeconds))
}

// ContentType returns the media type.
func (o Object) ContentType() string {
	return pick(o.hash, saltType, "application/octet-stream", "text/plain", "application/json", "image/jpeg")
}

// StorageClass returns STANDARD, for one in seven objects of the Nasty shape STANDARD_IA, for one in 25 objects with
// attributes GLACIER, and for some with all attributes another class. As on AWS, a LIST reports STANDARD and a HEAD
// omits it.
func (o Object) StorageClass() string {
	switch {
	case !o.attributes && !o.nasty: // most buckets
	case o.archived() && o.allAttributes && o.oneIn(4, saltTiering):
		return "DEEP_ARCHIVE"
	case o.archived():
		return "GLACIER"
	case o.tiered():
		return "INTELLIGENT_TIERING"
	case o.nasty && mix(o.hash, saltStorageClass)%7 == 0:
		return "STANDARD_IA"
	}
	return "STANDARD"
}

// VersionID returns the x-amz-version-id of a HEAD. In a bucket without versions it is "null" for one in eleven objects
// of the Nasty shape, otherwise "".
func (o Object) VersionID() string {
	if o.place != nil {
		return string(o.place.of.appendID(nil, o.place.n))
	}
	if o.nasty && mix(o.hash, saltVersion)%11 == 0 {
		return "null"
	}
	return ""
}

// MissingMeta returns the x-amz-missing-meta of a HEAD: the number of metadata entries that HTTP cannot carry. A HEAD
// omits it when it is 0.
func (o Object) MissingMeta() int {
	if o.nasty && mix(o.hash, saltMissing)%13 == 0 {
		return 2
	}
	return 0
}

// appendRewrittenETag appends the entity tag that HeadRewritten reports, as if the object had been overwritten since
// the LIST.
func (o Object) appendRewrittenETag(dst []byte) []byte {
	dst = appendHex64(dst, mix(o.hash, saltRewritten))
	return appendHex64(dst, mix(o.hash, saltETagLow))
}

// appendMetadata appends the header lines of the user metadata.
func (o Object) appendMetadata(dst []byte) []byte {
	if o.WithoutMetadata() {
		return dst
	}
	dst = append(dst, "x-amz-meta-id: "...)
	dst = append(appendHex64(dst, o.hash), "\r\n"...)
	o.eachExceptID(func(name, value string) {
		dst = appendHeader(dst, name, value)
	})
	return dst
}

// appendHeader appends one header line.
func appendHeader(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// appendHeaderInt appends one header line with a number.
func appendHeaderInt(dst []byte, name string, value int64) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = strconv.AppendInt(dst, value, 10)
	return append(dst, "\r\n"...)
}
