package scan

import (
	"context"
	"sync/atomic"
	"time"

	"headcount/scan/list"
)

// silenceChecks is how often within the user's patience it is looked at: so much later at most does a run end.
const silenceChecks = 20

// news is what the answers to the HEADs say about the store as a whole: when one last succeeded, and since when none has
// although some were tried. Its methods may be called concurrently. Times are nanoseconds since the run began, on the
// monotonic clock, so that a clock that is set does not matter.
type news struct {
	began time.Time

	good    atomic.Int64 // when a HEAD succeeded last
	trouble atomic.Int64 // since when none has, 0: all is well
	entry   atomic.Pointer[list.Entry]
	last    atomic.Pointer[ObjectError]
}

// since is the time at, as news counts it; never 0, which means not at all.
func (n *news) since(at time.Time) int64 { return max(1, int64(at.Sub(n.began))) }

// success is told when the store answered a HEAD as one that is well does.
func (n *news) success(at time.Time) {
	n.good.Store(n.since(at))
	if n.trouble.Load() != 0 {
		n.trouble.Store(0)
	}
}

// example remembers an object that the store answered for, to ask for it again.
func (n *news) example(e *list.Entry) { n.entry.Store(e) }

// failure is told when a HEAD met trouble that may be the store's.
func (n *news) failure(e *ObjectError) {
	n.last.Store(e)
	n.trouble.CompareAndSwap(0, n.since(time.Now()))
}

// successAfter says whether a HEAD has succeeded after t.
func (n *news) successAfter(t time.Time) bool { return n.good.Load() > n.since(t) }

// watch ends the run when there has been trouble, and no success, for longer than the user is willing to wait.
func (s *Scan) watch(ctx context.Context) error {
	ticker := time.NewTicker(max(s.cfg.RetryFor/silenceChecks, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			began := s.news.trouble.Load()
			if silence := s.news.since(time.Now()) - began; began != 0 && silence > int64(s.cfg.RetryFor) {
				return &SilenceError{For: time.Duration(silence), Last: s.news.last.Load()}
			}
		case <-s.unfinished.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
