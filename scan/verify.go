package scan

import (
	"context"
	"errors"
	"log/slog"
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

const (
	// maxRefusals is how often the store has to refuse an object before the refusal is its Outcome. Once is not enough: the
	// answer may have been another request's, or signed with credentials that were renewed meanwhile, or that of a store which
	// was just starting.
	maxRefusals = 2

	// refusalPause is the time between two refusals of one object: longer than a hiccup, and short beside a page's way.
	refusalPause = 500 * time.Millisecond
)

// refusal is an object whose HEAD was refused without a reason, or that failed again and again.
type refusal struct {
	batch      *batch // of that one object
	err        *ObjectError
	exhausted  bool   // it failed maxAttempts times while no other object succeeded
	generation uint64 // of the store's credentials before the HEAD was sent
}

// refusalQueue is the input of the verifier. add never waits.
type refusalQueue struct {
	wake chan struct{} // holds one token while there are refusals

	mu       sync.Mutex
	refusals []*refusal
}

func newRefusalQueue() refusalQueue { return refusalQueue{wake: make(chan struct{}, 1)} }

func (q *refusalQueue) add(r *refusal) {
	q.mu.Lock()
	q.refusals = append(q.refusals, r)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// takeAll empties the queue.
func (q *refusalQueue) takeAll() []*refusal {
	q.mu.Lock()
	defer q.mu.Unlock()
	refusals := q.refusals
	q.refusals = nil
	return refusals
}

// verifier is the stage that decides about refusals. The answer to a HEAD has no body, so it does not name the error. The
// answer to a LIST does: that LIST is the canary. One canary LIST covers all refusals that were queued before it. If the store
// answers the canary, each object gets another HEAD, on a new connection. A second refusal, with a second canary, is the
// object's Outcome. A canary that was signed with other credentials confirms nothing.
//
// Even a 404 needs this: versitygw answers 404 to an access key that it does not know.
type verifier struct {
	refusalQueue

	lister       *list.Lister // sends the canary
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
	log          *slog.Logger

	maxAttempts int
}

// run decides about refusals until nothing is in flight. It returns the canary's error if that is final.
func (v *verifier) run(ctx context.Context) error {
	var session head.Session // made with the first refusal: before, it would only take the turn of a worker's
	defer func() {
		if session != nil {
			session.Close()
		}
	}()
	for {
		select {
		case <-v.wake:
		case <-v.inFlight.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		refusals := v.takeAll()
		if len(refusals) == 0 {
			continue // an earlier round took them
		}
		if session == nil {
			session = v.engine.Session()
		}
		if err := v.canary(ctx, refusals[0].err); err != nil {
			return err
		}
		generation := v.store.PollGeneration(ctx)
		headsAnswered, err := v.headSample(ctx, session, refusals)
		if err != nil {
			return err
		}
		for _, r := range refusals {
			if err := v.decide(ctx, r, headsAnswered, generation); err != nil {
				return err
			}
		}
	}
}

// canary returns nil when the store answers a LIST. Its error is final. Expired credentials are renewed.
func (v *verifier) canary(ctx context.Context, because *ObjectError) error {
	for try := 1; ; try++ {
		err := v.lister.Probe(ctx)
		var refused *list.StoreError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &refused) && refused.Code == "RequestTimeTooSkewed" && try == 1:
			continue // the Date of this answer has corrected the clock
		case errors.As(err, &refused) && refused.Code == "ExpiredToken" && v.store.RefreshCredentials(ctx):
			v.log.Info("the credentials have expired and are renewed")
		case list.IsFinal(err):
			return err
		case try == 1:
			v.log.Warn("the store refuses HEADs and does not answer a LIST; waiting for it", "error", err)
		}
		v.health.Failed(because)
		if err := fault.Sleep(ctx, fault.Backoff(try)); err != nil {
			return err
		}
	}
}

// headSample sends a HEAD for an object that was answered before, if a refusal is an exhausted one. At the end of a run there
// may be no other object whose success would show that the store answers HEADs.
func (v *verifier) headSample(ctx context.Context, session head.Session, refusals []*refusal) (answered bool, err error) {
	sample := v.lastAnswered.Load()
	if sample == nil || !slices.ContainsFunc(refusals, func(r *refusal) bool { return r.exhausted }) {
		return false, nil
	}
	counts := metrics.NewHeadCounts()
	err = session.Head(ctx, head.NewBatch([]list.Entry{*sample}), func(r *head.Result) {
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

// decide gives an object its Outcome, or another HEAD. headsAnswered says that the store answers HEADs for other objects,
// generation is that of the canary's credentials.
func (v *verifier) decide(ctx context.Context, r *refusal, headsAnswered bool, generation uint64) error {
	b, e := r.batch, r.err
	switch {
	case r.exhausted && headsAnswered:
		// The failures so far may have been the store's. One more is the object's.
		b.attempts.failed = v.maxAttempts - 1
		return v.retry(ctx, r, 0)
	case r.exhausted:
		return v.retry(ctx, r, fault.Backoff(b.attempts.sent))
	}
	v.health.OK(time.Now()) // the store answers the canary: it is healthy, and means its refusals
	// A provider that has other credentials at every turn must not keep an object from its Outcome.
	if r.generation != generation && b.attempts.sent < v.maxAttempts {
		return v.retry(ctx, r, fault.Backoff(b.attempts.sent))
	}
	b.attempts.refused++
	if b.attempts.refused < maxRefusals {
		b.attempts.newConn = true
		return v.retry(ctx, r, refusalPause)
	}
	result := batchResult{settled: 1}
	switch {
	case e.Status == http.StatusNotFound && b.page.NameUncertain(e.Entry.Key):
		e.Class, e.Err = fault.LossyKey, errLossyKey
		fallthrough
	case e.Status != http.StatusNotFound:
		result.outcomes.Failed, result.failures = 1, []*ObjectError{e}
	default:
		result.outcomes.Gone = 1
	}
	return v.committer.addResult(ctx, b.page, &result)
}

func (v *verifier) retry(ctx context.Context, r *refusal, delay time.Duration) error {
	v.metrics.CountHeadRetry(r.err.Status, r.err.Class)
	return v.retries.add(ctx, r.batch, delay)
}

// sampleObject is an object that the store answered a HEAD for, so that another HEAD for it shows whether the store answers.
type sampleObject struct{ atomic.Pointer[list.Entry] }

// errLossyKey is why an object that was listed cannot be found.
var errLossyKey = errors.New("the store lists this key in a form that it does not accept itself")
