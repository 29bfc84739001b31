package fault

import (
	"testing"

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
