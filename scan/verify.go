package scan

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"headcount/scan/fault"
	"headcount/scan/list"
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
	storeAccess
	*findings

	canary      *fault.Canary
	sampler     *sampler
	regions     regionFinder
	stillListed func(context.Context, []list.Missing) ([]error, error) // list.GoneChecker.Check
	rightToList *rightToList                                           // nil: the bucket is listed
	retryFor    time.Duration
	retries     *retryQueue[*batch]
	committer   *committer
	inFlight    inFlight
}

func (s *Scan) newVerifier() *verifier {
	cfg := &s.cfg
	v := &verifier{
		verificationQueue: newVerificationQueue(), storeAccess: s.storeAccess, findings: s.findings,
		sampler:     &sampler{storeAccess: s.storeAccess, object: &s.findings.sample},
		regions:     regionFinder{storeAccess: s.storeAccess, timeout: cfg.Timeout},
		stillListed: s.lister.NewGoneChecker(&s.findings.names, cfg.Keys != nil).Check,
		retryFor:    cfg.RetryFor, retries: s.retries, committer: s.committer, inFlight: s.inFlight,
	}
	if cfg.Keys == nil {
		v.canary = fault.NewCanary(s.lister.Probe, cfg.Store.RefreshCredentials, cfg.RetryFor, cfg.Log)
		return v
	}
	// The keys are known, and nothing is listed: this needs no right to list.
	probe := func(ctx context.Context) error { return v.sampler.probe(ctx, s.lister) }
	v.canary = fault.NewCanary(probe, cfg.Store.RefreshCredentials, cfg.RetryFor, cfg.Log).FirstContact()
	v.rightToList = &rightToList{probe: s.lister.Probe}
	return v
}

// run decides about refusals until nothing is in flight. It returns the canary's error if that is final.
func (v *verifier) run(ctx context.Context) error {
	defer v.sampler.close()
	ticker := time.NewTicker(max(v.retryFor/samplesPerLimit, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-v.wake:
		case <-ticker.C:
			if v.health.FailingFor() > v.retryFor/2 {
				if _, err := v.sampler.head(ctx); err != nil {
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
	if v.sample.Load() == nil { // no HEAD was answered in the present region
		v.regions.follow(ctx, queued)
	}
	round := &verifierRound{verifier: v, generation: v.store.PollGeneration(ctx)}
	if slices.ContainsFunc(queued, func(u *unresolved) bool { return u.failure.Transient() }) {
		var err error
		if round.headsAnswered, err = v.sampler.head(ctx); err != nil {
			return err
		}
	}
	for _, u := range queued {
		if err := round.decide(ctx, u); err != nil {
			return err
		}
	}
	if err := round.decideMissing(ctx); err != nil {
		return err
	}
	return round.sendAgain(ctx)
}

// verifierRound is the decisions about the objects that one canary covers.
type verifierRound struct {
	*verifier
	headsAnswered bool   // the store answers HEADs for other objects
	generation    uint64 // of the canary's credentials

	missing []*unresolved     // that were not found: another LIST decides about them
	again   []delayed[*batch] // that are sent again
}

// decide makes an object failed, missing, or one that is sent again.
func (v *verifierRound) decide(ctx context.Context, u *unresolved) error {
	b := u.batch
	if !u.failure.Transient() {
		v.health.OK(time.Now())                    // the store answers the canary: it is healthy, and means its refusals
		b.attempts.newConn = u.failure.Status != 0 // the answer may have been another request's
	}
	decision := v.policy.Verified(&b.attempts.Attempts, u.failure, fault.Verification{
		RequestsSucceed: v.headsAnswered, OtherCredentials: u.generation != v.generation,
	})
	switch e := u.err; {
	case decision.Action == fault.Retry:
		v.resend(u, decision.Delay)
		return nil
	case e.Status != http.StatusNotFound:
		if !u.failure.Transient() {
			if err := v.refusedStart.onObject(e); err != nil {
				return err
			}
			v.rightToList.onRefused(ctx, e.Status)
		}
	case e.Entry.Encoded == "" && b.page.NameUncertain(e.Entry.Key): // otherwise the encoding was declared
		e.Class, e.Err = fault.LossyKey, errLossyKey
	case b.attempts.listedAgain:
		e.Class, e.Err = fault.ListedNotFound, list.ErrStillListed
	default:
		v.missing = append(v.missing, u)
		return nil
	}
	return v.fail(ctx, u)
}

// fail gives an object the Outcome failed.
func (v *verifierRound) fail(ctx context.Context, u *unresolved) error {
	failed := new(result)
	failed.fail(u.err)
	return v.committer.addResult(ctx, u.batch.page, failed)
}

// undecidedMax is how often LISTs may leave open whether an object is still listed, before the object fails. The canary
// succeeds between them: a store that is unavailable for a while fails no object.
const undecidedMax = 3

// decideMissing gives objects that were not found the Outcome gone. Those that are still listed get another HEAD: they
// may have been written anew. So do those about which LISTs left that open, a few times.
func (v *verifierRound) decideMissing(ctx context.Context) error {
	if len(v.missing) == 0 {
		return nil
	}
	missing := make([]list.Missing, len(v.missing))
	for i, u := range v.missing {
		missing[i] = list.Missing{Entry: &u.err.Entry, Page: u.batch.page.Page}
	}
	doubts, err := v.stillListed(ctx, missing)
	if err != nil {
		return err
	}
	for i, u := range v.missing {
		if err := v.decideByDoubt(ctx, u, doubts[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifierRound) decideByDoubt(ctx context.Context, u *unresolved, doubt error) error {
	tried := &u.batch.attempts
	switch {
	case doubt == nil:
		gone := new(result)
		gone.drop(u.err)
		return v.committer.addResult(ctx, u.batch.page, gone)
	case doubt == list.ErrStillListed:
		tried.listedAgain = true
	case doubt == list.ErrNotAsked:
	case errors.Is(doubt, list.ErrUndecided):
		u.err.Class, u.err.Err = fault.ListedNotFound, doubt
		return v.fail(ctx, u)
	default:
		if tried.undecided++; tried.undecided >= undecidedMax {
			u.err.Class, u.err.Err = fault.FailureOf(doubt).Class, doubt
			return v.fail(ctx, u)
		}
	}
	v.resend(u, v.policy.RefusalDelay)
	return nil
}

// resend makes an object one of those that the round sends again.
func (v *verifierRound) resend(u *unresolved, delay time.Duration) {
	v.metrics.CountHeadRetries(1, u.err.Status, u.err.Class)
	v.again = append(v.again, delayed[*batch]{u.batch, time.Now().Add(delay)})
}

// resentMax is the number of refused objects that are sent again on one new connection.
const resentMax = 32

// sendAgain hands what the round sends again to the retry queue. Objects of one page with the same history share a
// batch, and with it a new connection.
func (v *verifierRound) sendAgain(ctx context.Context) error {
	open := map[*page]*batch{} // the batch of each page that gets further objects
	batches := v.again[:0]
	for _, d := range v.again {
		b := d.item
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
	for _, d := range batches {
		if err := v.retries.add(ctx, d.item, time.Until(d.at)); err != nil {
			return err
		}
	}
	return nil
}

// errLossyKey is why an object that was listed cannot be found.
var errLossyKey = errors.New("the store lists this key in a form that it does not accept itself")
