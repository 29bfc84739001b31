package head

import (
	"net/http"
	"time"

	"headcount/scan/fault"
)

// LoadCheckInterval is the time between two checks of a Session whether its endpoint is overloaded. The Store
// compares its endpoints as often.
const LoadCheckInterval = time.Second

// refusalsMax is the number of consecutive refusals after which a Session leaves its endpoint. A broken endpoint
// refuses fast, so a Session that stayed would send it more and more HEADs.
const refusalsMax = 3

// RefusalStreak counts the consecutive refusals of one endpoint. The zero value has counted none.
type RefusalStreak int

// ShouldLeave counts the status of an answer. It reports whether the Session should leave the endpoint now: the
// status is transient, or it is the third consecutive refusal.
func (s *RefusalStreak) ShouldLeave(status int) bool {
	if status < 400 || status == http.StatusNotFound { // about the object, not about the endpoint
		*s = 0
		return false
	}
	*s++
	return *s == refusalsMax || fault.TransientStatus(status)
}
