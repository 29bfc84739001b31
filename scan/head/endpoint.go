package head

import (
	"net/http"
	"time"

	"headcount/scan/fault"
)

// LoadCheckInterval is how often a Session checks whether its endpoint is overloaded: as often as the Store compares the addresses.
const LoadCheckInterval = time.Second

// refusalsMax is after how many refusals in a row a Session leaves its endpoint. An endpoint that is out of order answers
// fast: a Session that stayed would send it ever more.
const refusalsMax = 3

// RefusalStreak counts the refusals that an endpoint gave in a row. The zero value has counted none.
type RefusalStreak int

// ShouldLeave counts an answer, and reports whether the Session should leave the endpoint because of it: for the third
// refusal in a row, or for a status that is transient.
func (s *RefusalStreak) ShouldLeave(status int) bool {
	if status < 400 || status == http.StatusNotFound { // the object's, not the endpoint's
		*s = 0
		return false
	}
	*s++
	return *s == refusalsMax || fault.TransientStatus(status)
}
