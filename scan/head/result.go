package head

import (
	"bytes"
	"net/http"
	"slices"
	"time"

	"headcount/scan/list"
	"headcount/scan/store"
)

// MetadataPrefix begins the name of every header that carries custom metadata, in lower case.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
const MetadataPrefix = "x-amz-meta-"

// Field is a header's name, in lower case, and its value without outer blanks. The bytes are as they were received.
type Field struct {
	Name, Value []byte
}

// Result is what became of one HEAD.
type Result struct {
	// Status is the answer's status, 0 where there was none.
	Status int

	// Err says why there was no answer; nil if there was one.
	Err error

	// Latency is the time from handing the request to the connection, or to the making of one, to the end of the answer's
	// header. It may be some microseconds more, in which the Session made the request.
	Latency time.Duration

	// Received is when that was; zero where there was no answer.
	Received time.Time

	// Resent is how many HEADs were sent before it that brought nothing, and were sent again: on a kept connection that the
	// store had closed, or behind another one in a pipeline. They are no tries.
	Resent int

	// Address is where it was sent, or tried to be. It is not known in full where no connection was made, and nil where nobody got as far as to choose.
	Address *store.Address

	// Region is the region that the request was signed for.
	Region string

	// Mismatch is set where the answer does not agree with what the LIST said of the object, its ETag or its length. Answers
	// that got out of step on a connection are the one fault that gives wrong data without an error; this is what
	// notices it.
	Mismatch bool

	// Source is how it stands to the metadata that the LIST gave of the object, where that was asked for (WithListed).
	Source MetadataSource

	// Metadata is the custom metadata: the x-amz-meta- headers without that prefix, sorted by name. Headers that the
	// store repeated are one Field, their values joined by "," in the order received (RFC 9110 §5.3).
	Metadata []Field

	// Headers are the other headers, in no order.
	Headers []Field
}

// Get is the value of a header that is no metadata, nil if the answer has none. The name is in lower case.
func (r *Result) Get(name string) []byte {
	for i := range r.Headers {
		if string(r.Headers[i].Name) == name {
			return r.Headers[i].Value
		}
	}
	return nil
}

// ETag is the entity tag without its quotes, and without the W/ that a proxy which compresses puts before it.
func (r *Result) ETag() []byte { return trimETag(r.Get("etag")) }

// parseLength reads a Content-Length. One that is none says nothing: a HEAD has no body that it could be the length of.
func parseLength(text []byte) (length int64, ok bool) {
	const digitsMax = 18 // any that many fit
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

func trimETag(tag []byte) []byte {
	if n := len(tag); n > 2 && tag[0] == '"' && tag[n-1] == '"' && tag[1] != '"' && tag[n-2] != '"' {
		return tag[1 : n-1]
	}
	return bytes.Trim(bytes.TrimPrefix(tag, []byte("W/")), `"`)
}

// Compare sets Unlike, and says whether the answer has an ETag that the listed one was compared with. What the LIST or the answer
// leaves out agrees with everything.
func (r *Result) Compare(e *list.Entry) (isTagged bool) {
	r.Mismatch = false
	if r.Status != http.StatusOK {
		return false
	}
	for i := range r.Headers {
		switch h := &r.Headers[i]; string(h.Name) {
		case "etag":
			tag := trimETag(h.Value)
			isTagged = len(tag) > 0 && e.ETag != ""
			if isTagged && string(tag) != e.ETag {
				r.Mismatch = true
			}
		case "content-length":
			if length, ok := parseLength(h.Value); ok && e.Size >= 0 && length != e.Size {
				r.Mismatch = true
			}
		}
	}
	return isTagged
}

// insertionSortMax is up to how many metadata an insertion sort is fastest; hardly any object has more.
const insertionSortMax = 16

// SortFields sorts fields by name. Fields of the same name stay in the order received.
func SortFields(fields []Field) {
	if len(fields) > insertionSortMax {
		slices.SortStableFunc(fields, func(a, b Field) int { return bytes.Compare(a.Name, b.Name) })
		return
	}
	for i := 1; i < len(fields); i++ {
		for j := i; j > 0 && bytes.Compare(fields[j-1].Name, fields[j].Name) > 0; j-- {
			fields[j-1], fields[j] = fields[j], fields[j-1]
		}
	}
}
