package scan

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// verificationQueue is the input of the verifier. add never waits.
type verificationQueue struct {
	wake chan struct{} // holds one token while the queue is not empty

	mu     sync.Mutex
	queued []*unresolved
}

func newVerificationQueue() verificationQueue { return verificationQueue{wake: make(chan struct{}, 1)} }

func (q *verificationQueue) add(u *unresolved) {
	q.mu.Lock()
	q.queued = append(q.queued, u)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// takeAll empties the queue.
func (q *verificationQueue) takeAll() []*unresolved {
	q.mu.Lock()
	defer q.mu.Unlock()
	queued := q.queued
	q.queued = nil
	return queued
}

// samplesPerLimit is how often within Config.RetryFor the verifier looks whether no HEAD succeeds. After half of that
// time it asks the sample, so that a store is not called unavailable on account of a few objects.
const samplesPerLimit = 20

// verifier is the stage that decides about refusals. The answer to a HEAD has no body, so it does not name the error.
// The answer to a LIST does: that LIST is the canary. One canary LIST covers all refusals that were queued before it.
// If the store answers the canary, each object gets another HEAD, on a new connection. A second refusal, with a second
// canary, is the object's Outcome. A canary that was signed with other credentials confirms nothing.
//
// Even a 404 needs this: versitygw answers 404 to an access key that it does not know. A 404 needs more than the
// canary: an object is gone when a second LIST does not have its key any more.
type verifier struct {
	verificationQueue

	canary       *fault.Canary
	policy       fault.Policy  // of HEADs
	sampleEvery  time.Duration // how often the sample is asked while no HEAD succeeds
	sampleFrom   time.Duration // for how long no HEAD has succeeded before that
	regions      regionFinder
	stillListed  func(context.Context, []*unresolved) ([]error, error) // goneChecker.check
	store        *store.Store
	engine       head.Engine
	health       *fault.Health // of the HEADs
	lastAnswered *sampleObject
	limiter      *pace.Limiter
	metrics      *metrics.Collector
	progress     *metrics.ProgressCounters
	retries      *retryQueue
	committer    *committer
	inFlight     inFlight
	refusedStart *refusedStart
	again        []delayed // what this round sends again

	session       head.Session // made with the first refusal: before, its endpoint would be the one meant for a worker
	sessionEngine string       // the name of session's engine
}

// run decides about refusals until nothing is in flight. It returns the canary's error if that is final.
func (v *verifier) run(ctx context.Context) error {
	defer func() {
		if v.session != nil {
			v.session.Close()
		}
	}()
	ticker := time.NewTicker(v.sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-v.wake:
		case <-ticker.C:
			if v.health.FailingFor() > v.sampleFrom {
				if _, err := v.headSample(ctx); err != nil {
					return err
				}
			}
			continue
		case <-v.inFlight.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		queued := v.takeAll()
		if len(queued) == 0 {
			continue // an earlier round took them
		}
		if err := v.verify(ctx, queued); err != nil {
			return err
		}
	}
}

// verify asks the canary, and decides about the objects that were queued before.
func (v *verifier) verify(ctx context.Context, queued []*unresolved) error {
	if err := v.canary.Check(ctx, v.health, queued[0].err); err != nil {
		return err
	}
	v.followRegions(ctx, queued)
	generation := v.store.PollGeneration(ctx)
	headsAnswered := false
	if slices.ContainsFunc(queued, func(u *unresolved) bool { return u.failure.Transient() }) {
		var err error
		if headsAnswered, err = v.headSample(ctx); err != nil {
			return err
		}
	}
	var missing []*unresolved
	for _, u := range queued {
		isMissing, err := v.decide(ctx, u, headsAnswered, generation)
		if err != nil {
			return err
		}
		if isMissing {
			missing = append(missing, u)
		}
	}
	if err := v.settleMissing(ctx, missing); err != nil {
		return err
	}
	return v.sendAgain(ctx)
}

// followRegions asks the regions that refusals name, while no HEAD was answered in the present one.
func (v *verifier) followRegions(ctx context.Context, queued []*unresolved) {
	if v.lastAnswered.Load() != nil {
		return
	}
	for _, u := range queued {
		if u.region != "" {
			v.limiter.Charge(1)
			v.progress.Heads.Add(v.regions.find(ctx, &u.err.Entry, u.signedFor, u.region))
		}
	}
}

// headSample sends a HEAD for an object that was answered before, if there is one. At the end of a run there may be no
// other object whose success would show that the store answers HEADs.
func (v *verifier) headSample(ctx context.Context) (answered bool, err error) {
	sample := v.lastAnswered.Load()
	if sample == nil {
		return false, nil
	}
	if name := v.engine.Name(); v.session == nil || v.sessionEngine != name {
		if v.session != nil {
			v.session.Close()
		}
		v.session, v.sessionEngine = v.engine.Session(), name
	}
	counts := metrics.NewHeadCounts()
	err = v.session.Head(ctx, head.NewBatch([]list.Entry{*sample}), func(r *head.Result) {
		counts.Add(r)
		// A store that says the object is gone answers too.
		if answered = r.Status == http.StatusOK || r.Status == http.StatusNotFound; answered {
			v.health.OK(r.Received)
			v.limiter.ObserveAnswers(1)
		}
	})
	v.progress.Heads.Add(counts.Heads)
	v.metrics.AddHeads(&counts)
	return answered, err
}

// probeWithoutListing is the probe of a canary that needs no right to list: a HEAD of an object that was answered
// before. Where none is answered, a LIST names the reason. A LIST that is denied shows that the credentials are valid.
func (v *verifier) probeWithoutListing(ctx context.Context, lister *list.Lister) error {
	if answered, err := v.headSample(ctx); answered || err != nil {
		return err
	}
	if err := lister.Probe(ctx); !list.IsListDenied(err) {
		return err
	}
	return nil
}

// decide makes an object failed, or sends another HEAD for it. It returns true for an object that was not found:
// another LIST decides about that. headsAnswered says that the store answers HEADs for other objects, generation is
// that of the canary's credentials.
func (v *verifier) decide(
	ctx context.Context, u *unresolved, headsAnswered bool, generation uint64,
) (isMissing bool, err error) {
	b := u.batch
	if !u.failure.Transient() {
		v.health.OK(time.Now())                    // the store answers the canary: it is healthy, and means its refusals
		b.attempts.newConn = u.failure.Status != 0 // the answer may have been another request's
	}
	decision := v.policy.Verified(&b.attempts.Attempts, u.failure, fault.Verification{
		RequestsSucceed: headsAnswered, OtherCredentials: u.generation != generation,
	})
	switch e := u.err; {
	case decision.Action == fault.Retry:
		v.resend(u, decision.Delay)
		return false, nil
	case e.Status != http.StatusNotFound:
		if !u.failure.Transient() {
			if err := v.refusedStart.onObject(e); err != nil {
				return false, err
			}
		}
	case e.Entry.Encoded == "" && b.page.NameUncertain(e.Entry.Key): // otherwise the encoding was declared
		e.Class, e.Err = fault.LossyKey, errLossyKey
	case b.attempts.listedAgain:
		e.Class, e.Err = fault.ListedNotFound, errStillListed
	default:
		return true, nil
	}
	return false, v.fail(ctx, u)
}

// fail gives an object the Outcome failed.
func (v *verifier) fail(ctx context.Context, u *unresolved) error {
	return v.committer.addResult(ctx, u.batch.page, &batchResult{
		settled: 1, outcomes: metrics.Outcomes{Failed: 1}, failures: []*ObjectError{u.err},
	})
}

// resend makes an object one of those that the round sends again.
func (v *verifier) resend(u *unresolved, delay time.Duration) {
	v.metrics.CountHeadRetries(1, u.err.Status, u.err.Class)
	v.again = append(v.again, delayed{u.batch, time.Now().Add(delay)})
}

// resentMax is the number of refused objects that are sent again on one new connection.
const resentMax = 32

// sendAgain hands what the round sends again to the retry queue. Objects of one page with the same history share a
// batch, and with it a new connection.
func (v *verifier) sendAgain(ctx context.Context) error {
	open := map[*page]*batch{} // the batch of each page that gets further objects
	batches := v.again[:0]
	for _, d := range v.again {
		b := d.batch
		shared := open[b.page]
		switch {
		case b.named != nil:
		case shared != nil && shared.count < resentMax && shared.attempts.equal(b.attempts):
			shared.add(b.first)
			continue
		default:
			open[b.page] = b
		}
		batches = append(batches, d)
	}
	v.again = nil
	for _, d := range batches {
		if err := v.retries.add(ctx, d.batch, time.Until(d.at)); err != nil {
			return err
		}
	}
	return nil
}

// sampleObject is an object that the store answered a HEAD for, so that another HEAD for it shows whether the store
// answers.
type sampleObject struct{ atomic.Pointer[list.Entry] }

// errLossyKey is why an object that was listed cannot be found.
var errLossyKey = errors.New("the store lists this key in a form that it does not accept itself")
