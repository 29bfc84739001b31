package head

import (
	"net/http"
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

	// Written is Last-Modified, to the second. It is compared only where ETag and Length say nothing.
	Written
)

// Compare sets Equal, Different and Mismatch by the object's entry in the LIST.
func (r *Result) Compare(e *list.Entry) {
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
		}
	}
	if r.Equal&ETag == 0 || r.Different != 0 {
		r.compareFurther(e)
	}
}

func (r *Result) compareETag(value []byte, e *list.Entry) {
	tag := trimETag(value)
	if len(tag) == 0 {
		return
	}
	r.Equal |= HasETag
	if e.ETag != "" {
		r.setTrait(ETag, string(tag) == e.ETag)
	}
}

func (r *Result) setTrait(t Trait, equal bool) {
	if equal {
		r.Equal |= t
	} else {
		r.Different |= t
	}
}

// compareFurther decides about an answer whose ETag is not the listed one.
func (r *Result) compareFurther(e *list.Entry) {
	if r.Equal&HasETag == 0 && e.ETag != "" {
		r.Different |= HasETag
	}
	if (r.Equal|r.Different)&(ETag|Length) == 0 {
		if order := r.WrittenSince(e); order != Unknown {
			r.setTrait(Written, order == Same)
		}
	}
	r.Mismatch = r.Different != 0
}

// Order is the order of two times of writing.
type Order int8

// The Orders of the time that an answer says, relative to the listed one.
const (
	Unknown Order = iota // one of the two says no time
	Earlier
	Same // as far as whole seconds tell
	Later
)

// WrittenSince compares the Last-Modified of the answer with that of the LIST. A HEAD has whole seconds, rounded
// either way. A LIST may have milliseconds.
func (r *Result) WrittenSince(e *list.Entry) Order {
	listed, listedErr := time.Parse(time.RFC3339, e.LastModified)
	answered, err := http.ParseTime(string(r.Get("last-modified")))
	if listedErr != nil || err != nil {
		return Unknown
	}
	switch since := answered.Sub(listed); {
	case since >= time.Second:
		return Later
	case since > -time.Second:
		return Same
	}
	return Earlier
}
