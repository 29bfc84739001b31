package s3sim

import (
	"sync"
	"time"
)

const (
	// budgetSaved is how much of its budget a Server saves up while it is asked for less.
	budgetSaved = 50 * time.Millisecond
	// budgetSavedMin is how many requests that are at least: fewer no client could use.
	budgetSavedMin = 5
)

// budget is what is left of RateMax: a token bucket. It may be used concurrently.
type budget struct {
	rate float64 // requests per second; 0: there is no limit

	mu   sync.Mutex
	left float64
	at   time.Time // when so much was left
}

func newBudget(rate float64) budget { return budget{rate: rate} }

// take takes one request out, and says whether there was one left.
func (b *budget) take(now time.Time) bool {
	if b.rate == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	saved := max(budgetSavedMin, b.rate*budgetSaved.Seconds())
	if b.at.IsZero() {
		b.left = saved
	} else if passed := now.Sub(b.at); passed > 0 { // requests of several connections come out of order
		b.left = min(saved, b.left+passed.Seconds()*b.rate)
	}
	if now.After(b.at) {
		b.at = now
	}
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
