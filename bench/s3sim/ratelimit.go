package s3sim

import (
	"sync"
	"time"
)

const (
	// burstDuration is the time whose requests a Server saves up while clients send fewer than its rate.
	burstDuration = 50 * time.Millisecond
	// burstMin is the least burst in requests. A client could not use fewer.
	burstMin = 5
)

// rateLimiter enforces Options.RateMax as a token bucket. It may be used concurrently.
type rateLimiter struct {
	rate float64 // requests per second; 0: no limit

	mu      sync.Mutex
	left    float64   // requests that may be answered at the time updated
	updated time.Time // latest arrival so far
}

func newRateLimiter(rate float64) rateLimiter { return rateLimiter{rate: rate} }

// burst returns the number of requests that may be answered at once after a pause.
func (l *rateLimiter) burst() float64 { return max(burstMin, l.rate*burstDuration.Seconds()) }

// take takes one request out of the bucket. It returns false when the bucket is empty.
func (l *rateLimiter) take(now time.Time) bool {
	if l.rate == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.updated.IsZero() {
		l.left = l.burst()
	} else if passed := now.Sub(l.updated); passed > 0 { // arrivals on several connections come out of order
		l.left = min(l.burst(), l.left+passed.Seconds()*l.rate)
	}
	if now.After(l.updated) {
		l.updated = now
	}
	if l.left < 1 {
		return false
	}
	l.left--
	return true
}
