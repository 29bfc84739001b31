package fault

import "time"

// Action is what is done about a request that failed.
type Action uint8

const (
	// Retry sends the same request again after Decision.Delay.
	Retry Action = iota

	// Verify asks the Canary whether the failure is the store's, and then calls Policy.Verified.
	Verify

	// Renew renews the credentials and sends the same request again after Decision.Delay. Where the credentials cannot
	// be renewed, NotRenewed decides. A Policy that Verifies leaves that to the Canary, and never returns it.
	Renew

	// GiveUp makes the failure the result of the request.
	GiveUp
)

func (a Action) String() string { return [...]string{"retry", "verify", "renew", "give up"}[a] }

// Decision is the answer of a Policy to a Failure. The zero value retries at once.
type Decision struct {
	Action Action
	Delay  time.Duration // before the request is sent again; 0 for Verify and GiveUp
}

// Attempts is what was tried for one request. The zero value is that of a request that was not sent yet. It is a plain
// value: it may be copied, and is not for concurrent use.
type Attempts struct {
	Sent int // requests sent; the caller counts each before it calls Next

	// Since is the time from which Policy.RetryFor counts. Where it is zero, Next sets it to the first failure. The
	// caller moves it forward by the time for which the request waited for the limit of the rate.
	Since time.Time

	// failed counts the transient failures. A failure does not count if no other request has succeeded since the last
	// one.
	failed         int
	failedAt       time.Time     // of the last transient failure
	verifiedAt     int           // Sent when a transient failure was verified last
	waited         time.Duration // for what answers asked for by Retry-After
	refused        int           // refusals; if the Policy verifies, those after which the Canary succeeded
	unconnected    int           // failures for want of a connection while other requests succeeded
	wrongDocuments int
	unsupported    int
	clockSkews     int
	renewals       int
	final          bool // the next transient failure is the result: the store answers other requests
}

// Policy decides about Failures of requests of one kind. ObjectPolicy and RunPolicy return the two that are in use. Its
// methods do not change it, and may be called concurrently. A limit of 0 is no limit.
//
// An ObjectPolicy is for requests of one object each (HEAD, PUT, DELETE). Their failure is the object's result, and the
// run continues with other objects. Health.Check ends a run in which no request succeeds. A RunPolicy is for requests
// that the run cannot do without (LIST): their failure ends the run.
//
//	failure                       ObjectPolicy                     RunPolicy
//	transient                     MaxAttempts, if others succeed   RetryFor
//	transient, no answer yet      as other transient failures      MaxFirst; DNS, TLS, credentials: GiveUp
//	transient, no connection      Verify after maxUnconnected      as other transient failures
//	transient, wrong document     as other transient failures      MaxWrongDocuments
//	transient, 501 or 505         MaxAttempts                      MaxUnsupported
//	refusal                       Verify, MaxRefusals              MaxRefusals
//	credentials                   Verify                           RetryFor
//	clock skew                    Verify, MaxRefusals              Retry twice
//	expired token                 Verify, MaxRefusals              Renew, MaxRenewals
//	refused keys, once accepted   Verify, MaxRefusals              Renew once, then as a refusal
//	configuration                 Verify, MaxRefusals              GiveUp
//	header too large, unusable    GiveUp                           GiveUp
type Policy struct {
	// MaxAttempts is the number of transient failures after which one request fails, while other requests succeed. A
	// failure for want of a connection does not count. While no other request succeeds, either the store is unavailable
	// or there are no other requests. Then the Decision is Verify, once in MaxAttempts attempts. If the store answers
	// other requests, one more attempt follows, up to MaxAttempts failures that count.
	MaxAttempts int

	// MaxRetryAfter is the time for which one request waits because of Retry-After, all its attempts together. An object
	// that is answered with a long Retry-After for ever then fails soon.
	MaxRetryAfter time.Duration

	// MaxFirst is the number of attempts to reach a store that has never answered, so that a wrong endpoint ends the run
	// within seconds instead of RetryFor. A name that cannot be resolved, a certificate that is not trusted and missing
	// credentials show at the first attempt. Once the store has answered, they are transient.
	MaxFirst int

	// MaxWrongDocuments is the number of WrongDocuments after which a request fails.
	MaxWrongDocuments int

	// MaxUnsupported is the number of answers 501 and 505 after which a request fails. With MaxAttempts, such answers
	// count as attempts even while no other request succeeds: a gateway that supports no HEAD fails every object.
	MaxUnsupported int

	// MaxRefusals is the number of refusals after which a request fails.
	MaxRefusals int

	// RefusalDelay is the time between the Canary's answer and the next attempt of a request that was refused.
	RefusalDelay time.Duration

	// RetryFor is the time for which one request is repeated, from Attempts.Since on.
	RetryFor time.Duration

	// Verifies is set for requests whose answers do not name the reason of a refusal, such as HEADs: their answers have
	// no body. The Canary finds the reason.
	Verifies bool

	// VerifiesFirst is set where no other kind of request has reached the store before. The Canary is then asked at every
	// failure until a request has succeeded, and ends the run soon where the endpoint is wrong (Canary.FirstContact).
	VerifiesFirst bool

	// MaxRenewals is the number of answers that name expired credentials after which a request fails.
	MaxRenewals int

	// Backoff returns the delay before the n-th retry; nil: the function Backoff.
	Backoff func(n int) time.Duration
}

// maxClockSkews is the number of answers that name a wrong clock after which a request fails. One would be too few,
// since the Store corrects its Skew by the Date of that answer. Two are too few as well: the Skew is dropped after the
// second one, if the Date did not help.
const maxClockSkews = 3

// maxUnconnected is the number of times that a request may get no connection while others succeed, before the Canary is
// asked: an object whose HEAD makes the store reset every connection is not to be sent for ever. Where the number of
// connections is limited, a request meets the limit once or twice.
const maxUnconnected = 10

// unconnectedDelayMax is the maximum delay of a request that got no connection while others succeed. One of their
// connections will serve it.
const unconnectedDelayMax = 100 * time.Millisecond

// MaxAttemptsDefault is the number of attempts for one object while others succeed: with Backoff, they take about 10 s.
const MaxAttemptsDefault = 10

// ObjectPolicy is the Policy for requests about one object each.
func ObjectPolicy(maxAttempts int) Policy {
	return Policy{
		MaxAttempts: maxAttempts,
		// A Retry-After is kept once in full. A store that asks everyone to wait is obeyed by the limiter of the rate.
		MaxRetryAfter: retryAfterMax,
		// One refusal is not enough: it may be the answer to another request, or to one that was signed with old
		// credentials, or the store may just be starting.
		MaxRefusals: 2,
		// Longer than a short disturbance of a store. It is short compared with the time for which a page is in flight.
		RefusalDelay: 500 * time.Millisecond,
		Verifies:     true,
	}
}

// RunPolicy is the Policy for requests that the run cannot do without. endpoints is the number of endpoints of the
// store: a request fails only after each of them has refused it.
func RunPolicy(retryFor time.Duration, endpoints int) Policy {
	return Policy{
		MaxFirst:          6,  // about 2 s
		MaxWrongDocuments: 10, // about 10 s: enough for a proxy whose store restarts
		MaxUnsupported:    5,  // about 1 s: an old store will never support ListObjectsV2
		MaxRefusals:       endpoints,
		RetryFor:          retryFor,
		MaxRenewals:       5,
	}
}

// Next decides about a request that has just failed, and counts the failure in a. h is the Health of requests of this
// kind. Before Next, the caller calls h.Failed for a transient failure.
func (p *Policy) Next(a *Attempts, f Failure, h *Health) Decision {
	switch {
	case f.Class == HeaderTooLarge, f.Final:
		return Decision{Action: GiveUp}
	case f.Transient():
		return p.afterTransient(a, f, h)
	case p.Verifies:
		return Decision{Action: Verify}
	}
	switch f.Class {
	case Credentials: // they may come from a service that is unavailable now
		return p.afterTransient(a, f, h)
	case Configuration, ProtocolViolation:
		return Decision{Action: GiveUp}
	case ClockSkew:
		a.clockSkews++
		if a.clockSkews == 1 {
			return Decision{}
		}
		return retryIf(a.clockSkews < maxClockSkews, p.backoff(a.Sent))
	}
	switch {
	case f.Class.expired():
		a.renewals++
		if p.MaxRenewals > 0 && a.renewals >= p.MaxRenewals {
			return Decision{Action: GiveUp}
		}
		return Decision{Renew, p.backoff(a.Sent)}
	case f.refusesKeys() && h.EverOK() && a.renewals == 0:
		a.renewals++
		return Decision{Renew, p.backoff(a.Sent)}
	}
	return p.afterRefusal(a)
}

// NotRenewed decides about a request for which Next decided to Renew, where there are no other credentials.
func (p *Policy) NotRenewed(a *Attempts, f Failure) Decision {
	if f.Class.expired() {
		return Decision{Action: GiveUp}
	}
	return p.afterRefusal(a)
}

func (p *Policy) afterRefusal(a *Attempts) Decision {
	a.refused++
	return retryIf(a.refused < p.MaxRefusals, 0)
}

func (p *Policy) afterTransient(a *Attempts, f Failure, h *Health) Decision {
	if a.final || p.isFirstContactFailed(a, f, h) {
		return Decision{Action: GiveUp}
	}
	if p.VerifiesFirst && !h.EverOK() {
		return Decision{Action: Verify}
	}
	if f.Class == WrongDocument {
		a.wrongDocuments++
		if p.MaxWrongDocuments > 0 && a.wrongDocuments >= p.MaxWrongDocuments {
			return Decision{Action: GiveUp}
		}
	}
	if UnsupportedStatus(f.Status) {
		a.unsupported++
		if p.MaxUnsupported > 0 && a.unsupported >= p.MaxUnsupported {
			return Decision{Action: GiveUp}
		}
	}
	asked := f.RetryAfter
	if p.MaxRetryAfter > 0 {
		asked = min(asked, p.MaxRetryAfter-a.waited)
		a.waited += asked
	}
	delay := max(p.backoff(a.Sent), asked)
	if p.RetryFor > 0 {
		if a.Since.IsZero() {
			a.Since = time.Now()
		}
		rest := p.RetryFor - time.Since(a.Since)
		if rest <= 0 {
			return Decision{Action: GiveUp}
		}
		delay = min(delay, rest)
	}
	if p.MaxAttempts > 0 {
		return p.countAttempt(a, f, h, delay)
	}
	return Decision{Retry, delay}
}

// isFirstContactFailed reports whether Next gives up on a store that has never answered. A refusal is an answer.
func (p *Policy) isFirstContactFailed(a *Attempts, f Failure, h *Health) bool {
	if p.MaxFirst == 0 || f.Status != 0 || h.EverOK() {
		return false
	}
	switch f.Class {
	case DNS, TLS, Credentials:
		return true
	}
	return a.Sent >= p.MaxFirst
}

// countAttempt counts a transient failure of a request for an object.
func (p *Policy) countAttempt(a *Attempts, f Failure, h *Health, delay time.Duration) Decision {
	othersSucceed := a.failedAt.IsZero() || h.OKAfter(a.failedAt)
	if f.Unconnected && othersSucceed {
		a.failedAt = time.Now()
		if a.unconnected++; a.unconnected%maxUnconnected == 0 {
			return Decision{Action: Verify}
		}
		return Decision{Retry, min(delay, unconnectedDelayMax)}
	}
	if othersSucceed || UnsupportedStatus(f.Status) {
		a.failed++
	}
	a.failedAt = time.Now()
	switch {
	case a.failed >= p.MaxAttempts:
		return Decision{Action: GiveUp}
	case !othersSucceed && a.Sent-a.verifiedAt >= p.MaxAttempts-1:
		a.verifiedAt = a.Sent
		return Decision{Action: Verify}
	}
	return Decision{Retry, delay}
}

// Verification is what the caller found out for a Decision to Verify, after the Canary succeeded.
type Verification struct {
	// RequestsSucceed is set if another request of this kind succeeded too.
	RequestsSucceed bool

	// OtherCredentials is set if the request was signed with other credentials than the probe. Then the success of the
	// probe says nothing about the refusal. Verified ignores it after MaxAttempts: otherwise a provider with new
	// credentials for each request would prevent the end of the run.
	OtherCredentials bool
}

// Verified decides about a request for which Next decided to Verify, after the Canary succeeded.
func (p *Policy) Verified(a *Attempts, f Failure, v Verification) Decision {
	switch {
	case f.Transient() && v.RequestsSucceed:
		a.final = true // the failures that do not count may come from an outage of the store
		return retryIf(a.failed < p.MaxAttempts-1, 0)
	case f.Transient(), f.Class == Credentials: // the Canary has some: the provider was unavailable
		return Decision{Retry, p.backoff(a.Sent)}
	case v.OtherCredentials && (p.MaxAttempts == 0 || a.Sent < p.MaxAttempts):
		return Decision{Retry, p.backoff(a.Sent)}
	}
	a.refused++
	return retryIf(a.refused < p.MaxRefusals, p.RefusalDelay)
}

func (p *Policy) backoff(n int) time.Duration {
	if p.Backoff != nil {
		return p.Backoff(n)
	}
	return Backoff(n)
}

func retryIf(again bool, delay time.Duration) Decision {
	if again {
		return Decision{Retry, delay}
	}
	return Decision{Action: GiveUp}
}
