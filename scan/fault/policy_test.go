package fault

import (
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
