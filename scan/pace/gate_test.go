package pace

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestDelayGrowsToItsCeiling(t *testing.T) {
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

func TestGateClosesWhenMostIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		held := func() time.Duration {
			began := time.Now()
			if err := g.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if d := held(); d != 0 {
			t.Errorf("the zero Gate held for %v", d)
		}
		for range 20 {
			for range answersPerRefusal {
				g.Answered(1)
			}
			g.Throttled(time.Second)
			if d := held(); d != 0 {
				t.Errorf("one refusal among %d answers held for %v", answersPerRefusal, d)
			}
		}
		before := time.Duration(0)
		for i := range 8 {
			g.Throttled(0)
			g.Throttled(0) // heard while it is closed
			d := held()
			if d < holdBase<<i || d > holdBase<<i+holdBase {
				t.Errorf("refusal %d in a row held for %v", i, d)
			}
			if d <= before-holdBase {
				t.Errorf("%v after %v", d, before)
			}
			before = d
		}
		g.Throttled(7 * time.Second)
		if d := held(); d < 7*time.Second || d > 7*time.Second+holdBase {
			t.Errorf("Retry-After: 7 held for %v", d)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	var g Gate
	g.Throttled(time.Minute)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	if err := g.Wait(ctx); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if err := Sleep(ctx, time.Hour); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if err := new(Gate).Wait(ctx); !errors.Is(err, cause) {
		t.Errorf("an open Gate let a context pass that has ended: %v", err)
	}
}
