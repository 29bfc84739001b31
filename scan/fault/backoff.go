package fault

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	backoffBase = 100 * time.Millisecond // a store that is busy needs a moment, a lost packet less
	backoffMax  = 5 * time.Second        // a store that comes back is noticed within this
)

// Backoff returns the delay before the n-th retry, n from 1. The delay grows exponentially, with full jitter, so that
// requests which failed together are not sent together again.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func Backoff(n int) time.Duration {
	ceiling := backoffMax
	if n < 7 { // 100 ms << 6 is over the ceiling
		ceiling = min(backoffMax, backoffBase<<max(0, n-1))
	}
	return 1 + rand.N(ceiling)
}

// Sleep waits for d, or until ctx ends: then it returns the cause.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 { // several timers that are due at once crash Go 1.26's race detector under synctest
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
