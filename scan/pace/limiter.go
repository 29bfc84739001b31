package pace

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	backoffBase = 20 * time.Millisecond // the first pause; it doubles while the store goes on refusing
	backoffMax  = 5 * time.Second

	// refusalsPerAnswer is how many refusals for each answer show that the store is not there, and not that it refuses some: one of which
	// two of three backends are ill refuses two.
	refusalsPerAnswer = 4

	// refusalBudgetMax is how many more there are by then. So many in a row come by chance once in some thousand requests where half of them
	// are refused, and that is told soon enough where all are.
	refusalBudgetMax = 12
)

// Limiter is what everybody asks before a request is sent, so that all together send no more than the user and the store
// allow. The zero Limiter is open and knows no limit. All methods may be called concurrently.
//
// It is closed when the store refuses nearly everything, for a time that doubles as long as that goes on. Then one caller
// alone gets through, and the others when the store has answered it. In between there is a limit, which is shared by all.
type Limiter struct {
	mayWait atomic.Bool // Wait may have to wait

	mu         sync.Mutex
	limit      rateLimit
	waiterTurn chan struct{} // held by the one caller that waits for the limit; the others wait for it
	wake       chan struct{} // wakes that one

	state         limiterState
	until         time.Time // closed: no request is sent; probing: no other one
	since         time.Time // when it was last closed or opened: what was sent before says nothing about now
	closings      int       // how often in a row it was closed
	answers       int64     // since it was opened
	refusalBudget int64     // refusals that do not close it
}

type limiterState uint8

const (
	stateOpen limiterState = iota
	stateClosed
	stateProbing
)

// NewLimiter returns a Limiter that lets most requests per second pass, and any number if most is 0.
func NewLimiter(most float64) *Limiter {
	g := new(Limiter)
	g.limit.maxRate, g.limit.rate = most, most
	g.publish()
	return g
}

// Unlimited says whether Wait would return at once. It costs one atomic load.
func (g *Limiter) Unlimited() bool { return !g.mayWait.Load() }

// Rate is the limit in force, in requests per second; 0: there is none.
func (g *Limiter) Rate() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limit.rate
}

// Wait returns when requests may be sent, and how many of the n that are asked for, which is one at least; or the cause
// of ctx's end.
func (g *Limiter) Wait(ctx context.Context, n int) (granted int, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if g.Unlimited() {
		return n, nil
	}
	turn, news := g.channels()
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	for {
		granted, wait := g.tryGrant(n)
		if granted > 0 {
			return granted, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-news:
		case <-ctx.Done():
			timer.Stop()
			return 0, context.Cause(ctx)
		}
		timer.Stop()
	}
}

func (g *Limiter) channels() (turn, news chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiterTurn == nil {
		g.waiterTurn, g.wake = make(chan struct{}, 1), make(chan struct{}, 1)
	}
	return g.waiterTurn, g.wake
}

// tryGrant is how many of n requests may be sent now; if none, it is asked again after wait.
func (g *Limiter) tryGrant(n int) (granted int, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.publish()
	now := time.Now()
	switch {
	case g.state == stateOpen:
		return g.limit.grant(now, n)
	case now.Before(g.until):
		return 0, g.until.Sub(now)
	case g.state == stateProbing: // the answer to the last one takes too long
		g.closings++
	}
	g.state, g.until = stateProbing, now.Add(g.backoff())
	return 1, 0
}

// Charge tells the Limiter of n requests that are sent without waiting for it: the others wait for so much longer.
func (g *Limiter) Charge(n int) {
	if g.Unlimited() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit.charge(time.Now(), n)
}

// backoff is how long the gate is closed now.
func (g *Limiter) backoff() time.Duration { return min(backoffMax, backoffBase<<min(g.closings, 10)) }

// ObserveAnswers tells the Limiter of n requests that the store answered.
func (g *Limiter) ObserveAnswers(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.publish()
	now := time.Now()
	g.refusalBudget = min(g.refusalBudget+n*refusalsPerAnswer, refusalBudgetMax)
	if g.answers += n; g.answers > answersToReset {
		g.closings = 0
	}
	if g.state == stateOpen {
		g.limit.observeAnswers(now, n)
		return
	}
	g.limit.answers += n
	if g.state == stateProbing {
		g.state, g.since = stateOpen, now
		g.limit.resume(now)
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
}

// answersToReset is how many answers in a time in which it was not closed show that the trouble is over.
const answersToReset = 100

// ObserveRefusal tells the Limiter that the store refused, with 429 or 503 or as one that is not there, a request that was sent at
// that time, and for how long it asked not to be asked (0: it did not say).
func (g *Limiter) ObserveRefusal(sent time.Time, retryAfter time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.publish()
	now := time.Now()
	if g.state == stateClosed && now.Before(g.until) || sent.Before(g.since) {
		return // it was on its way when the gate was closed, and does not count again
	}
	if g.state == stateOpen {
		g.limit.observeRefusal(now, sent)
		if g.refusalBudget--; g.refusalBudget > 0 {
			return
		}
	}
	hold := retryAfter
	if hold == 0 {
		hold = g.backoff()
	}
	g.closings++
	g.state, g.until, g.since, g.refusalBudget = stateClosed, now.Add(hold), now, 0
	g.answers = 0
}

// publish lets Open know.
func (g *Limiter) publish() {
	if paced := g.state != stateOpen || g.limit.rate > 0; paced != g.mayWait.Load() {
		g.mayWait.Store(paced)
	}
}
