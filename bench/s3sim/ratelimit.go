package s3sim

import (
	"sync"
	"time"
)

const (
	// burstDuration is how much of its budget a Server saves up while it is asked for less.
	burstDuration = 50 * time.Millisecond
	// burstMin is how many requests that are at least: fewer no client could use.
	burstMin = 5
)

// rateLimiter is what is left of RateMax: a token bucket. It may be used concurrently.
type rateLimiter struct {
	rate float64 // requests per second; 0: there is no limit

	mu      sync.Mutex
	left    float64
	updated time.Time // when so much was left
}

func newRateLimiter(rate float64) rateLimiter { return rateLimiter{rate: rate} }

// take takes one request out, and says whether there was one left.
func (b *rateLimiter) take(now time.Time) bool {
	if b.rate == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	saved := max(burstMin, b.rate*burstDuration.Seconds())
	if b.updated.IsZero() {
		b.left = saved
	} else if passed := now.Sub(b.updated); passed > 0 { // requests of several connections come out of order
		b.left = min(saved, b.left+passed.Seconds()*b.rate)
	}
	if now.After(b.updated) {
		b.updated = now
	}
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
