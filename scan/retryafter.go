package scan

import (
	"sync"
	"time"

	"headcount/scan/fault"
)

// retryAfterObjects is how many objects in a row have to be answered with a Retry-After before all requests wait for
// it. A few objects that are always answered so must not stop the others. A store that means it refuses eight more
// requests.
const retryAfterObjects = 8

// retryAfters finds out whether a Retry-After is the store's or that of a few objects. Its methods may be called
// concurrently.
type retryAfters struct {
	health *fault.Health // of the HEADs

	mu     sync.Mutex
	asking map[string]bool // keys of the objects with a Retry-After since then, without a success in between
	since  time.Time
}

// ofStore returns the Retry-After that all requests should wait for, after an answer about key that asks for d. It is 0
// where d may be the object's alone.
func (a *retryAfters) ofStore(key string, d time.Duration) time.Duration {
	if d == 0 {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asking == nil || a.health.OKAfter(a.since) {
		a.asking, a.since = map[string]bool{}, time.Now()
	}
	if len(a.asking) < retryAfterObjects {
		a.asking[key] = true
	}
	if len(a.asking) < retryAfterObjects {
		return 0
	}
	return d
}
