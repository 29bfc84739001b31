package fault

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Health records how a store answers requests of one kind: when one succeeded last, and since when none has succeeded
// although some were sent. Make it with NewHealth. Its methods may be called concurrently. The last success is that of
// the last call of OK, which may have an earlier time than another goroutine's.
//
// Health uses the monotonic clock, so that setting the clock of the machine changes nothing.
type Health struct {
	op    string
	start time.Time

	lastSuccess  atomic.Int64 // nanoseconds after start; 0: no request has succeeded
	failingSince atomic.Int64 // nanoseconds after start; 0: the store is healthy, or no request was sent
	lastFailure  atomic.Pointer[failure]
}

type failure struct{ err error }

// NewHealth returns the Health of a store to which no request was sent yet. op is the kind of requests in the
// UnavailableError: HEAD, PUT, …
func NewHealth(op string) *Health { return &Health{op: op, start: time.Now()} }

// sinceStart returns at in nanoseconds after start. It is never 0, which stands for no time.
func (h *Health) sinceStart(at time.Time) int64 { return max(1, int64(at.Sub(h.start))) }

// OK records that a request succeeded at that time.
func (h *Health) OK(at time.Time) {
	h.lastSuccess.Store(h.sinceStart(at))
	if h.failingSince.Load() == 0 { // nearly always; no write, since all workers share the cache line
		return
	}
	// A success before the first failure may be recorded after it.
	if since := h.failingSince.Load(); since < h.sinceStart(at) {
		h.failingSince.CompareAndSwap(since, 0)
	}
}

// Failed records that a request failed now, with a transient Failure. The UnavailableError has the last err.
func (h *Health) Failed(err error) {
	h.lastFailure.Store(&failure{err})
	h.failingSince.CompareAndSwap(0, h.sinceStart(time.Now()))
}

// EverOK reports whether any request has succeeded.
func (h *Health) EverOK() bool { return h.lastSuccess.Load() != 0 }

// OKAfter reports whether a request has succeeded after t.
func (h *Health) OKAfter(t time.Time) bool { return h.lastSuccess.Load() > h.sinceStart(t) }

// FailingFor returns for how long requests have failed and none has succeeded; 0: the store is healthy.
func (h *Health) FailingFor() time.Duration {
	since := h.failingSince.Load()
	if since == 0 {
		return 0
	}
	return time.Duration(h.sinceStart(time.Now()) - since)
}

// Check returns an UnavailableError if requests have failed, and none has succeeded, for longer than limit.
func (h *Health) Check(limit time.Duration) error {
	failing := h.FailingFor()
	if failing <= limit {
		return nil
	}
	var last error
	if f := h.lastFailure.Load(); f != nil {
		last = f.err
	}
	return &UnavailableError{Op: h.op, For: failing, Last: last}
}

// checksPerLimit is how often Watch checks within its limit: a run ends later than the limit by 5 % at most.
const checksPerLimit = 20

// Watch calls Check again and again. It returns the first error of Check, nil when done is closed, or the cause of the
// end of ctx.
func (h *Health) Watch(ctx context.Context, limit time.Duration, done <-chan struct{}) error {
	ticker := time.NewTicker(max(limit/checksPerLimit, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := h.Check(limit); err != nil {
				return err
			}
		case <-done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// UnavailableError ends a run in which no request of a kind has succeeded for longer than the user is willing to wait.
type UnavailableError struct {
	Op   string // HEAD, PUT, …
	For  time.Duration
	Last error // of the last request that failed
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("no %s has succeeded for %s: %v", e.Op, e.For.Round(time.Second), e.Last)
}

func (e *UnavailableError) Unwrap() error { return e.Last }

// Hint returns what the user can do about the last failure or, where nothing is known, about the wait.
func (e *UnavailableError) Hint() string {
	var hinted interface {
		error
		Hint() string
	}
	if errors.As(e.Last, &hinted) && hinted.Hint() != "" {
		return hinted.Hint()
	}
	return "--retry-for sets how long headcount waits for a store in trouble"
}
