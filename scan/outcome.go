package scan

import (
	"net/http"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/answer"
	"headcount/scan/list"
)

// handleAnswer gives the next object of the batch its Outcome, or makes it an unresolved one.
func (w *worker) handleAnswer(r *head.Result) {
	s := w.sent
	b, x, n := s.batch, &s.evidence, s.next
	index := b.index(n)
	s.next++
	if b.picked != nil {
		s.result.chunk = nil // a run is of adjoining objects
	}
	e := &b.page.heads[index]
	if e.IsDeleteMarker() && r.Source == head.FromListing {
		s.record = NewRecord(e, nil, false)
		w.encode(index)
		return
	}
	if r.Source == head.FromListing {
		x.fromListing++
		w.emit(index, e, r, false)
		return
	}
	w.counts.Add(r)
	if !w.connected {
		w.sending.End()
	}
	if w.previous.batch != nil && w.previousErr == nil {
		w.previousErr = w.decide(w.ctx, w.previous)
	}
	if x.difference == nil && r.Source == head.DiffersFromListing {
		x.difference = compareWithListing(e, r)
	}
	class, observation := w.classifier.Classify(&x.Evidence, e, r, answer.Asked{
		NewConn: b.attempts.newConn && n == 0, Page: b.page.Page, Before: b.attempts.observation,
	})
	w.observe(r, class)
	if !w.connected && r.Err == nil {
		w.observeConnection(r, fault.Failure{})
	}
	switch class {
	case answer.Found, answer.Changed:
		if b.named != nil {
			named := &b.named[n]
			x.names.Add(e, named.Key)
			e = named
		} else if e.Encoded != "" {
			x.names.Add(e, e.Key)
		}
		x.found = e
		w.observeSuccess(r.Received)
		w.emit(index, e, r, class == answer.Changed || w.pool.known && r.WrittenSince(e) == head.Later)
	case answer.Deleted:
		s.result.drop(w.newError(e, r))
	case answer.Unlike:
		s.result.fail(w.newUnlikeError(e, r))
	default:
		s.result.chunk = nil // ends the encodedRun, so that the runs of a page can be sorted by key
		w.flushCounters()    // the successes before this failure
		w.reschedule(index, e, r, class, observation)
	}
}

// emit gives an object that was found its Outcome, by its Record.
func (w *worker) emit(index int, e *list.Entry, r *head.Result, changed bool) {
	s := w.sent
	if r.OtherPrefix != nil {
		s.result.outcomes.OtherMetadata++
		s.evidence.addPrefix(r.OtherPrefix)
	}
	s.record = NewRecord(e, r, changed)
	w.encode(index)
}

// encode gives an object its Outcome by its Record, unless that waits for a further request of its own or of an object
// before it.
func (w *worker) encode(index int) {
	s := w.sent
	if l := w.pool.lookups; l != nil && l.hold(s, index) {
		return
	}
	w.pool.encoder.encode(&s.result, index, &s.record)
}

func (w *worker) newError(e *list.Entry, r *head.Result) *ObjectError {
	return newObjectError(w.pool.store, e, r, w.sent.batch.attempts.Sent+1)
}

// newUnlikeError returns why an answer with status 200 gives its object no Record.
func (w *worker) newUnlikeError(e *list.Entry, r *head.Result) *ObjectError {
	failure := w.newError(e, r)
	failure.Class, failure.Err = answer.WhyUnlike(e, r)
	if w.sent.batch.page.Lossy(e.Key) { // an object has the key that stands for another name
		failure.Class, failure.Err = fault.LossyKey, errLossyKey
	}
	return failure
}

// reschedule decides what happens next to an object that has no Outcome by this answer.
func (w *worker) reschedule(index int, e *list.Entry, r *head.Result, class answer.Class, seen answer.Observation) {
	p, s := w.pool, w.sent
	tried := s.batch.attempts
	tried.Sent++
	tried.avoid = r.Address
	u := &unresolved{
		batch:   &batch{page: s.batch.page, first: index, count: 1, named: s.batch.otherName(s.next-1, e)},
		failure: failureOf(r), err: w.newError(e, r),
		region: regionAnswer(r), generation: w.generation,
	}
	switch {
	case r.Status == http.StatusNotFound && w.askOtherName(u.batch, e, &tried):
	case class == answer.Failed:
		if !w.decideFailure(u, r, &tried) {
			s.result.fail(u.err)
			return
		}
	default: // a new connection shows whose answer it was
		tried.newConn, tried.observation = true, seen
		switch {
		case class == answer.Waiting:
			u.delay = seen.Wait()
		case r.Different&head.HasETag != 0:
			u.delay = p.policy.RefusalDelay // a proxy's page is a refusal, with status 200
		}
	}
	u.batch.attempts = tried
	s.unresolved = append(s.unresolved, u)
	p.log.Debug("HEAD is sent again", "key", e.Key, "status", r.Status, "class", u.err.Class,
		"attempts", tried.Sent, "verify", u.verify)
}

// decideFailure notes a failure, and decides by the policy whether the object is sent again or verified. It returns
// false for an object that fails.
func (w *worker) decideFailure(u *unresolved, r *head.Result, tried *attempts) bool {
	p := w.pool
	w.observeConnection(r, u.failure)
	if r.Err == errAbandoned {
		tried.abandoned++
	}
	if u.failure.SlowDown() {
		p.limiter.ObserveRefusal(sentAt(r), p.retryAfters.ofStore(u.err.Entry.Key, u.failure.RetryAfter))
	}
	if u.failure.Transient() {
		p.health.Failed(u.err)
	}
	decision := p.policy.Next(&tried.Attempts, u.failure, p.health)
	u.delay, u.verify = decision.Delay, decision.Action == fault.Verify
	if u.verify && tried.Sent == 1 && !u.failure.Transient() && r.Status != http.StatusNotFound {
		w.observeRefusal()
	}
	return decision.Action != fault.GiveUp
}

// observeRefusal counts a HEAD that was refused. It puts off the rest of the batch if that would be refused too.
func (w *worker) observeRefusal() {
	w.sent.evidence.refused++
	if w.pool.refusedStart.holds() {
		w.sent.takeRest(2 * w.pool.policy.RefusalDelay)
	}
}

// askOtherName makes b, of one object that was not found, ask for the next other name of the object. Where there is
// none, it returns false, and b asks for the first name again.
func (w *worker) askOtherName(b *batch, e *list.Entry, tried *attempts) bool {
	asked := e.Key
	if b.named != nil {
		asked = b.named[0].Key
	}
	b.named = nil
	if e.Encoded == "" || w.pool.names.AreReal(e) {
		return false
	}
	name, ok := tried.names.Next(e, asked)
	if ok && name != e.Key {
		b.named = []list.Entry{list.Named(e, name)}
	}
	return ok
}

// sentAt returns when the HEAD of a Result was sent.
func sentAt(r *head.Result) time.Time {
	if r.Received.IsZero() { // it failed at once, as where no store listens
		return time.Now()
	}
	return r.Received.Add(-r.Latency)
}
