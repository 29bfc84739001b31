package pace

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	delayBase = 100 * time.Millisecond // a busy store needs a moment, a lost packet less
	delayMax  = 5 * time.Second        // a store that comes back is noticed within this
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
