package pace

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	delayBase = 100 * time.Millisecond // a busy store needs a moment, a lost packet less
	delayMax  = 5 * time.Second        // a request notices within this time that the store has recovered
)

// Delay returns how long to wait before the n-th retry of a request, n from 1: exponential backoff with full jitter,
// from 1 ns to 5 s. The jitter spreads requests that failed together. It may be called concurrently.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func Delay(n int) time.Duration { return 1 + rand.N(delayCeiling(n)) }

// delayCeiling returns the maximum of Delay.
func delayCeiling(n int) time.Duration {
	const doublingsMax = 6 // 100 ms << 6 is more than delayMax
	return min(delayMax, delayBase<<min(max(0, n-1), doublingsMax))
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
