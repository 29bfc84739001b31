package scan

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// refusal is an object whose HEAD was refused without a reason, or went on failing.
type refusal struct {
	batch     *batch // of that one object
	err       *ObjectError
	exhausted bool // it failed often, while no other object succeeded

	revision uint64 // of the Store, before the HEAD was sent
}

// refusalQueue is where suspects wait for the judge. Adding to it never blocks.
type refusalQueue struct {
	wake chan struct{} // holds one token while there are suspects

	mu       sync.Mutex
	refusals []*refusal
}

func newRefusalQueue() *refusalQueue { return &refusalQueue{wake: make(chan struct{}, 1)} }

func (d *refusalQueue) add(s *refusal) {
	d.mu.Lock()
	d.refusals = append(d.refusals, s)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *refusalQueue) take() []*refusal {
	d.mu.Lock()
	defer d.mu.Unlock()
	suspects := d.refusals
	d.refusals = nil
	return suspects
}

// refusalsMax is how often an object is refused before that is its Outcome. Once is not enough: the answer may have been
// meant for another request, signed with credentials that were renewed meanwhile, or given by a store that was just
// coming up, whatever it says a moment later.
const refusalsMax = 2

// refusalPause is how long after the first refusal an object is asked again: longer than a hiccup, and short beside a
// page's way.
const refusalPause = 500 * time.Millisecond

// verifyRefusals decides about suspects. The answer to a HEAD has no body and so does not name the error; the canary's LIST
// does. It flies once for all suspects that wait, and after they were refused. If the store answers it, each of them is
// asked again, on a connection of its own, and what is refused again, and vouched for again, is meant for the object. A
// canary that is signed with other credentials vouches for nothing.
//
// Even a 404 is believed only so: versitygw gives it for an access key that it does not know.
func (s *Scan) verifyRefusals(ctx context.Context) error {
	var session head.Session // made when there is a suspect: until then it would only have the turn of a worker's
	defer func() {
		if session != nil {
			session.Close()
		}
	}()
	for {
		select {
		case <-s.refusals.wake:
		case <-s.inFlight.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		suspects := s.refusals.take()
		if len(suspects) == 0 {
			continue // taken with those before
		}
		if session == nil {
			session = s.engine.Session()
		}
		if err := s.canary(ctx, suspects[0].err); err != nil {
			return err
		}
		revision := s.cfg.Store.PollGeneration(ctx)
		well, err := s.headsAnswered(ctx, session, suspects)
		if err != nil {
			return err
		}
		for _, suspect := range suspects {
			if err := s.resolveRefusal(ctx, suspect, well, revision); err != nil {
				return err
			}
		}
	}
}

// canary returns when the store answers a LIST; an error is final. Expired credentials are renewed.
func (s *Scan) canary(ctx context.Context, because *ObjectError) error {
	for try := 1; ; try++ {
		err := s.lister.Probe(ctx)
		var refused *list.StoreError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &refused) && refused.Code == "RequestTimeTooSkewed" && try == 1:
			continue // the answer's Date has told what time it is
		case errors.As(err, &refused) && refused.Code == "ExpiredToken" && s.cfg.Store.RefreshCredentials(ctx):
			s.cfg.Log.Info("the credentials have expired and are renewed")
		case list.IsFinal(err):
			return err
		case try == 1:
			s.cfg.Log.Warn("the store refuses HEADs and does not answer a LIST; waiting for it", "error", err)
		}
		s.health.Failed(because)
		if err := fault.Sleep(ctx, fault.Backoff(try)); err != nil {
			return err
		}
	}
}

// headsAnswered asks again for an object that was answered for, if a worn suspect has to be judged: at the end of a run
// there may be no other object whose success would show that the store is well.
func (s *Scan) headsAnswered(ctx context.Context, session head.Session, suspects []*refusal) (well bool, err error) {
	example := s.sampleObject.Load()
	if example == nil || !slices.ContainsFunc(suspects, func(s *refusal) bool { return s.exhausted }) {
		return false, nil
	}
	counts := metrics.NewHeadCounts()
	err = session.Head(ctx, head.NewBatch([]list.Entry{*example}), func(r *head.Result) {
		counts.Add(r)
		// That it is gone by now is an answer too.
		if well = r.Status == http.StatusOK || r.Status == http.StatusNotFound; well {
			s.health.OK(r.Received)
			s.limiter.ObserveAnswers(1)
		}
	})
	s.progress.Heads.Add(counts.Heads)
	s.metrics.AddHeads(&counts)
	return well, err
}

// resolveRefusal gives a suspect its Outcome, or lets it be asked again. The store is well if it answers HEADs; revision is that of
// the canary.
func (s *Scan) resolveRefusal(ctx context.Context, suspect *refusal, well bool, revision uint64) error {
	b, e := suspect.batch, suspect.err
	switch {
	case suspect.exhausted && well:
		// It may have been the store's trouble so far. One more failure is the object's.
		b.attempts.failed = s.cfg.MaxAttempts - 1
		return s.retryRefusal(ctx, suspect, 0)
	case suspect.exhausted:
		return s.retryRefusal(ctx, suspect, fault.Backoff(b.attempts.sent))
	}
	s.health.OK(time.Now()) // the store is well: it answers, and its refusals are meant
	// A provider that has other credentials each time it is asked must not keep an object from its Outcome.
	if suspect.revision != revision && b.attempts.sent < s.cfg.MaxAttempts {
		return s.retryRefusal(ctx, suspect, fault.Backoff(b.attempts.sent))
	}
	b.attempts.refused++
	if b.attempts.refused < refusalsMax {
		b.attempts.newConn = true
		return s.retryRefusal(ctx, suspect, refusalPause)
	}
	r := batchResult{settled: 1}
	switch {
	case e.Status == http.StatusNotFound && b.page.NameUncertain(e.Entry.Key):
		e.Class, e.Err = fault.LossyKey, errLossyKey
		fallthrough
	case e.Status != http.StatusNotFound:
		r.outcomes.Failed, r.failures = 1, []*ObjectError{e}
	default:
		r.outcomes.Gone = 1
	}
	return s.addResult(ctx, b.page, &r)
}

func (s *Scan) retryRefusal(ctx context.Context, suspect *refusal, delay time.Duration) error {
	s.metrics.CountHeadRetry(suspect.err.Status, suspect.err.Class)
	return s.retryAt(ctx, suspect.batch, delay)
}

// errLossyKey is why an object that was listed cannot be found.
var errLossyKey = errors.New("the store lists this key in a form that it does not know itself")
