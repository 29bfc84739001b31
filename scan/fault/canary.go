package fault

import (
	"context"
	"log/slog"
	"time"
)

// Canary finds out whether a store is available to the credentials of the run. It sends a probe: a small request whose
// answer names the reason of a refusal, such as a LIST of one key. Make it with NewCanary. It may be used concurrently.
type Canary struct {
	probe    func(context.Context) error
	renew    func(context.Context) bool
	policy   Policy
	retryFor time.Duration
	log      *slog.Logger

	token      chan struct{} // full while a caller sends probes: at most one caller does
	answeredAt time.Time     // when the last answered probe was sent; guarded by token
}

// probeEvery is the least time between two probes that succeed. A store that refuses thousands of requests a second
// then gets ten probes a second, and each request that is verified waits no longer than that.
const probeEvery = 100 * time.Millisecond

// firstProbesMax is the number of probes without an answer after which FirstContact gives up: about 2 s.
const firstProbesMax = 6

// NewCanary returns a Canary. probe sends the request once, and returns nil if it succeeds. renew renews expired
// credentials, and reports whether there may be new ones; nil: they cannot be renewed. Check waits for a store that
// does not answer for at most retryFor, as Health.Check counts it.
func NewCanary(
	probe func(context.Context) error, renew func(context.Context) bool, retryFor time.Duration, log *slog.Logger,
) *Canary {
	return &Canary{
		probe: probe, renew: renew, policy: Policy{MaxRefusals: 1}, retryFor: retryFor, log: log,
		token: make(chan struct{}, 1),
	}
}

// FirstContact makes Check give up soon where no probe and no verified request has ever succeeded, as a RunPolicy does:
// without credentials or a name that can be resolved at once, and after some probes where nobody answers. It is for a
// run whose first request of all may be a verified one. It returns c, and is called before the first Check.
func (c *Canary) FirstContact() *Canary {
	c.policy.MaxFirst = firstProbesMax
	return c
}

// Check returns nil when a probe has succeeded that was sent after the call of Check. One probe serves all waiting
// callers. Any error ends the run: the store's refusal of the probe, the cause of ctx's end, or an UnavailableError.
// requests is the Health of the requests that are verified, and failure the error of the caller's request. While the
// store does not answer the probe, Check records failure in requests.
func (c *Canary) Check(ctx context.Context, requests *Health, failure error) error {
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
	policy := c.policy
	if !c.answeredAt.IsZero() {
		policy.MaxFirst = 0
	}
	for !c.answeredAt.After(called) {
		if err := Sleep(ctx, probeEvery-time.Since(c.answeredAt)); err != nil {
			return err
		}
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
		next := policy.Next(&attempts, cause, requests)
		switch {
		case next.Action == GiveUp, next.Action == Renew && (c.renew == nil || !c.renew(ctx)):
			return err
		case next.Action == Renew:
			c.log.Info("the store refuses the credentials: they are renewed")
		case next.Delay == 0:
			continue // ClockSkew: the next probe is signed for the time of the answer
		case cause.Transient() && !warned:
			c.log.Warn("requests fail, and the store does not answer a LIST either; waiting for it", "error", err)
			warned = true
		case cause.Class == Credentials && !warned:
			c.log.Warn("there are no credentials; waiting for them", "error", err)
			warned = true
		}
		requests.Failed(failure)
		if err := requests.Check(c.retryFor); err != nil {
			return err
		}
		if err := Sleep(ctx, next.Delay); err != nil {
			return err
		}
	}
	return nil
}
