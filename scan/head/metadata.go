package head

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// MetadataPrefix begins the name of every header that carries custom metadata, in lower case.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
const MetadataPrefix = "x-amz-meta-"

// prefixBytesMax is far above the length of every vendor's prefix.
const prefixBytesMax = 64

// OtherPrefix returns the prefix of a header that carries metadata under another vendor's prefix, nil for every other
// header. name is in lower case. GCS, OSS, COS, OBS and Swift send x-goog-meta-, x-oss-meta-, x-cos-meta-, x-obs-meta-
// and x-object-meta- where a request is not signed as AWS does, or the object was written by another protocol.
func OtherPrefix(name []byte) []byte {
	const mark = "-meta-"
	i := bytes.Index(name, []byte(mark))
	end := i + len(mark)
	if i < 1 || end > prefixBytesMax || end == len(name) || bytes.HasPrefix(name, []byte("x-amz-")) {
		return nil
	}
	return name[:end]
}

// SetOtherPrefix sets r.OtherPrefix to that of a header, if the header has one. Of several prefixes, r keeps the first
// in alphabetical order.
func (r *Result) SetOtherPrefix(prefix []byte) {
	if prefix != nil && (r.OtherPrefix == nil || bytes.Compare(prefix, r.OtherPrefix) < 0) {
		r.OtherPrefix = prefix
	}
}

// ParseMetadataPrefix returns a prefix of header names for Config.MetadataPrefix, in lower case. It refuses a prefix
// that also begins the names of headers with another meaning.
func ParseMetadataPrefix(text string) (string, error) {
	prefix := strings.ToLower(text)
	switch {
	case prefix == "" || prefix[0] == '-' || strings.ContainsFunc(prefix, isNoTokenRune):
		return "", errors.New("not the beginning of a header's name")
	case !strings.HasSuffix(prefix, "-") || len(prefix) > prefixBytesMax:
		return "", errors.New("a prefix ends with a hyphen")
	case strings.HasPrefix(prefix, "x-amz-"), strings.HasPrefix("x-amz-", prefix):
		return "", fmt.Errorf("headers of S3 begin with %s, and those in %s are metadata anyway", prefix, MetadataPrefix)
	}
	for _, name := range []string{
		"accept-ranges", "cache-control", "content-", "last-modified", "retry-after", "transfer-encoding",
	} {
		if strings.HasPrefix(name, prefix) || strings.HasPrefix(prefix, name) {
			return "", fmt.Errorf("headers with another meaning begin with %s", prefix)
		}
	}
	return prefix, nil
}

// ConnectionHeader says what becomes of the connection, and nothing about the object. One engine does not see it.
// https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
const ConnectionHeader = "connection"

// ParseHeaderName returns the name of a header in lower case. It refuses what is no name, the names of metadata, and
// ConnectionHeader.
func ParseHeaderName(text string) (string, error) {
	name := strings.ToLower(text)
	switch {
	case name == "" || strings.ContainsFunc(name, isNoTokenRune):
		return "", errors.New("not the name of a header")
	case strings.HasPrefix(name, MetadataPrefix):
		return "", errors.New("a header of custom metadata, which is in the field metadata")
	case name == ConnectionHeader:
		return "", errors.New("a header of the connection, which says nothing about the object")
	}
	return name, nil
}

// isNoTokenRune reports whether no name of a header has the character (RFC 9110 §5.6.2).
func isNoTokenRune(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
}

// AddFurther adds the metadata under Config.MetadataPrefix to Metadata, which is sorted then. Where a name comes under
// both prefixes, the value under MetadataPrefix is the first.
func (r *Result) AddFurther(further []Header) {
	if len(further) == 0 {
		return
	}
	r.Metadata = append(r.Metadata, further...)
	SortHeaders(r.Metadata)
	r.JoinMetadata()
}

// JoinMetadata makes one Header of the Metadata with the same name. They must be neighbours, in the order received.
func (r *Result) JoinMetadata() {
	kept := 0
	for i := range r.Metadata {
		if kept > 0 && bytes.Equal(r.Metadata[kept-1].Name, r.Metadata[i].Name) {
			r.Metadata[kept-1].Value = JoinValues(r.Metadata[kept-1].Value, r.Metadata[i].Value)
			continue
		}
		r.Metadata[kept] = r.Metadata[i]
		kept++
	}
	r.Metadata = r.Metadata[:kept]
}

// JoinValues returns the list of two values (RFC 9110 §5.3). It allocates: in a read buffer there is no room for it.
func JoinValues(a, b []byte) []byte {
	return append(append(append(make([]byte, 0, len(a)+1+len(b)), a...), ','), b...)
}
