package pace

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	holdBase = 20 * time.Millisecond // the first pause; it doubles while the store goes on refusing
	holdMax  = 5 * time.Second

	// refusalsPerAnswer is how many refusals for each answer show that the store is not there, and not that it refuses some: one of which
	// two of three backends are ill refuses two.
	refusalsPerAnswer = 4

	// refusalsMost is how many more there are by then. So many in a row come by chance once in some thousand requests where half of them
	// are refused, and that is told soon enough where all are.
	refusalsMost = 12
)

// Gate is what everybody asks before a request is sent, so that all together send no more than the user and the store
// allow. The zero Gate is open and knows no limit. All methods may be called concurrently.
//
// It is closed when the store refuses nearly everything, for a time that doubles as long as that goes on. Then one caller
// alone gets through, and the others when the store has answered it. In between there is a limit, which is shared by all.
type Gate struct {
	paced atomic.Bool // Wait may have to wait

	mu    sync.Mutex
	limit limit
	turn  chan struct{} // held by the one caller that waits for the limit; the others wait for it
	news  chan struct{} // wakes that one

	state   gateState
	until   time.Time // closed: no request is sent; probing: no other one
	since   time.Time // when it was last closed or opened: what was sent before says nothing about now
	streak  int       // how often in a row it was closed
	answers int64     // since it was opened
	credit  int64     // refusals that do not close it
}

type gateState uint8

const (
	isOpen gateState = iota
	isClosed
	isProbing
)

// New returns a Gate that lets most requests per second pass, and any number if most is 0.
func New(most float64) *Gate {
	g := new(Gate)
	g.limit.most, g.limit.rate = most, most
	g.note()
	return g
}

// Open says whether Wait would return at once. It costs one atomic load.
func (g *Gate) Open() bool { return !g.paced.Load() }

// Rate is the limit in force, in requests per second; 0: there is none.
func (g *Gate) Rate() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limit.rate
}

// Wait returns when requests may be sent, and how many of the n that are asked for, which is one at least; or the cause
// of ctx's end.
func (g *Gate) Wait(ctx context.Context, n int) (granted int, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if g.Open() {
		return n, nil
	}
	turn, news := g.queue()
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	for {
		granted, wait := g.ask(n)
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

func (g *Gate) queue() (turn, news chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turn == nil {
		g.turn, g.news = make(chan struct{}, 1), make(chan struct{}, 1)
	}
	return g.turn, g.news
}

// ask is how many of n requests may be sent now; if none, it is asked again after wait.
func (g *Gate) ask(n int) (granted int, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.note()
	now := time.Now()
	switch {
	case g.state == isOpen:
		return g.limit.allow(now, n)
	case now.Before(g.until):
		return 0, g.until.Sub(now)
	case g.state == isProbing: // the answer to the last one takes too long
		g.streak++
	}
	g.state, g.until = isProbing, now.Add(g.hold())
	return 1, 0
}

// Spend tells the Gate of n requests that are sent without waiting for it: the others wait for so much longer.
func (g *Gate) Spend(n int) {
	if g.Open() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit.spend(time.Now(), n)
}

// hold is how long the gate is closed now.
func (g *Gate) hold() time.Duration { return min(holdMax, holdBase<<min(g.streak, 10)) }

// Answered tells the Gate of n requests that the store answered.
func (g *Gate) Answered(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.note()
	now := time.Now()
	g.credit = min(g.credit+n*refusalsPerAnswer, refusalsMost)
	if g.answers += n; g.answers > answersForgive {
		g.streak = 0
	}
	if g.state == isOpen {
		g.limit.answered(now, n)
		return
	}
	g.limit.good += n
	if g.state == isProbing {
		g.state, g.since = isOpen, now
		g.limit.reopen(now)
		select {
		case g.news <- struct{}{}:
		default:
		}
	}
}

// answersForgive is how many answers in a time in which it was not closed show that the trouble is over.
const answersForgive = 100

// Throttled tells the Gate that the store refused, with 429 or 503 or as one that is not there, a request that was sent at
// that time, and for how long it asked not to be asked (0: it did not say).
func (g *Gate) Throttled(sent time.Time, retryAfter time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.note()
	now := time.Now()
	if g.state == isClosed && now.Before(g.until) || sent.Before(g.since) {
		return // it was on its way when the gate was closed, and does not count again
	}
	if g.state == isOpen {
		g.limit.throttled(now, sent)
		if g.credit--; g.credit > 0 {
			return
		}
	}
	hold := retryAfter
	if hold == 0 {
		hold = g.hold()
	}
	g.streak++
	g.state, g.until, g.since, g.credit = isClosed, now.Add(hold), now, 0
	g.answers = 0
}

// note lets Open know.
func (g *Gate) note() {
	if paced := g.state != isOpen || g.limit.rate > 0; paced != g.paced.Load() {
		g.paced.Store(paced)
	}
}
