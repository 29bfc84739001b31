package head

import (
	"net/http"
	"time"

	"headcount/scan/fault"
)

// LoadCheckInterval is the time between two checks of a Session whether its endpoint is overloaded. The Store
// compares its endpoints as often.
const LoadCheckInterval = time.Second

// failuresMax is the number of consecutive error answers after which a Session leaves its endpoint. A broken endpoint
// answers fast, so a Session that stayed would send it more and more HEADs.
const failuresMax = 3

// FailureStreak counts the consecutive error answers of one endpoint: those with a status from 400 on, without 404. The
// zero value has counted none.
type FailureStreak int

// ShouldLeave counts the status of an answer. It reports whether the Session should leave the endpoint now: the
// status is transient, or it is the third consecutive error answer.
func (s *FailureStreak) ShouldLeave(status int) bool {
	if status < 400 || status == http.StatusNotFound { // about the object, not about the endpoint
		*s = 0
		return false
	}
	*s++
	return *s == failuresMax || fault.TransientStatus(status)
}
