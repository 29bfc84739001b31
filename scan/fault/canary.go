package fault

import (
	"context"
	"log/slog"
	"time"
)

// Canary finds out whether a store is available to the run's credentials, by a small request whose answer names the
// reason of a refusal: a LIST of one key. Make it with NewCanary. It may be used concurrently.
type Canary struct {
	probe    func(context.Context) error
	renew    func(context.Context) bool
	policy   Policy
	retryFor time.Duration
	log      *slog.Logger

	token      chan struct{} // holds a token while a caller probes
	answeredAt time.Time     // when the last probe was sent that was answered; the token's holder may use it
}

// NewCanary returns a Canary. probe sends the request once, and returns nil if it was answered. renew renews expired
// credentials, and reports whether there may be new ones; nil: they cannot be renewed. Check waits for a store that
// does not answer until its Health has failed for retryFor.
func NewCanary(
	probe func(context.Context) error, renew func(context.Context) bool, retryFor time.Duration, log *slog.Logger,
) *Canary {
	return &Canary{
		probe: probe, renew: renew, policy: Policy{MaxRefusals: 1}, retryFor: retryFor, log: log,
		token: make(chan struct{}, 1),
	}
}

// Check returns nil when the store has answered a probe that was sent after the call: one probe serves all callers
// that wait. Any error ends the run: the store's refusal, the cause of ctx's end, or an UnavailableError. While the
// store does not answer, Check records in h that it fails, with the failure of the request that is verified.
func (c *Canary) Check(ctx context.Context, h *Health, failure error) error {
	called := time.Now()
	select {
	case c.token <- struct{}{}:
		defer func() { <-c.token }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var (
		attempts Attempts
		warned   bool
	)
	for !c.answeredAt.After(called) {
		sent := time.Now()
		err := c.probe(ctx)
		switch {
		case err == nil:
			c.answeredAt = sent
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		attempts.Sent++
		cause := FailureOf(err)
		next := c.policy.Next(&attempts, cause, h)
		switch {
		case next.Action == GiveUp, next.Action == Renew && (c.renew == nil || !c.renew(ctx)):
			return err
		case next.Action == Renew:
			c.log.Info("the credentials have expired and are renewed")
		case next.Delay == 0:
			continue // the answer has corrected the clock
		case cause.Transient() && !warned:
			c.log.Warn("requests fail, and the store does not answer a LIST either; waiting for it", "error", err)
			warned = true
		}
		h.Failed(failure)
		if err := h.Check(c.retryFor); err != nil {
			return err
		}
		if err := Sleep(ctx, next.Delay); err != nil {
			return err
		}
	}
	return nil
}
