package pace

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/fault"
)

// held is how long a Limiter lets one request wait.
func held(t *testing.T, g *Limiter) time.Duration {
	t.Helper()
	began := time.Now()
	if n, err := g.Wait(t.Context(), 1); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	return time.Since(began)
}

func TestGateClosesWhenMostIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Limiter
		if d := held(t, &g); d != 0 || !g.Unlimited() {
			t.Errorf("the zero Limiter held for %v", d)
		}
		g.ObserveAnswers(refusalBudgetMax / refusalsPerAnswer)
		for range refusalBudgetMax - 1 {
			g.ObserveRefusal(time.Now(), time.Second)
			if d := held(t, &g); d != 0 {
				t.Errorf("one refusal of few held for %v", d)
			}
		}
		g.ObserveRefusal(time.Now(), 0)
		for i := range 12 {
			time.Sleep(time.Millisecond)
			g.ObserveRefusal(time.Now(), time.Hour) // heard while it is closed
			want := min(backoffMax, backoffBase<<i) - time.Millisecond
			if d := held(t, &g); d != want {
				t.Errorf("refusal %d in a row held for %v, want %v", i, d, want)
			}
			g.ObserveRefusal(time.Now().Add(-time.Hour), time.Hour) // sent before it was closed
			g.ObserveRefusal(time.Now(), 0)
		}
		held(t, &g)
		g.ObserveRefusal(time.Now(), 7*time.Second)
		if d := held(t, &g); d != 7*time.Second {
			t.Errorf("Retry-After: 7 held for %v", d)
		}
	})
}

// When a time of refusals is over one caller finds out whether the store is well, and then the others follow.
func TestOneProbesForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Limiter
		g.ObserveRefusal(time.Now(), time.Second)
		var through atomic.Int64
		for range 64 {
			go func() {
				n, err := g.Wait(t.Context(), 8)
				if n > 0 && err == nil {
					through.Add(int64(n))
				}
			}()
		}
		expect := func(least, most int64) {
			t.Helper()
			synctest.Wait()
			if n := through.Load(); n < least || n > most {
				t.Fatalf("%d are through, and should be %d to %d", n, least, most)
			}
		}
		time.Sleep(time.Second - time.Nanosecond)
		expect(0, 0)
		time.Sleep(time.Nanosecond)
		expect(1, 1)
		time.Sleep(2*backoffBase - time.Nanosecond) // no answer yet
		expect(1, 1)
		time.Sleep(time.Nanosecond)
		expect(2, 2)
		g.ObserveRefusal(time.Now(), time.Second)
		time.Sleep(time.Second)
		expect(3, 3)
		g.ObserveAnswers(1)
		expect(4, 3+8)
		time.Sleep(time.Minute) // from nothing
		expect(63, 64*8)
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	cause := errors.New("enough")
	for name, g := range map[string]*Limiter{"closed": new(Limiter), "slow": NewLimiter(0.001), "open": new(Limiter)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				switch name {
				case "closed":
					g.ObserveRefusal(time.Now(), time.Minute)
				case "slow":
					held(t, g)
				case "open":
					cancel(cause)
				}
				time.AfterFunc(time.Second, func() { cancel(cause) })
				for range 2 { // one waits for the Limiter, and one for its turn
					go func() {
						if _, err := g.Wait(ctx, 1); !errors.Is(err, cause) {
							t.Errorf("%v", err)
						}
					}()
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if err := fault.Sleep(ctx, time.Hour); !errors.Is(err, cause) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// The user's limit is kept, but for what slack lets through at the start, and what is let through at once.
func TestTheUsersLimit(t *testing.T) {
	for _, most := range []float64{0.5, 7, 500, 20_000} {
		for _, n := range []int{1, 8} {
			synctest.Test(t, func(t *testing.T) {
				g := NewLimiter(most)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				m := newModel(0, 20*time.Millisecond)
				m.work(ctx, g, 1024, n)
				good, _ := m.counts()
				if want := most * 20; good > want+2*max(1, most*burstTime.Seconds()) || good < 0.99*want-1024 {
					t.Errorf("%v/s: %v requests in 20 s", most, good)
				}
				if g.Rate() != most || g.Unlimited() {
					t.Errorf("the limit is %v", g.Rate())
				}
			})
		}
	}
}
