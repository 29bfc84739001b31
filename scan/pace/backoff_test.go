package pace

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDelayGrowsToItsMaximum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-1, 1000).Draw(t, "n")
		ceiling := delayMax
		if n < 10 {
			ceiling = min(delayMax, delayBase<<max(0, n-1))
		}
		if d := Delay(n); d <= 0 || d > ceiling {
			t.Fatalf("the delay before retry %d is %v, over %v", n, d, ceiling)
		}
	})
}

// The delays use the whole range up to the ceiling: requests that failed together do not return together.
func TestDelayHasFullJitter(t *testing.T) {
	for n, ceiling := range map[int]time.Duration{1: delayBase, 4: 8 * delayBase, 100: delayMax} {
		var quarters [4]int
		for range 4000 {
			quarters[int(4*(Delay(n)-1)/ceiling)]++
		}
		for i, count := range quarters {
			if count < 800 || count > 1200 { // 7 standard deviations
				t.Errorf("%d of 4000 delays before retry %d are in quarter %d", count, n, i)
			}
		}
	}
}
