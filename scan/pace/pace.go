// Package pace says when to send: a Gate holds everybody back after the store asked for less, and Delay is how long
// one request waits before it is tried again.
package pace

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	delayBase = 100 * time.Millisecond // a busy store needs a moment, a lost packet less
	delayMax  = 5 * time.Second        // a store that comes back is noticed within this

	holdBase = 20 * time.Millisecond // the first pause; it doubles while the store goes on refusing
	holdMax  = 5 * time.Second

	// answersPerRefusal is how many answers between two refusals show that the store bears the pace.
	answersPerRefusal = 2
)

// Delay is how long to wait before the n-th retry, n from 1: exponential with full jitter, so that what failed
// together does not come back together.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func Delay(n int) time.Duration {
	ceiling := delayMax
	if n < 7 { // 100 ms << 6 is over the ceiling
		ceiling = min(delayMax, delayBase<<max(0, n-1))
	}
	return 1 + rand.N(ceiling)
}

// Sleep waits for d or until ctx ends, and returns the cause of its end.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Gate is open until the store throttles most of what it is asked, then closed for a while that doubles as long as it
// goes on. A refusal among many answers closes nothing: the one object waits. The zero Gate is open. All methods may
// be called concurrently.
type Gate struct {
	until atomic.Int64 // Unix nanoseconds until which nobody sends; 0: open

	answers atomic.Int64 // since the last refusal

	mu     sync.Mutex
	streak int // how often in a row it was closed
}

// Wait returns when a request may be sent, or the cause of ctx's end. An open Gate costs one atomic load.
func (g *Gate) Wait(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		until := g.until.Load()
		if until == 0 {
			return nil
		}
		if rest := time.Until(time.Unix(0, until)); rest > 0 {
			// Jitter on the way out: the whole pool is waiting for the same moment.
			if err := Sleep(ctx, rest+rand.N(holdBase)); err != nil {
				return err
			}
			continue
		}
		g.until.CompareAndSwap(until, 0)
	}
}

// Open says whether Wait would return at once.
func (g *Gate) Open() bool { return g.until.Load() == 0 }

// Answered tells the Gate of n requests that the store answered.
func (g *Gate) Answered(n int64) { g.answers.Add(n) }

// Throttled tells the Gate that the store refused with 429 or 503, and for how long it asked not to be asked (0: it did
// not say). What is heard while the Gate is closed was asked for before, and does not count again.
func (g *Gate) Throttled(retryAfter time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.until.Load() > now.UnixNano() {
		return
	}
	if g.answers.Swap(0) >= answersPerRefusal {
		g.streak = 0
		return
	}
	hold := retryAfter
	if hold == 0 {
		hold = min(holdMax, holdBase<<min(g.streak, 10))
	}
	g.streak++
	g.until.Store(now.Add(hold).UnixNano())
}
