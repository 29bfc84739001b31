package fault

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestBackoffGrowsToItsCeiling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-1, 1000).Draw(t, "n")
		ceiling := backoffMax
		if n < 10 {
			ceiling = min(backoffMax, backoffBase<<max(0, n-1))
		}
		if d := Backoff(n); d <= 0 || d > ceiling {
			t.Fatalf("the delay before retry %d is %v, over %v", n, d, ceiling)
		}
	})
}

// The delays use the whole range up to the ceiling: requests that failed together do not return together.
func TestBackoffHasFullJitter(t *testing.T) {
	for n, ceiling := range map[int]time.Duration{1: backoffBase, 4: 8 * backoffBase, 100: backoffMax} {
		var quarters [4]int
		for range 4000 {
			quarters[int(4*(Backoff(n)-1)/ceiling)]++
		}
		for i, count := range quarters {
			if count < 800 || count > 1200 { // 7 standard deviations
				t.Errorf("%d of 4000 delays before retry %d are in quarter %d", count, n, i)
			}
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		start := time.Now()
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if err := Sleep(ctx, time.Hour); !errors.Is(err, cause) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if err := Sleep(t.Context(), time.Hour); err != nil || time.Since(start) != time.Hour+time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
