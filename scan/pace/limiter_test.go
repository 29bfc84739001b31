package pace

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// waitOnce returns how long the Limiter lets one request wait.
func waitOnce(t *testing.T, l *Limiter) time.Duration {
	t.Helper()
	start := time.Now()
	if n, err := l.Wait(t.Context(), 1); n != 1 || err != nil {
		t.Fatalf("granted %d, %v", n, err)
	}
	return time.Since(start)
}

func TestLimiterClosesWhenMostRequestsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		if d := waitOnce(t, &l); d != 0 || !l.Unlimited() {
			t.Errorf("the zero Limiter: %v", d)
		}
		l.ObserveAnswers(refusalBudgetMax / refusalsPerAnswer)
		for range refusalBudgetMax - 1 {
			l.ObserveRefusal(time.Now(), time.Second)
			if d := waitOnce(t, &l); d != 0 {
				t.Errorf("after a refusal within the budget: %v", d)
			}
		}
		l.ObserveRefusal(time.Now(), 0)
		for i := range 12 {
			time.Sleep(time.Millisecond)
			l.ObserveRefusal(time.Now(), time.Hour) // the Limiter is closed already
			want := min(backoffMax, backoffBase<<i) - time.Millisecond
			if d := waitOnce(t, &l); d != want {
				t.Errorf("pause %d: %v, want %v", i, d, want)
			}
			l.ObserveRefusal(time.Now().Add(-time.Hour), time.Hour) // of a request before the Limiter closed
			l.ObserveRefusal(time.Now(), 0)
		}
		waitOnce(t, &l)
		l.ObserveRefusal(time.Now(), 7*time.Second)
		if d := waitOnce(t, &l); d != 7*time.Second {
			t.Errorf("after a Retry-After of 7 s: %v", d)
		}
	})
}

// After a pause one caller probes. The others follow when the store has answered the probe.
func TestOneCallerProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		l.ObserveRefusal(time.Now(), time.Second)
		var granted atomic.Int64
		for range 64 {
			go func() {
				n, err := l.Wait(t.Context(), 8)
				if n > 0 && err == nil {
					granted.Add(int64(n))
				}
			}()
		}
		expect := func(least, most int64) {
			t.Helper()
			synctest.Wait()
			if n := granted.Load(); n < least || n > most {
				t.Fatalf("%d granted, want %d to %d", n, least, most)
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
		l.ObserveRefusal(time.Now(), time.Second)
		time.Sleep(time.Second)
		expect(3, 3)
		l.ObserveAnswers(1)
		expect(4, 3+8)
		time.Sleep(time.Minute) // the rate grows from nearly zero
		expect(63, 64*8)
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	cause := errors.New("enough")
	for name, l := range map[string]*Limiter{"closed": new(Limiter), "slow": NewLimiter(0.001), "open": new(Limiter)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				switch name {
				case "closed":
					l.ObserveRefusal(time.Now(), time.Minute)
				case "slow":
					waitOnce(t, l)
				case "open":
					cancel(cause)
				}
				time.AfterFunc(time.Second, func() { cancel(cause) })
				for range 2 { // one waits for the rate, and the other one for its turn
					go func() {
						if _, err := l.Wait(ctx, 1); !errors.Is(err, cause) {
							t.Errorf("Wait: %v", err)
						}
					}()
				}
				time.Sleep(time.Second)
				synctest.Wait()
			})
		})
	}
}

// The requests exceed the user's limit by no more than two bursts, at the start.
func TestUsersRateLimit(t *testing.T) {
	for _, maxRate := range []float64{0.5, 7, 500, 5_500} {
		for _, depth := range []int{1, 8} {
			synctest.Test(t, func(t *testing.T) {
				l := NewLimiter(maxRate)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				m := newModel(0, 20*time.Millisecond)
				m.work(ctx, l, 1024, depth)
				answers, _ := m.counts()
				want, bursts := maxRate*20, 2*max(1, maxRate*burstTime.Seconds())
				if answers > want+bursts || answers < 0.99*want-1024 {
					t.Errorf("%v requests in 20 s, with a limit of %v/s", answers, maxRate)
				}
				if l.Rate() != maxRate || l.Unlimited() {
					t.Errorf("the rate is %v/s", l.Rate())
				}
			})
		}
	}
}

// Charge makes the callers of Wait wait for the requests that were sent without it.
func TestChargeDelaysTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(100)
		waitOnce(t, l)
		l.Charge(100)
		if d := waitOnce(t, l); d < 900*time.Millisecond || d > time.Second {
			t.Errorf("%v after a second's requests", d)
		}
	})
}
