package fault

import "time"

// Action is what is done about a request that failed.
type Action uint8

const (
	// Retry sends the same request again after Decision.Delay.
	Retry Action = iota

	// Verify asks the Canary whether the failure is the store's, and then calls Policy.Verified.
	Verify

	// Renew renews the credentials and sends the same request again after Decision.Delay, or gives up where they cannot be
	// renewed. A Policy that Verifies leaves that to the Canary.
	Renew

	// GiveUp takes the failure for the request's result.
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

	// Since is the time from which Policy.RetryFor counts; Next sets it to the first failure where it is zero. A caller
	// moves it on by the time that the request waited for something else than the store.
	Since time.Time

	failed         int       // transient failures that count: some other request has succeeded since the one before
	failedAt       time.Time // the last transient failure
	refused        int       // refusals that are believed
	wrongDocuments int
	clockSkews     int
	renewals       int
	final          bool // the store was found to be healthy: one more failure is the request's own
}

// Policy says what to do about each Failure of requests of one kind. ObjectPolicy and RunPolicy return the two that
// exist. Its methods do not change it, and may be called concurrently. A limit of 0 is none.
//
// Two kinds of requests differ in what a failure means. Of a request for one object (HEAD, PUT, DELETE) a failure is the
// object's result, and the run continues with other objects; the run ends when Health says that no request succeeds.
// Without a request that the whole run needs (LIST) the run ends, so that it is repeated for RetryFor.
//
//	failure                 request for an object                request that the run needs
//	transient               MaxAttempts, while others succeed    RetryFor
//	  first contact                                              MaxFirst; at once for DNS, TLS, credentials
//	  wrong document                                             MaxWrongDocuments
//	refused, credentials    Verify, MaxRefusals                  MaxRefusals; credentials as transient
//	clock skew              as refused                           twice more
//	expired token           as refused                           Renew, MaxRenewals
//	configuration           Verify, MaxRefusals                  give up
//	header too large        give up                              give up
type Policy struct {
	// MaxAttempts is after how many transient failures of one request, while others succeed, the failure is its result.
	// Where no other request succeeds, either the store is unavailable or there are no other requests: every MaxAttempts
	// attempts the Decision is Verify.
	MaxAttempts int

	// MaxFirst is after how many attempts at a store that has never answered the request is given up: a wrong endpoint
	// shows within seconds, and not after RetryFor. A name that cannot be resolved, a certificate that is not trusted and
	// missing credentials end the first attempt; later they are transient.
	MaxFirst int

	// MaxWrongDocuments is after how many WrongDocuments the request is given up.
	MaxWrongDocuments int

	// MaxRefusals is after how many refusals the refusal is the result.
	MaxRefusals int

	// RefusalDelay is the time before a request that was refused is sent again, after the Canary was answered.
	RefusalDelay time.Duration

	// RetryFor is for how long one request is repeated, from Attempts.Since on.
	RetryFor time.Duration

	// Verifies is set where the answers do not name the reason of a refusal, so that the Canary must find it: a HEAD's
	// answer has no body.
	Verifies bool

	// MaxRenewals is after how many answers that name expired credentials these are not renewed again.
	MaxRenewals int

	// Backoff returns the delay before the n-th retry; nil: the function Backoff.
	Backoff func(n int) time.Duration
}

// maxClockSkews is after how many answers that name a wrong clock the request is given up. The first one corrects the
// clock; where the clocks parted in the middle of a run, an older answer that is read later may undo that.
const maxClockSkews = 3

// MaxAttemptsDefault is how often a request for one object may fail while others succeed: with Backoff, for about 10 s.
const MaxAttemptsDefault = 10

// ObjectPolicy is the Policy for requests of one object each.
func ObjectPolicy(maxAttempts int) Policy {
	return Policy{
		MaxAttempts: maxAttempts,
		// One refusal is not enough: it may have been meant for another request, signed with credentials that were renewed
		// meanwhile, or given by a store that was just starting, whatever it says a moment later.
		MaxRefusals: 2,
		// Longer than a hiccup of a store, and short beside the time that a page is in flight.
		RefusalDelay: 500 * time.Millisecond,
		Verifies:     true,
	}
}

// RunPolicy is the Policy for requests that the whole run needs. The store has that many endpoints: one that refuses may
// be alone in that, so each is asked once.
func RunPolicy(retryFor time.Duration, endpoints int) Policy {
	return Policy{
		MaxFirst:          6,  // about 2 s
		MaxWrongDocuments: 10, // enough for a proxy that restarts a store behind it
		MaxRefusals:       endpoints,
		RetryFor:          retryFor,
		MaxRenewals:       5,
	}
}

// Next decides about a request that has just failed. It counts the failure in a; h is the Health of requests of this
// kind, which the caller has told of the failure.
func (p *Policy) Next(a *Attempts, f Failure, h *Health) Decision {
	switch {
	case f.Class == HeaderTooLarge:
		return Decision{Action: GiveUp}
	case f.Transient():
		return p.afterTransient(a, f, h)
	case p.Verifies:
		return Decision{Action: Verify}
	}
	switch f.Class {
	case Credentials: // they may come from a service that is away
		return p.afterTransient(a, f, h)
	case Configuration, ProtocolViolation:
		return Decision{Action: GiveUp}
	case ClockSkew:
		a.clockSkews++
		if a.clockSkews == 1 {
			return Decision{}
		}
		return retryIf(a.clockSkews < maxClockSkews, p.backoff(a.Sent))
	case ExpiredToken:
		a.renewals++
		if p.MaxRenewals > 0 && a.renewals >= p.MaxRenewals {
			return Decision{Action: GiveUp}
		}
		return Decision{Renew, p.backoff(a.Sent)}
	}
	a.refused++
	return retryIf(a.refused < p.MaxRefusals, 0)
}

func (p *Policy) afterTransient(a *Attempts, f Failure, h *Health) Decision {
	if a.final || p.isFirstContactFailed(a, f, h) {
		return Decision{Action: GiveUp}
	}
	if f.Class == WrongDocument {
		a.wrongDocuments++
		if p.MaxWrongDocuments > 0 && a.wrongDocuments >= p.MaxWrongDocuments {
			return Decision{Action: GiveUp}
		}
	}
	delay := max(p.backoff(a.Sent), f.RetryAfter)
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
		return p.countAttempt(a, h, delay)
	}
	return Decision{Retry, delay}
}

// isFirstContactFailed reports whether a store that has never answered is not asked again. One that refused has answered.
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
func (p *Policy) countAttempt(a *Attempts, h *Health, delay time.Duration) Decision {
	othersSucceed := a.failed == 0 || h.OKAfter(a.failedAt)
	if othersSucceed {
		a.failed++
	}
	a.failedAt = time.Now()
	switch {
	case a.failed >= p.MaxAttempts:
		return Decision{Action: GiveUp}
	case !othersSucceed && a.Sent%p.MaxAttempts == p.MaxAttempts-1:
		return Decision{Action: Verify}
	}
	return Decision{Retry, delay}
}

// Verification is what was found out after a Decision to Verify, beside that the Canary was answered.
type Verification struct {
	// RequestsSucceed is set where the store was found to answer requests of this kind, and not the Canary alone.
	RequestsSucceed bool

	// OtherCredentials is set where the request was signed with other credentials than the Canary, which then says nothing
	// of its refusal. A provider that has other credentials each time must not keep a request from its result: after
	// MaxAttempts this is ignored.
	OtherCredentials bool
}

// Verified decides about a request for which Next decided to Verify, after the Canary was answered.
func (p *Policy) Verified(a *Attempts, f Failure, v Verification) Decision {
	switch {
	case f.Transient() && v.RequestsSucceed:
		a.final = true // so far, it may have been the store
		return Decision{}
	case f.Transient():
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
