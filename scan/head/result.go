package head

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"headcount/scan/fault"
	"headcount/scan/store"
)

// Header is one header: its name in lower case, and its value without leading and trailing blanks. The bytes of the
// value are the bytes received.
type Header struct {
	Name, Value []byte
}

// Result is the outcome of one HEAD.
type Result struct {
	// Status is the status of the answer; 0 without an answer.
	Status int

	// Err is the reason why there is no answer; nil with an answer.
	Err error

	// Unconnected reports that no connection was had for the HEAD: connecting failed, or nothing was ever received over
	// the new connection. The failure says more about the number of connections than about the object.
	Unconnected bool

	// Latency is the time from the start of sending, or of connecting, to the end of the answer's header. It may
	// include some microseconds in which the Session built the request. It is 0 without an answer.
	Latency time.Duration

	// Received is the time at which the answer's header ended; zero without an answer.
	Received time.Time

	// Resent is the number of earlier HEADs for the same object that got no answer, and that the Session sent again by
	// itself. The store had closed a kept connection, or the HEAD was behind another one in a pipeline. They do not
	// count as attempts.
	Resent int

	// Address is the address that the HEAD was sent to. Its IP may be missing if no connection was made. It is nil if
	// the HEAD failed before an endpoint was chosen.
	Address *store.Address

	// NewConn reports that the answer is the first one on its connection: it is to no earlier request.
	NewConn bool

	// Region is the region that the request was signed for.
	Region string

	// Equal and Different are the Traits in which the answer is like the LIST, and unlike it. A Trait that one of them
	// lacks is in neither.
	Equal, Different Trait

	// Mismatch reports that the answer is unlike the LIST. The object was overwritten, or the answer belongs to another
	// request, or a proxy made it.
	Mismatch bool

	// Source tells whether the metadata come from a HEAD or from the listing (WithKnownMetadata).
	Source MetadataSource

	// Metadata is the custom metadata: the headers that begin with MetadataPrefix or with Config.MetadataPrefix, without
	// that prefix, sorted by name. A header that the store repeats is one Header, its values joined by "," in the order
	// received (RFC 9110 §5.3).
	Metadata []Header

	// OtherPrefix is the prefix of another vendor under which the answer has metadata, which are among the Headers; nil:
	// there are none.
	OtherPrefix []byte

	// Headers are the other headers, in any order.
	Headers []Header
}

// Get returns the value of a header other than metadata, or nil if the answer lacks it. The name must be in lower
// case.
func (r *Result) Get(name string) []byte {
	for i := range r.Headers {
		if string(r.Headers[i].Name) == name {
			return r.Headers[i].Value
		}
	}
	return nil
}

// ETag returns the entity tag without its quotes, and without the W/ that a compressing proxy adds.
func (r *Result) ETag() []byte { return trimETag(r.Get("etag")) }

func trimETag(tag []byte) []byte {
	if n := len(tag); n > 2 && tag[0] == '"' && tag[n-1] == '"' && tag[1] != '"' && tag[n-2] != '"' {
		return tag[1 : n-1]
	}
	return bytes.Trim(bytes.TrimPrefix(tag, []byte("W/")), `"`)
}

// parseLength parses a Content-Length. An invalid one is ignored: the answer to a HEAD has no body to read.
func parseLength(text []byte) (length int64, ok bool) {
	const digitsMax = 18 // any number of 18 digits fits in an int64
	if len(text) == 0 || len(text) > digitsMax {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		length = 10*length + int64(c-'0')
	}
	return length, true
}

// FieldsMax is the number of header fields that an answer may have. S3 allows 2 KB of metadata, which is some 700
// fields of three bytes. Each field costs a comparison with all others. nginx and HAProxy allow about 100.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html (User-defined object metadata)
const FieldsMax = 2000

// ErrTooManyFields reports an answer with more than FieldsMax header fields.
var ErrTooManyFields error = tooManyFieldsError{}

type tooManyFieldsError struct{}

func (tooManyFieldsError) Error() string {
	return fmt.Sprintf("the answer has over %d header fields", FieldsMax)
}
func (tooManyFieldsError) FaultClass() fault.Class { return fault.HeaderTooLarge }

// insertionSortMax is the number of headers up to which an insertion sort is fastest. Hardly any object has more
// metadata.
const insertionSortMax = 16

// SortHeaders sorts headers by name. Headers of the same name keep their order.
func SortHeaders(headers []Header) {
	if len(headers) > insertionSortMax {
		slices.SortStableFunc(headers, func(a, b Header) int { return bytes.Compare(a.Name, b.Name) })
		return
	}
	for i := 1; i < len(headers); i++ {
		for j := i; j > 0 && bytes.Compare(headers[j-1].Name, headers[j].Name) > 0; j-- {
			headers[j-1], headers[j] = headers[j], headers[j-1]
		}
	}
}
