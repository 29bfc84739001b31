package list

import (
	"context"
	"errors"
	"net/http"
	"time"

	"headcount/scan/fault"
)

// warnEvery keeps the log of a long outage short.
const warnEvery = 30 * time.Second

// retrier decides how often one LIST is sent.
type retrier struct {
	lister   *Lister
	attempts fault.Attempts
	warnedAt time.Time
}

// next decides what to do about a LIST that failed with err.
func (r *retrier) next(ctx context.Context, err error) fault.Decision {
	r.attempts.Sent++
	l := r.lister
	var storeErr *StoreError
	if errors.As(err, &storeErr) && storeErr.SignedRegion != l.cfg.Store.Region() {
		return fault.Decision{} // it was sent before the Store switched to the region
	}
	failure := fault.FailureOf(err)
	next := l.policy.Next(&r.attempts, failure, l.health)
	if next.Action == fault.Renew && !l.cfg.Store.RefreshCredentials(ctx) {
		return l.policy.NotRenewed(&r.attempts, failure)
	}
	return next
}

// warn logs the first failure, and later ones once in warnEvery.
func (r *retrier) warn(err error, delay time.Duration) {
	if !r.warnedAt.IsZero() && time.Since(r.warnedAt) < warnEvery {
		return
	}
	r.warnedAt = time.Now()
	log := r.lister.cfg.Log
	var storeErr *StoreError
	if errors.As(err, &storeErr) && storeErr.Continued && storeErr.Status == http.StatusInternalServerError {
		log = log.With("hint", storeErr.Hint()) // nobody should wait for --retry-for to read it
	}
	log.Warn("LIST failed, trying again",
		"tries", r.attempts.Sent, "wait", delay.Round(time.Millisecond), "error", err)
}
