package fault

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestObjectPolicyWhileOthersSucceed(t *testing.T) {
	for _, maxAttempts := range []int{1, 2, 3, 10} {
		synctest.Test(t, func(t *testing.T) {
			r := newRequest(t, ObjectPolicy(maxAttempts))
			action, sent := r.until(answer(500, ""), func() { r.health.OK(time.Now()) })
			if action != GiveUp || sent != maxAttempts {
				t.Errorf("%v after %d, want %d", action, sent, maxAttempts)
			}
		})
	}
}

// A Retry-After is kept once in full, and then the backoff counts.
func TestObjectPolicyOfARetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, ObjectPolicy(10))
		for i, want := range []time.Duration{90 * time.Second, 30 * time.Second, 3 * time.Second, 4 * time.Second} {
			r.health.OK(time.Now())
			if d := r.fails(asks(90 * time.Second)); d != retryIn(want) {
				t.Errorf("attempt %d: %v, want to retry in %v", i+1, d, want)
			}
		}
	})
}

// A gateway that supports no HEAD fails each object, though no other request succeeds.
func TestObjectPolicyOfUnsupportedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, ObjectPolicy(10))
		for {
			action, sent := r.until(answer(501, ""), func() {})
			if action == Verify {
				continue
			}
			if action != GiveUp || sent != 10 {
				t.Errorf("%v after %d, want to give up after 10", action, sent)
			}
			return
		}
	})
}

// Where a HEAD is the first request of all, the Canary is asked until one is answered.
func TestObjectPolicyThatVerifiesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := ObjectPolicy(10)
		p.VerifiesFirst = true
		r := newRequest(t, p)
		for range 3 {
			if d := r.fails(unanswered(ConnRefused)); d.Action != Verify {
				t.Errorf("%v before any answer, want to verify", d)
			}
		}
		r.health.OK(time.Now())
		if d := r.fails(unanswered(ConnRefused)); d.Action != Retry {
			t.Errorf("%v after an answer, want to retry", d)
		}
	})
}

// Where nothing else succeeds, no number of failures is the request's own.
func TestObjectPolicyInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, ObjectPolicy(10))
		time.Sleep(time.Second)
		r.health.OK(time.Now()) // before the outage
		for round := range 5 {
			action, sent := r.until(unanswered(ConnRefused), func() {})
			if action != Verify || sent != 9*(round+1) {
				t.Fatalf("%v after %d", action, sent)
			}
			d := r.policy.Verified(&r.attempts, unanswered(ConnRefused), Verification{})
			if d != retryIn(steady(sent)) {
				t.Fatalf("%v", d)
			}
		}
		// The outage ends: the failures count from here on, and the first one of all.
		time.Sleep(time.Second)
		action, sent := r.until(answer(500, ""), func() { r.health.OK(time.Now()) })
		if action != GiveUp || sent != 45+9 {
			t.Errorf("%v after %d", action, sent)
		}
	})
}

// Where there is no other request, the Canary and a request of the same kind show that the store is healthy.
func TestObjectPolicyOfTheLastRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, ObjectPolicy(10))
		busy := answer(503, "")
		if action, sent := r.until(busy, func() {}); action != Verify || sent != 9 {
			t.Fatalf("%v after %d", action, sent)
		}
		if d := r.policy.Verified(&r.attempts, busy, Verification{RequestsSucceed: true}); d != (Decision{}) {
			t.Errorf("%v, want a retry at once", d)
		}
		if d := r.fails(busy); d.Action != GiveUp {
			t.Errorf("%v", d)
		}
	})
}

// The bound holds wherever the other requests end: the store is verified at the first failure after MaxAttempts-1 that
// is alone.
func TestObjectPolicyWhereTheOthersEnd(t *testing.T) {
	broken := unanswered(Malformed)
	for others := range 10 {
		synctest.Test(t, func(t *testing.T) {
			r := newRequest(t, ObjectPolicy(10))
			action, sent := r.until(broken, func() {
				if r.attempts.Sent < others {
					r.health.OK(time.Now())
				}
			})
			if want := max(9, others+1); action != Verify || sent != want {
				t.Fatalf("%v after %d, others with the first %d; want to verify after %d", action, sent, others, want)
			}
			d := r.policy.Verified(&r.attempts, broken, Verification{RequestsSucceed: true})
			if d.Action == Retry {
				d = r.fails(broken)
			}
			if d.Action != GiveUp || r.attempts.Sent != 10 {
				t.Errorf("%v after %d, others with the first %d; want to give up after 10", d, r.attempts.Sent, others)
			}
		})
	}
}

func TestObjectPolicyOfRefusals(t *testing.T) {
	denied := answer(403, "")
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, ObjectPolicy(10))
		for _, want := range []Decision{{Retry, 500 * time.Millisecond}, {Action: GiveUp}} {
			if d := r.fails(denied); d.Action != Verify {
				t.Fatalf("%v", d)
			}
			if d := r.policy.Verified(&r.attempts, denied, Verification{}); d != want {
				t.Errorf("%v, want %v", d, want)
			}
		}
	})
	// A Canary with other credentials confirms nothing, but not for ever.
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, ObjectPolicy(3))
		other := Verification{OtherCredentials: true, RequestsSucceed: true}
		for _, want := range []Decision{
			retryIn(steady(1)), retryIn(steady(2)), retryIn(500 * time.Millisecond), {Action: GiveUp},
		} {
			r.fails(denied)
			if d := r.policy.Verified(&r.attempts, denied, other); d != want {
				t.Errorf("%v after %d, want %v", d, r.attempts.Sent, want)
			}
		}
	})
	// Refusals leave the attempts of transient failures, and the other way round.
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, ObjectPolicy(10))
		ok := func() { r.health.OK(time.Now()) }
		for range 8 {
			ok()
			r.fails(answer(500, ""))
		}
		r.fails(denied)
		if d := r.policy.Verified(&r.attempts, denied, Verification{}); d.Action != Retry {
			t.Errorf("the first refusal: %v", d)
		}
		if action, sent := r.until(answer(500, ""), ok); action != GiveUp || sent != 11 {
			t.Errorf("%v after %d", action, sent)
		}
	})
}

// An object does not fail for a provider of credentials that is unavailable now and then.
func TestObjectPolicyWithoutCredentials(t *testing.T) {
	policy := ObjectPolicy(3)
	a := Attempts{Sent: 1}
	for range 10 {
		if d := policy.Next(&a, unanswered(Credentials), NewHealth("")); d.Action != Verify {
			t.Errorf("%v", d)
		}
		if d := policy.Verified(&a, unanswered(Credentials), Verification{}); d.Action != Retry || d.Delay == 0 {
			t.Errorf("%v", d)
		}
	}
}

// A request that gets no connection while others succeed does not use up its attempts, and waits for a moment only.
// After maxUnconnected times the Canary decides. While nobody succeeds, it is a transient failure like others.
func TestUnconnectedIsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy, h := ObjectPolicy(1), NewHealth("HEAD")
		policy.Backoff = steady
		var a Attempts
		failure := Failure{Class: Reset, Unconnected: true}
		for i := 1; i <= 2*maxUnconnected; i++ {
			time.Sleep(time.Second)
			h.OK(time.Now())
			time.Sleep(time.Second)
			a.Sent++
			want := retryIn(unconnectedDelayMax)
			if i%maxUnconnected == 0 {
				want = Decision{Action: Verify}
			}
			if got := policy.Next(&a, failure, h); got != want {
				t.Errorf("%d: %v, want %v", i, got, want)
			}
		}
		a, policy.MaxAttempts = Attempts{Sent: 1}, 10
		policy.Next(&a, failure, h)
		a.Sent++
		if got := policy.Next(&a, failure, h); got != retryIn(2*time.Second) {
			t.Errorf("in an outage: %v", got)
		}
	})
}
