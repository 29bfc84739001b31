package scan

import (
	"net/http"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// sentBatch is the batch that a worker sends, and what its answers amount to so far.
type sentBatch struct {
	batch   *batch
	next    int    // the objects of the batch that were answered
	putOff  *batch // the objects of the batch that were taken out of it; nil: none
	answers *batchAnswers
	chunk   Chunk // of the last run in answers; nil: the next Record begins a run
	record  Record

	observation observation // of the object that was answered last, if its answer was unlike the listing
}

// handleAnswer gives the next object of the batch its Outcome, or makes it an unresolved one.
func (w *worker) handleAnswer(r *head.Result) {
	index := w.batch.index(w.next)
	w.next++
	if w.batch.picked != nil {
		w.chunk = nil // a run is of adjoining objects
	}
	e := &w.batch.page.heads[index]
	x := &w.answers.evidence
	if r.Source == head.FromListing {
		x.fromListing++
		w.emit(index, e, r, false)
		return
	}
	w.counts.Add(r)
	if !w.connected {
		w.sending.End()
	}
	if w.held.batch != nil && w.heldErr == nil {
		w.heldErr = w.decide(w.ctx, w.held)
	}
	if x.difference == nil {
		x.difference = compareWithListing(e, r)
	}
	class := w.classify(e, r)
	w.observe(r, class)
	if !w.connected && r.Err == nil {
		w.observeConnection(r, fault.Failure{})
	}
	switch class {
	case answered, changed:
		if w.batch.named != nil {
			named := &w.batch.named[w.next-1]
			x.names.add(e, named.Key)
			e = named
		} else if e.Encoded != "" {
			x.names.add(e, e.Key)
		}
		w.answers.sample = e
		w.observeSuccess(r.Received)
		w.emit(index, e, r, class == changed)
	case deleted:
		w.answers.result.outcomes.Gone++
		w.answers.result.settled++
	case unlike:
		w.fail(w.newUnlikeError(e, r))
	default:
		w.chunk = nil     // ends the encodedRun, so that the runs of a page can be sorted by key
		w.flushCounters() // the successes before this failure
		w.reschedule(index, e, r, class)
	}
}

// classify reads an answer, and decides about one that is unlike the listing by what is known of the store.
func (w *worker) classify(e *list.Entry, r *head.Result) answerClass {
	known := w.pool.differences
	isFirst := w.next == 1 // on the connection that the batch asks for
	class := classify(e, r, w.batch.attempts.newConn && isFirst, known.expected)
	x, before := &w.answers.evidence, w.batch.attempts.observation
	switch class {
	case answered:
		w.observeOwn(e, r)
	case changed:
		w.observation = before
		if w.batch.page.Lossy(e.Key) {
			return unlike
		}
		now := known.observeOverwritten(r, &w.observation)
		x.addObservation(before, w.observation, e, r)
		switch now {
		case unexpected:
			return unlike
		case undecided:
			return waiting
		}
	case mismatch, unlike:
		w.observation = before
		if r.Status != http.StatusOK || r.Mismatch && !r.NewConn || w.batch.page.Lossy(e.Key) {
			break
		}
		now := known.observe(e, r, &w.observation)
		x.addObservation(before, w.observation, e, r)
		switch now {
		case expected:
			return answered
		case undecided:
			return waiting
		}
	}
	return class
}

// emit encodes the Record of an object.
func (w *worker) emit(index int, e *list.Entry, r *head.Result, changed bool) {
	w.answers.result.settled++
	if r.OtherPrefix != nil {
		w.answers.result.outcomes.OtherMetadata++
		w.answers.evidence.addPrefix(r.OtherPrefix)
	}
	w.record = NewRecord(e, r, changed)
	if w.answers.result.said == nil {
		w.answers.result.said = make([]int64, len(w.pool.selection.counted))
	}
	switch d, err := w.pool.selection.decide(&w.record, w.answers.result.said); {
	case err != nil:
		w.answers.result.outcomes.Failed++
		w.answers.result.failures = append(w.answers.result.failures, newFilterError(w.pool.store.Bucket(), e, err))
		return
	case d == filtered:
		w.answers.result.outcomes.Filtered++
		return
	case d == withoutMetadata:
		w.answers.result.outcomes.WithoutMetadata++
		return
	}
	if w.chunk == nil {
		w.chunk = w.pool.sink.NewChunk()
		w.answers.result.runs = append(w.answers.result.runs, encodedRun{index, w.chunk})
	}
	w.answers.result.bytes += recordBytes(e, r)
	w.chunk.Add(&w.record)
	w.answers.result.outcomes.Emitted++
	if changed {
		w.answers.result.outcomes.Changed++
	}
}

// fail gives an object the Outcome failed.
func (w *worker) fail(e *ObjectError) {
	w.answers.result.settled++
	w.answers.result.outcomes.Failed++
	w.answers.result.failures = append(w.answers.result.failures, e)
}

func (w *worker) newError(e *list.Entry, r *head.Result) *ObjectError {
	return newObjectError(w.pool.store, e, r, w.batch.attempts.Sent+1)
}

// newUnlikeError returns why an answer with status 200 gives its object no Record.
func (w *worker) newUnlikeError(e *list.Entry, r *head.Result) *ObjectError {
	failure := w.newError(e, r)
	switch {
	case w.batch.page.Lossy(e.Key): // an object has the key that stands for another name
		failure.Class, failure.Err = fault.LossyKey, errLossyKey
	case r.Different&head.HasETag != 0:
		failure.Class, failure.Err = fault.NotAnObject, errNoETag
	case overwritten(e, r):
		failure.Class, failure.Err = fault.NotAnObject, errNoMark
	default:
		failure.Class, failure.Err = fault.UnlikeListing, &unlikeError{r.Different}
	}
	return failure
}

// reschedule decides what happens next to an object that has no Outcome by this answer.
func (w *worker) reschedule(index int, e *list.Entry, r *head.Result, class answerClass) {
	p := w.pool
	tried := w.batch.attempts
	tried.Sent++
	tried.avoid = r.Address
	u := unresolved{
		batch:   &batch{page: w.batch.page, first: index, count: 1, named: w.batch.otherName(w.next-1, e)},
		failure: failureOf(r), err: w.newError(e, r), label: metrics.ResultLabel(r),
	}
	isAskedByOtherName := r.Status == http.StatusNotFound && w.askOtherName(u.batch, e, &tried)
	switch {
	case isAskedByOtherName:
	case class == mismatch, class == waiting:
		tried.newConn, tried.observation = true, w.observation
		switch {
		case class == waiting:
			u.delay = waitForOthers << (w.observation.waits - 1)
		case r.Different&head.HasETag != 0:
			u.delay = p.policy.RefusalDelay // a proxy's page is a refusal, with status 200
		}
	default:
		w.observeConnection(r, u.failure)
		if r.Err == errAbandoned {
			tried.abandoned++
		}
		if u.failure.SlowDown() {
			p.limiter.ObserveRefusal(sentAt(r), p.retryAfters.ofStore(e.Key, u.failure.RetryAfter))
		}
		if u.failure.Transient() {
			p.health.Failed(u.err)
		}
		decision := p.policy.Next(&tried.Attempts, u.failure, p.health)
		if decision.Action == fault.GiveUp {
			w.fail(u.err)
			return
		}
		u.delay, u.verify = decision.Delay, decision.Action == fault.Verify
		u.region, u.signed = namedRegion(r), r.Region
		if u.verify && tried.Sent == 1 && !u.failure.Transient() && r.Status != http.StatusNotFound {
			w.observeRefusal()
		}
	}
	u.batch.attempts = tried
	w.answers.unresolved = append(w.answers.unresolved, u)
	p.log.Debug("HEAD is sent again", "key", e.Key, "status", r.Status, "class", u.err.Class,
		"attempts", tried.Sent, "verify", u.verify)
}

// observeRefusal counts a HEAD that was refused. It puts off the rest of the batch if that would be refused too.
func (w *worker) observeRefusal() {
	w.answers.evidence.refused++
	if !w.pool.refusedStart.holds() {
		return
	}
	if rest := w.batch.split(); rest != nil {
		w.putOff = rest
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
	if e.Encoded == "" || w.pool.decodedNames.real(e) {
		return false
	}
	name, ok := tried.names.next(e, asked)
	if ok && name != e.Key {
		b.named = []list.Entry{named(e, name)}
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
