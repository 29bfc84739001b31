package scan

import (
	"net/http"

	"headcount/scan/fault"
	"headcount/scan/head"
)

// class is what the answer to one HEAD means for its object.
type class uint8

const (
	answered    class = iota // the object is there, and this is its metadata
	changed                  // likewise, and it is not the one that was listed: it was overwritten
	lossyMatch               // likewise, and it cannot be the one that was listed: that one's key is lossy
	deleted                  // the answer itself says that the object was deleted
	mismatch                 // the answer may be another object's: ask again on a fresh connection
	wrongRegion              // the bucket is in another region
	transient                // trouble of the moment: ask again later
	unexplained              // a refusal without a reason, since a HEAD has no body: ask the canary
	permanent                // asking again would bring the same
)

// classify gives the verdict on a Result. A trial's fresh says that the connection was: what it answers then is the truth.
func classify(r *head.Result, fresh bool) class {
	if r.Err != nil {
		return classifyFailure(r.Err)
	}
	switch {
	case r.Status == http.StatusOK && !r.Mismatch:
		return answered
	case r.Status == http.StatusOK && fresh:
		return changed
	case r.Status == http.StatusOK:
		return mismatch
	case isDeleteMarker(r) && fresh:
		return deleted
	case isDeleteMarker(r):
		return mismatch // it has no ETag that would show it to be another object's answer
	case fault.TransientStatus(r.Status):
		return transient
	}
	if region := r.Get("x-amz-bucket-region"); len(region) > 0 && string(region) != r.Region {
		switch r.Status {
		case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest, http.StatusForbidden:
			return wrongRegion
		}
	}
	return unexplained
}

// isDeleteMarker needs the header, and not the 405 alone: a gateway that forbids HEAD says that of every object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (x-amz-delete-marker)
func isDeleteMarker(r *head.Result) bool {
	return (r.Status == http.StatusNotFound || r.Status == http.StatusMethodNotAllowed) &&
		string(r.Get("x-amz-delete-marker")) == "true"
}

func classifyFailure(err error) class {
	switch fault.ClassOf(err) {
	case fault.HeaderTooLarge:
		return permanent
	case fault.Credentials:
		return unexplained
	}
	return transient
}
