package answer

import (
	"errors"
	"net/http"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
)

// Class is what the answer to one HEAD means for its object.
type Class uint8

const (
	Found    Class = iota // the object exists, and this is its metadata
	Changed               // the same, and the object was overwritten since the LIST
	Unlike                // the answer is not about the listed object, on a new connection too
	Deleted               // the answer says that the object was deleted
	Mismatch              // the answer may be another object's: to be sent again on a new connection
	Waiting               // the answers for other objects will show whether it is Unlike
	Failed                // no use: the retry policy decides (fault.Policy)
)

// classify reads the Result for an entry. newConn says that the HEAD was sent again, as the first request of its
// connection: its answer is no other request's. known are the differences that mean nothing.
func classify(e *list.Entry, r *head.Result, newConn bool, known *head.Expected) Class {
	switch {
	case r.Err != nil:
		return Failed
	case r.Status == http.StatusOK && !r.Mismatch && (r.Different&head.HasETag == 0 ||
		known.Of(e)&head.HasETag != 0 && isStores(e, r)):
		return Found
	case r.Status == http.StatusOK && !newConn:
		return Mismatch
	case r.Status == http.StatusOK && overwritten(e, r):
		return Changed
	case r.Status == http.StatusOK:
		return Unlike
	case deleteMarker(r) && newConn:
		return Deleted
	case deleteMarker(r):
		return Mismatch // it has no ETag by which another object's answer would show
	}
	return Failed
}

// overwritten reports whether an answer that is unlike the entry is about a later object with the same key. An entry
// without a date, as a file of keys can have it, leaves that to the new connection. A page of a proxy can have any
// date, and has no ETag.
func overwritten(e *list.Entry, r *head.Result) bool {
	return r.Different&(head.HasETag|head.Version) == 0 && (e.LastModified == "" || r.WrittenSince(e) == head.Later)
}

// deleteMarker needs the header besides the 405, since a gateway that forbids HEAD answers 405 for every object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (x-amz-delete-marker)
func deleteMarker(r *head.Result) bool {
	return (r.Status == http.StatusNotFound || r.Status == http.StatusMethodNotAllowed) &&
		string(r.Get("x-amz-delete-marker")) == "true"
}

// Why an answer with status 200 is no store's answer about an object.
var (
	errNoETag = errors.New("the answer has no ETag: a web page, and not a store's answer about an object")
	errOther  = errors.New("the answer is about another version: the store ignores versionId")
	errNoMark = errors.New("the answer has no header that only stores send: a web page, and not an answer about an object")
)

// unlikeError is why an answer with status 200 and an ETag is no Record.
type unlikeError struct{ different head.Trait }

func (e *unlikeError) Error() string {
	return "the answer has another " + e.different.String() + " than the listing, and no later Last-Modified"
}

// WhyUnlike returns why an Unlike answer gives its object no Record.
func WhyUnlike(e *list.Entry, r *head.Result) (fault.Class, error) {
	switch {
	case r.Different&head.HasETag != 0:
		return fault.NotAnObject, errNoETag
	case r.Different&head.Version != 0:
		return fault.UnlikeListing, errOther
	case overwritten(e, r):
		return fault.NotAnObject, errNoMark
	}
	return fault.UnlikeListing, &unlikeError{r.Different}
}
