package list

import (
	"context"
	"errors"
	"time"

	"headcount/scan/fault"
)

const (
	// contactTries is how often the very first request is tried: a wrong endpoint is told within seconds, and not
	// when the patience for a store in trouble is over.
	contactTries = 6

	// brokenTries is how often an answer that is no listing is asked for again: enough for a proxy's error page.
	brokenTries = 10

	// renewalTries is how often expired credentials are renewed before they are believed to be.
	renewalTries = 5

	// warnEvery keeps the log of a long outage short.
	warnEvery = 30 * time.Second
)

// patience decides how often one LIST is sent. Each kind of trouble is counted by itself, so that a long one of one
// kind leaves the others their tries.
type patience struct {
	lister *Lister
	began  time.Time

	tries, broken, skewed, renewed, refused int
	warned                                  time.Time
}

// after says, of a request that failed, whether to send it again, and after what wait.
func (p *patience) after(ctx context.Context, err error) (time.Duration, bool) {
	p.tries++
	var (
		refused  *StoreError
		protocol *ProtocolError
		rest     = p.lister.cfg.RetryFor - time.Since(p.began)
		delay    = min(fault.Backoff(p.tries), max(rest, 0))
	)
	switch {
	case errors.As(err, &protocol):
		p.broken++
		return delay, protocol.transient && p.broken < brokenTries && p.contact()
	case errors.As(err, &refused):
		return p.afterRefusal(ctx, refused, delay, rest)
	}
	switch fault.ClassOf(err) {
	case fault.Configuration:
		return 0, false
	case fault.DNS, fault.TLS, fault.Credentials: // a wrong name, at the first contact; trouble that passes, later
		return delay, p.lister.everAnswered.Load() && rest > 0
	}
	return delay, rest > 0 && p.contact()
}

func (p *patience) afterRefusal(ctx context.Context, refused *StoreError, delay, rest time.Duration) (time.Duration, bool) {
	st := p.lister.cfg.Store
	switch {
	case st.SwitchRegion(refused.SignedRegion, refused.BucketRegion):
		p.lister.cfg.Log.Info("the bucket is in another region", "region", refused.BucketRegion)
		return 0, true
	case refused.Code == "RequestTimeTooSkewed":
		p.skewed++
		return 0, p.skewed == 1 // the SDK has taken the offset from the answer's Date
	case refused.Code == "ExpiredToken":
		p.renewed++
		return delay, p.renewed < renewalTries && st.RefreshCredentials(ctx)
	}
	if !refused.transient() { // it may be this endpoint's word alone
		p.refused++
		return 0, p.refused < st.EndpointCount()
	}
	return max(delay, min(refused.RetryAfter, rest)), rest > 0
}

// contact says whether to go on trying to reach a store that has never answered; one that has is waited for.
func (p *patience) contact() bool { return p.lister.everAnswered.Load() || p.tries < contactTries }

// warn logs the first failure, and then one now and again.
func (p *patience) warn(err error, wait time.Duration) {
	if !p.warned.IsZero() && time.Since(p.warned) < warnEvery {
		return
	}
	p.warned = time.Now()
	p.lister.cfg.Log.Warn("LIST failed, trying again", "tries", p.tries, "wait", wait.Round(time.Millisecond), "error", err)
}
