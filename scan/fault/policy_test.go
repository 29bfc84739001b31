package fault

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// steady is a Backoff without jitter.
func steady(n int) time.Duration { return time.Duration(n) * time.Second }

// answer is a Failure by an answer, as the answers of a store are turned into Failures.
func answer(status int, code string) Failure {
	return Failure{Class: AnswerClass(status, code), Status: status}
}

// asks is a Failure by an answer that asks for a retry after d.
func asks(d time.Duration) Failure { return Failure{Class: Throttled, Status: 503, RetryAfter: d} }

func retryIn(d time.Duration) Decision { return Decision{Retry, d} }

// unanswered is a Failure without an answer.
func unanswered(class Class) Failure { return Failure{Class: class} }

func TestFailure(t *testing.T) {
	for _, c := range []struct {
		failure                          Failure
		class                            Class
		isTransient, isSlowDown, refused bool
	}{
		{answer(503, ""), Throttled, true, true, false},
		{answer(429, ""), Throttled, true, true, false},
		{answer(503, "SlowDown"), "SlowDown", true, true, false},
		{answer(200, "SlowDown"), "SlowDown", true, false, false},
		{answer(200, "InternalError"), "InternalError", true, false, false},
		{answer(400, "RequestTimeout"), "RequestTimeout", true, false, false},
		{answer(400, "RequestTimeoutException"), "RequestTimeoutException", true, false, false},
		{answer(400, "Throttling"), "Throttling", true, false, false},
		{answer(400, "TooManyRequests"), "TooManyRequests", true, false, false},
		{answer(400, "RequestLimitExceeded"), "RequestLimitExceeded", true, false, false},
		{answer(400, "ServiceUnavailable"), "ServiceUnavailable", true, false, false},
		{answer(500, ""), ServerError, true, false, false},
		{answer(500, "AccessDenied"), "AccessDenied", true, false, false},
		{answer(501, ""), ServerError, true, false, false},
		{answer(501, "NotImplemented"), "NotImplemented", true, false, false},
		{answer(499, ""), UnexpectedStatus, true, false, false},
		{answer(507, ""), ServerError, true, false, false},
		{answer(599, ""), ServerError, true, false, false},
		{answer(408, ""), Timeout, true, false, false},
		{answer(403, ""), Forbidden, false, false, true},
		{answer(403, "AccessDenied"), "AccessDenied", false, false, true},
		{answer(404, ""), UnexpectedStatus, false, false, true},
		{answer(400, "ExpiredToken"), ExpiredToken, false, false, true},
		{answer(403, "RequestTimeTooSkewed"), ClockSkew, false, false, true},
		{answer(301, ""), Redirect, false, false, true},
		{Failure{Class: ServerError, Status: 500, RetryAfter: time.Second}, ServerError, true, true, false},
		{Failure{Class: Forbidden, Status: 403, RetryAfter: time.Second}, Forbidden, false, false, true},
		{unanswered(Timeout), Timeout, true, false, false},
		{unanswered(ConnRefused), ConnRefused, true, true, false},
		{unanswered(Malformed), Malformed, true, false, false},
		{unanswered(WrongDocument), WrongDocument, true, false, false},
		{unanswered(ProtocolViolation), ProtocolViolation, false, false, false},
		{unanswered(Credentials), Credentials, false, false, false},
		{unanswered(HeaderTooLarge), HeaderTooLarge, false, false, false},
	} {
		f := c.failure
		if f.Class != c.class || f.Transient() != c.isTransient || f.SlowDown() != c.isSlowDown {
			t.Errorf("%+v: transient %v, slow down %v, want %s", f, f.Transient(), f.SlowDown(), c.class)
		}
		err := fmt.Errorf("LIST: %w", &describedError{f})
		if got := FailureOf(err); got != f {
			t.Errorf("%+v became %+v", f, got)
		}
		if got := IsRefused(err); got != c.refused {
			t.Errorf("%+v: refused %v", f, got)
		}
	}
	if got := FailureOf(context.DeadlineExceeded); got != unanswered(Timeout) {
		t.Errorf("%+v", got)
	}
	if IsRefused(nil) {
		t.Error("no error is a refusal")
	}
}

type describedError struct{ failure Failure }

func (e *describedError) Error() string    { return "described" }
func (e *describedError) Failure() Failure { return e.failure }

// From a status or an error over its Class to what the two policies decide about its first failure.
func TestPolicyOfAFirstFailure(t *testing.T) {
	var (
		retry  = Decision{Retry, time.Second}
		atOnce = Decision{}
		renew  = Decision{Renew, time.Second}
		verify = Decision{Action: Verify}
		giveUp = Decision{Action: GiveUp}
	)
	for _, c := range []struct {
		failure                     Failure
		object, run, atFirstContact Decision
	}{
		{answer(503, ""), retry, retry, retry},
		{answer(500, "InternalError"), retry, retry, retry},
		{answer(200, "SlowDown"), retry, retry, retry},
		{answer(408, ""), retry, retry, retry},
		{answer(520, ""), retry, retry, retry},
		{asks(7 * time.Second), retryIn(7 * time.Second), retryIn(7 * time.Second), retryIn(7 * time.Second)},
		{asks(time.Millisecond), retry, retry, retry},
		{asks(time.Hour), retryIn(retryAfterMax), retryIn(time.Minute), retryIn(time.Minute)},
		{answer(403, "AccessDenied"), verify, renew, atOnce}, // another endpoint is asked
		{answer(403, "InvalidAccessKeyId"), verify, renew, atOnce},
		{answer(400, "InvalidToken"), verify, renew, atOnce},
		{answer(400, ""), verify, renew, atOnce},
		{answer(403, ""), verify, renew, atOnce},
		{answer(400, "TokenRefreshRequired"), verify, renew, renew},
		{answer(404, ""), verify, atOnce, atOnce},
		{answer(501, ""), retry, retry, retry},
		{answer(505, ""), retry, retry, retry},
		{answer(499, ""), retry, retry, retry},
		{answer(530, ""), retry, retry, retry},
		{answer(403, "RequestTimeTooSkewed"), verify, atOnce, atOnce},
		{answer(400, "ExpiredToken"), verify, renew, renew},
		{unanswered(Timeout), retry, retry, retry},
		{unanswered(ConnRefused), retry, retry, retry},
		{unanswered(Reset), retry, retry, retry},
		{unanswered(Closed), retry, retry, retry},
		{unanswered(Connection), retry, retry, retry},
		{unanswered(Malformed), retry, retry, retry},
		{unanswered(WrongDocument), retry, retry, retry},
		{unanswered(DNS), retry, retry, giveUp},
		{unanswered(TLS), retry, retry, giveUp},
		{unanswered(Credentials), verify, retry, giveUp},
		{unanswered(Configuration), verify, giveUp, giveUp},
		{unanswered(ProtocolViolation), verify, giveUp, giveUp},
		{unanswered(HeaderTooLarge), giveUp, giveUp, giveUp},
	} {
		synctest.Test(t, func(t *testing.T) {
			answered, never := NewHealth(""), NewHealth("")
			answered.OK(time.Now())
			object, run := ObjectPolicy(10), RunPolicy(time.Minute, 2)
			object.Backoff, run.Backoff = steady, steady
			for _, d := range []struct {
				name   string
				policy Policy
				health *Health
				want   Decision
			}{
				{"object", object, answered, c.object},
				{"run", run, answered, c.run},
				{"run, first contact", run, never, c.atFirstContact},
			} {
				if got := d.policy.Next(&Attempts{Sent: 1}, c.failure, d.health); got != d.want {
					t.Errorf("%+v, %s: %v, want %v", c.failure, d.name, got, d.want)
				}
			}
		})
	}
}

// request is one request that fails again and again, with a fake clock.
type request struct {
	t        *testing.T
	policy   Policy
	attempts Attempts
	health   *Health
}

func newRequest(t *testing.T, p Policy) *request {
	if p.Backoff == nil {
		p.Backoff = steady
	}
	return &request{t: t, policy: p, health: NewHealth("")}
}

// fails sends the request once more, which takes a second. It waits as the policy says.
func (r *request) fails(f Failure) Decision {
	time.Sleep(time.Second)
	r.attempts.Sent++
	d := r.policy.Next(&r.attempts, f, r.health)
	time.Sleep(d.Delay)
	return d
}

// until sends the request until the Action is Verify or GiveUp, and returns that, and how often it was sent.
func (r *request) until(f Failure, each func()) (Action, int) {
	for range 1000 {
		each()
		if d := r.fails(f); d.Action == Verify || d.Action == GiveUp {
			return d.Action, r.attempts.Sent
		}
	}
	r.t.Fatalf("%+v is sent again and again", f)
	return 0, 0
}

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

func TestRunPolicy(t *testing.T) {
	for _, c := range []struct {
		name     string
		policy   Policy
		failure  Failure
		answered bool // before
		sent     int
		took     time.Duration // 0: any
	}{
		{"a wrong endpoint", RunPolicy(time.Hour, 1), unanswered(ConnRefused), false, 6, 0},
		{"a host that hangs", RunPolicy(time.Hour, 1), unanswered(Timeout), false, 6, 0},
		{"no such host", RunPolicy(time.Hour, 1), unanswered(DNS), false, 1, 0},
		{"no S3", RunPolicy(time.Hour, 1), unanswered(WrongDocument), false, 6, 0},
		{"a proxy's page", RunPolicy(time.Hour, 1), unanswered(WrongDocument), true, 10, 0},
		{"an outage", RunPolicy(time.Minute, 1), unanswered(ConnRefused), true, 11, time.Minute + time.Second},
		{"an answered outage", RunPolicy(time.Minute, 1), answer(503, ""), false, 11, time.Minute + time.Second},
		{"no ListObjectsV2", RunPolicy(time.Hour, 1), answer(501, "NotImplemented"), false, 5, 0},
		{"no HTTP/1.1", RunPolicy(time.Hour, 1), answer(505, ""), true, 5, 0},
		{"an origin that is away", RunPolicy(time.Minute, 1), answer(530, ""), true, 11, time.Minute + time.Second},
		{"no credentials", RunPolicy(time.Minute, 1), unanswered(Credentials), true, 11, time.Minute + time.Second},
		{"a refusal", RunPolicy(time.Hour, 1), answer(403, "AccessDenied"), true, 2, 0},
		{"a refusal by each endpoint", RunPolicy(time.Hour, 3), answer(403, "AccessDenied"), true, 4, 0},
		{"a refusal at first contact", RunPolicy(time.Hour, 1), answer(403, "AccessDenied"), false, 1, 0},
		{"a clock that stays wrong", RunPolicy(time.Hour, 3), answer(403, "RequestTimeTooSkewed"), true, 3, 0},
		{"credentials that stay expired", RunPolicy(time.Hour, 3), answer(400, "ExpiredToken"), true, 5, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRequest(t, c.policy)
				if c.answered {
					r.health.OK(time.Now())
				}
				r.attempts.Since = time.Now()
				began := time.Now()
				action, sent := r.until(c.failure, func() {})
				if action != GiveUp || sent != c.sent {
					t.Errorf("%v after %d, want %d", action, sent, c.sent)
				}
				if took := time.Since(began); c.took != 0 && took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
			})
		})
	}
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

// Where there are no other credentials, each endpoint may still accept the present ones, unless they have expired.
func TestNotRenewed(t *testing.T) {
	policy := RunPolicy(time.Hour, 2)
	denied, expired := answer(403, "AccessDenied"), answer(400, "ExpiredToken")
	var a Attempts
	for i, want := range []Action{Retry, GiveUp} {
		if d := policy.NotRenewed(&a, denied); d.Action != want {
			t.Errorf("refusal %d: %v", i+1, d)
		}
	}
	if d := policy.NotRenewed(new(Attempts), expired); d.Action != GiveUp {
		t.Errorf("expired: %v", d)
	}
}

// Time in which the request waited for something else than the store does not count.
func TestRunPolicySince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, RunPolicy(time.Minute, 1))
		if d := r.fails(answer(503, "")); d.Action != Retry || r.attempts.Since.IsZero() {
			t.Fatalf("%v, since %v", d, r.attempts.Since)
		}
		time.Sleep(time.Hour)
		r.attempts.Since = r.attempts.Since.Add(time.Hour)
		if d := r.fails(answer(503, "")); d != (Decision{Retry, 2 * time.Second}) {
			t.Errorf("%v", d)
		}
	})
}

// A long trouble of one kind leaves the attempts of another.
func TestRunPolicyCountsEachKindByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, RunPolicy(time.Hour, 2))
		r.health.OK(time.Now())
		for range 9 {
			r.fails(unanswered(WrongDocument))
		}
		for _, f := range []Failure{
			answer(403, "RequestTimeTooSkewed"), answer(400, "ExpiredToken"), answer(403, "AccessDenied"),
			answer(503, ""), unanswered(Reset),
		} {
			if d := r.fails(f); d.Action == GiveUp {
				t.Errorf("%+v: %v", f, d)
			}
		}
		if d := r.fails(unanswered(WrongDocument)); d.Action != GiveUp {
			t.Errorf("the tenth wrong document: %v", d)
		}
	})
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
