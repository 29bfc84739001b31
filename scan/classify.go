package scan

import (
	"net/http"

	"headcount/scan/fault"
	"headcount/scan/head"
)

// answerClass is what the answer to one HEAD means for its object.
type answerClass uint8

const (
	answered    answerClass = iota // the object exists, and this is its metadata
	changed                        // the same, and the object was overwritten since the LIST
	lossyMatch                     // another object answered: the listed key is lossy
	deleted                        // the answer says that the object was deleted
	mismatch                       // the answer may be another object's: to be sent again on a new connection
	wrongRegion                    // the bucket is in another region
	failed                         // no use: the retry policy decides (fault.Policy)
)

// classify reads a Result. newConn says that the HEAD was the first request of its connection, so that its answer is no
// other object's.
func classify(r *head.Result, newConn bool) answerClass {
	switch {
	case r.Err != nil:
		return failed
	case r.Status == http.StatusOK && !r.Mismatch:
		return answered
	case r.Status == http.StatusOK && newConn:
		return changed
	case r.Status == http.StatusOK:
		return mismatch
	case deleteMarker(r) && newConn:
		return deleted
	case deleteMarker(r):
		return mismatch // it has no ETag by which another object's answer would show
	case fault.TransientStatus(r.Status):
		return failed // whatever region it names
	}
	if region := r.Get("x-amz-bucket-region"); len(region) > 0 && string(region) != r.Region {
		switch r.Status {
		case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest, http.StatusForbidden:
			return wrongRegion
		}
	}
	return failed
}

// deleteMarker needs the header besides the 405, since a gateway that forbids HEAD answers 405 for every object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (x-amz-delete-marker)
func deleteMarker(r *head.Result) bool {
	return (r.Status == http.StatusNotFound || r.Status == http.StatusMethodNotAllowed) &&
		string(r.Get("x-amz-delete-marker")) == "true"
}

// failureOf describes a Result for the retry policy.
func failureOf(r *head.Result) fault.Failure {
	if r.Err != nil {
		return fault.FailureOf(r.Err)
	}
	return fault.Failure{
		Class: fault.StatusClass(r.Status), Status: r.Status, RetryAfter: fault.RetryAfter(string(r.Get("retry-after"))),
	}
}
