package pace

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Tuning. No specification gives these numbers.
const (
	// backoffBase is the first pause of a closed Limiter. Each following pause is twice as long, up to backoffMax.
	backoffBase = 20 * time.Millisecond
	backoffMax  = 5 * time.Second

	// refusalsPerAnswer is how many refusals for each answer show that the store is down. A proxy with one good backend
	// of three refuses two requests for each answer.
	refusalsPerAnswer = 4

	// refusalBudgetMax is how many refusals the Limiter accepts beyond the answers before it closes. If half of the
	// requests are refused, so many come in a row once in some thousand requests. If all are, 12 refusals come soon.
	refusalBudgetMax = 12

	// answersToReset is how many answers without a pause show that the trouble is over.
	answersToReset = 100
)

// Limiter makes requests wait, so that all callers together send no more than the user and the store allow. The zero
// Limiter has no limit. All methods may be called concurrently.
//
// It has three states. While it is open, a rateLimit grants requests. It closes when the store refuses nearly every
// request, for a time that doubles as long as the refusals continue. Then it probes: it lets one request through, and
// opens when the store has answered it.
type Limiter struct {
	mayWait atomic.Bool // a request may have to wait

	mu    sync.Mutex
	limit rateLimit

	// One caller at a time holds waiterTurn and waits for the rate; the others wait for waiterTurn. wake wakes that
	// caller.
	waiterTurn chan struct{}
	wake       chan struct{}

	state         limiterState
	until         time.Time // closed: no request is sent before; probing: no further one
	since         time.Time // last change to closed or open; requests sent before do not count
	closings      int       // in a row
	answers       int64     // since the last closing
	refusalBudget int64     // refusals that do not close the Limiter
}

type limiterState uint8

const (
	stateOpen limiterState = iota
	stateClosed
	stateProbing
)

// NewLimiter returns a Limiter with the user's limit in requests per second; 0: none.
func NewLimiter(maxRate float64) *Limiter {
	l := new(Limiter)
	l.limit.maxRate, l.limit.rate = maxRate, maxRate
	l.publish()
	return l
}

// Unlimited reports whether Wait would return at once. It costs one atomic load.
func (l *Limiter) Unlimited() bool { return !l.mayWait.Load() }

// Rate returns the rate in force, in requests per second; 0: no limit.
func (l *Limiter) Rate() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit.rate
}

// Wait waits until requests may be sent and returns how many of n: at least one. Its error is the cause of ctx's end.
func (l *Limiter) Wait(ctx context.Context, n int) (granted int, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if l.Unlimited() {
		return n, nil
	}
	waiterTurn, wake := l.channels()
	select {
	case waiterTurn <- struct{}{}:
		defer func() { <-waiterTurn }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	for {
		granted, wait := l.tryGrant(n)
		if granted > 0 {
			return granted, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-wake:
		case <-ctx.Done():
			timer.Stop()
			return 0, context.Cause(ctx)
		}
		timer.Stop()
	}
}

// channels returns waiterTurn and wake. It makes them if needed: the zero Limiter has none.
func (l *Limiter) channels() (waiterTurn, wake chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiterTurn == nil {
		l.waiterTurn, l.wake = make(chan struct{}, 1), make(chan struct{}, 1)
	}
	return l.waiterTurn, l.wake
}

// tryGrant returns how many of n requests may be sent now. If none, the caller should ask again after wait.
func (l *Limiter) tryGrant(n int) (granted int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.publish()
	now := time.Now()
	switch {
	case l.state == stateOpen:
		return l.limit.grant(now, n)
	case now.Before(l.until):
		return 0, l.until.Sub(now)
	case l.state == stateProbing: // the last probe got no answer in time
		l.closings++
	}
	l.state, l.until = stateProbing, now.Add(l.backoff())
	return 1, 0
}

// Charge counts n requests that are sent without Wait. Callers of Wait wait so much longer.
func (l *Limiter) Charge(n int) {
	if l.Unlimited() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit.charge(time.Now(), n)
}

// backoff returns how long the Limiter closes this time.
func (l *Limiter) backoff() time.Duration {
	const doublingsMax = 10 // 20 ms << 10 is more than backoffMax
	return min(backoffMax, backoffBase<<min(l.closings, doublingsMax))
}

// ObserveAnswers records n requests that the store answered without asking for fewer.
func (l *Limiter) ObserveAnswers(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.publish()
	now := time.Now()
	l.refusalBudget = min(l.refusalBudget+n*refusalsPerAnswer, refusalBudgetMax)
	if l.answers += n; l.answers > answersToReset {
		l.closings = 0
	}
	if l.state == stateOpen {
		l.limit.observeAnswers(now, n)
		return
	}
	l.limit.answers += n
	if l.state == stateProbing {
		l.state, l.since = stateOpen, now
		l.limit.resume(now)
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// ObserveRefusal records a request that the store refused with 429 or 503, or did not answer because it is down. sent
// is when the request was sent. retryAfter is how long the store asks to wait; 0: it does not say.
func (l *Limiter) ObserveRefusal(sent time.Time, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.publish()
	now := time.Now()
	if l.state == stateClosed && now.Before(l.until) || sent.Before(l.since) {
		return // the request was in flight when the Limiter closed
	}
	if l.state == stateOpen {
		l.limit.observeRefusal(now, sent)
		if l.refusalBudget--; l.refusalBudget > 0 {
			return
		}
	}
	pause := retryAfter
	if pause == 0 {
		pause = l.backoff()
	}
	l.closings++
	l.state, l.until, l.since = stateClosed, now.Add(pause), now
	l.refusalBudget, l.answers = 0, 0
}

// publish updates mayWait. The caller holds l.mu.
func (l *Limiter) publish() {
	if mayWait := l.state != stateOpen || l.limit.rate > 0; mayWait != l.mayWait.Load() {
		l.mayWait.Store(mayWait)
	}
}
