package scan

import (
	"net/http"

	"headcount/scan/head"
	"headcount/scan/store"
)

// verdict is what the answer to one HEAD means for its object.
type verdict uint8

const (
	answered  verdict = iota // the object is there, and this is its metadata
	changed                  // likewise, and it is not the one that was listed: it was overwritten
	namesake                 // likewise, and it cannot be the one that was listed: that one's key is lossy
	deleted                  // the answer itself says that the object was deleted
	unlike                   // the answer may be another object's: ask again on a fresh connection
	misplaced                // the bucket is in another region
	passing                  // trouble of the moment: ask again later
	doubtful                 // a refusal without a reason, since a HEAD has no body: ask the canary
	hopeless                 // asking again would bring the same
)

// read gives the verdict on a Result. A trial's fresh says that the connection was: what it answers then is the truth.
func read(r *head.Result, fresh bool) verdict {
	if r.Err != nil {
		return readFailure(r.Err)
	}
	switch {
	case r.Status == http.StatusOK && !r.Unlike:
		return answered
	case r.Status == http.StatusOK && fresh:
		return changed
	case r.Status == http.StatusOK:
		return unlike
	case isDeleteMarker(r) && fresh:
		return deleted
	case isDeleteMarker(r):
		return unlike // it has no ETag that would show it to be another object's answer
	case store.Transient(r.Status):
		return passing
	}
	if region := r.Get("x-amz-bucket-region"); len(region) > 0 && string(region) != r.SentTo {
		switch r.Status {
		case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest, http.StatusForbidden:
			return misplaced
		}
	}
	return doubtful
}

// isDeleteMarker needs the header, and not the 405 alone: a gateway that forbids HEAD says that of every object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (x-amz-delete-marker)
func isDeleteMarker(r *head.Result) bool {
	return (r.Status == http.StatusNotFound || r.Status == http.StatusMethodNotAllowed) &&
		string(r.Get("x-amz-delete-marker")) == "true"
}

func readFailure(err error) verdict {
	switch store.FailureClass(err) {
	case "header_too_large":
		return hopeless
	case "credentials":
		return doubtful
	}
	return passing
}
