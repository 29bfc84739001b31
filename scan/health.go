package scan

import (
	"context"
	"sync/atomic"
	"time"

	"headcount/scan/list"
)

// healthChecks is how often within the user's patience it is looked at: so much later at most does a run end.
const healthChecks = 20

// storeHealth is what the answers to the HEADs say about the store as a whole: when one last succeeded, and since when none has
// although some were tried. Its methods may be called concurrently. Times are nanoseconds since the run began, on the
// monotonic clock, so that a clock that is set does not matter.
type storeHealth struct {
	began time.Time

	lastSuccess  atomic.Int64 // when a HEAD succeeded last
	failingSince atomic.Int64 // since when none has, 0: all is well
	sampleObject atomic.Pointer[list.Entry]
	lastFailure  atomic.Pointer[ObjectError]
}

// sinceStart is the time at, as news counts it; never 0, which means not at all.
func (n *storeHealth) sinceStart(at time.Time) int64 { return max(1, int64(at.Sub(n.began))) }

// ok is told when the store answered a HEAD as one that is well does.
func (n *storeHealth) ok(at time.Time) {
	n.lastSuccess.Store(n.sinceStart(at))
	if n.failingSince.Load() != 0 {
		n.failingSince.Store(0)
	}
}

// setSample remembers an object that the store answered for, to ask for it again.
func (n *storeHealth) setSample(e *list.Entry) { n.sampleObject.Store(e) }

// failed is told when a HEAD met trouble that may be the store's.
func (n *storeHealth) failed(e *ObjectError) {
	n.lastFailure.Store(e)
	n.failingSince.CompareAndSwap(0, n.sinceStart(time.Now()))
}

// okAfter says whether a HEAD has succeeded after t.
func (n *storeHealth) okAfter(t time.Time) bool { return n.lastSuccess.Load() > n.sinceStart(t) }

// watchHealth ends the run when there has been trouble, and no success, for longer than the user is willing to wait.
func (s *Scan) watchHealth(ctx context.Context) error {
	ticker := time.NewTicker(max(s.cfg.RetryFor/healthChecks, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			began := s.health.failingSince.Load()
			if silence := s.health.sinceStart(time.Now()) - began; began != 0 && silence > int64(s.cfg.RetryFor) {
				return &UnavailableError{For: time.Duration(silence), Last: s.health.lastFailure.Load()}
			}
		case <-s.inFlight.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
