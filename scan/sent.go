package scan

import (
	"context"
	"errors"
	"slices"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head/answer"
	"headcount/scan/list"
	"headcount/scan/store"
)

// sentBatch is a batch that a worker sends, and what its answers amount to so far. The worker hands them on when its
// Session knows that they are final (head.Trust), which is the case with the first answers to the next batch. Otherwise
// the worker asks for each object of the batch again, once and over a connection of its own: no such answer is another
// object's.
type sentBatch struct {
	batch      *batch // nil: it was handed on
	next       int    // objects of the batch that were answered
	result     result
	record     Record // that was encoded last
	unresolved []*unresolved
	lookups    *lookupRun // objects that wait for further requests; nil: none does
	evidence   evidence

	rest      *batch        // the objects of the batch that were taken out of it; nil: none
	restDelay time.Duration // until they are sent

	// Numbers of Results of the Session: of the last one before the batch, and of the last one of the batch.
	from, to uint64
}

// unresolved is an object that has no Outcome by the answer to its HEAD.
type unresolved struct {
	batch   *batch // of that one object
	failure fault.Failure
	err     *ObjectError
	delay   time.Duration // until it is sent again
	verify  bool          // the verifier decides instead

	// For the verifier.
	region     store.RegionAnswer
	generation uint64 // of the store's state (store.Generation) before the HEAD was sent
}

// reset makes s ready for a batch. It keeps memory.
func (s *sentBatch) reset(b *batch, from uint64) {
	s.evidence.reset()
	*s = sentBatch{
		batch: b, from: from, result: result{runs: s.result.runs[:0]}, unresolved: s.unresolved[:0],
		evidence: s.evidence,
	}
}

// takeRest takes the objects out of the batch that were not begun. They are sent after a delay.
func (s *sentBatch) takeRest(delay time.Duration) {
	if rest := s.batch.split(); rest != nil { // at the second call there is none
		s.rest, s.restDelay = rest, delay
	}
}

// finish decides about the batch that was sent, and about the one before it.
func (w *worker) finish(ctx context.Context) error {
	s, p := w.sent, w.pool
	if s.rest != nil {
		if err := p.retries.add(ctx, s.rest, s.restDelay); err != nil {
			return err
		}
	}
	if w.previousErr != nil {
		return w.previousErr
	}
	p.records.add(s.result.bytes)
	s.to = w.session.Trust().Answered
	if err := w.decide(ctx, w.previous); err != nil {
		return err
	}
	if err := w.decide(ctx, s); err != nil {
		return err
	}
	if w.previous.batch != nil { // no answer to this batch vouches for the one before
		if err := w.settle(ctx); err != nil {
			return err
		}
		if err := w.decide(ctx, s); err != nil {
			return err
		}
	}
	w.sent, w.previous = w.previous, s
	return nil
}

// settle hands on or recalls the previous batch. It is called before the worker waits, and before its Session is
// closed.
func (w *worker) settle(ctx context.Context) error {
	if w.previous.batch == nil {
		return nil
	}
	if err := w.session.Settle(ctx); err != nil {
		return err
	}
	err := w.decide(ctx, w.previous)
	w.shareCounts()
	if err == nil && w.previous.batch != nil {
		err = errUndecided
	}
	return err
}

// errUndecided is a fault of an engine. Without it, the run would wait for the batch for ever.
var errUndecided = errors.New("internal error: a session does not say whether its answers are final")

// decide hands a batch on or recalls it, if the Session knows which by now.
func (w *worker) decide(ctx context.Context, s *sentBatch) error {
	switch trust := w.session.Trust(); {
	case s.batch == nil:
		return nil
	case trust.Doubted > s.from && !s.batch.ownConn():
		return w.recall(ctx, s)
	case trust.Doubted > s.from, trust.Sure >= s.to:
		return w.handOn(ctx, s)
	}
	return nil
}

// handOn hands on the objects of a batch: to the committer, the verifier or the retry queue.
func (w *worker) handOn(ctx context.Context, s *sentBatch) error {
	p, b := w.pool, s.batch
	s.batch = nil
	if err := w.accept(ctx, &s.evidence); err != nil {
		return err
	}
	if err := p.committer.addResult(ctx, b.page, &s.result); err != nil {
		return err
	}
	if s.lookups != nil {
		if err := p.lookups.submit(ctx, s.lookups); err != nil {
			return err
		}
	}
	for _, u := range s.unresolved {
		if u.verify {
			p.verifier.add(u)
			continue
		}
		p.metrics.CountHeadRetries(1, u.err.Status, u.err.Class)
		if err := p.retries.add(ctx, u.batch, u.delay); err != nil {
			return err
		}
	}
	return nil
}

// recall asks for the objects of a batch again, each over a new connection, since one of the answers may be another
// object's.
func (w *worker) recall(ctx context.Context, s *sentBatch) error {
	p, b := w.pool, s.batch
	s.batch = nil
	p.records.remove(s.result.bytes)
	w.takeBack(&s.evidence)
	p.metrics.CountHeadRetries(int64(s.next), 0, fault.Malformed)
	for i := range s.next {
		one := b.part(i, 1)
		one.attempts.newConn = true
		if err := p.retries.add(ctx, one, 0); err != nil {
			return err
		}
	}
	return nil
}

// evidence is what the answers to one batch show about the store, and what they add to counts. It is accepted when the
// answers are final: another object's answer is no evidence.
type evidence struct {
	answer.Evidence
	found       *list.Entry         // an object that was found, under the name that was asked for; nil: none was
	names       list.FoundNames     // by which objects were found
	prefixes    []string            // of metadata that are not taken
	fromListing int64               // objects without a HEAD
	difference  *metadataDifference // the first object that contradicts the listing; nil: none does
	refused     int64               // HEADs that refusedStart has counted already
}

// reset empties x and keeps its memory.
func (x *evidence) reset() {
	x.Evidence.Reset()
	*x = evidence{Evidence: x.Evidence, prefixes: x.prefixes[:0]}
}

// addPrefix adds a prefix of metadata that are not taken (head.Result.OtherPrefix).
func (x *evidence) addPrefix(prefix []byte) {
	const most = 4 // a store has one other prefix
	known := func(p string) bool { return p == string(prefix) }
	if len(x.prefixes) < most && !slices.ContainsFunc(x.prefixes, known) {
		x.prefixes = append(x.prefixes, string(prefix))
	}
}

// accept makes the evidence known.
func (w *worker) accept(ctx context.Context, x *evidence) error {
	p := w.pool
	if x.found != nil {
		p.sample.Store(x.found)
	}
	w.classifier.Accept(&x.Evidence)
	p.names.Found(&x.names)
	for _, prefix := range x.prefixes {
		w.counts.AddOtherPrefix(prefix)
	}
	w.counts.FromListing += x.fromListing
	p.progress.FromListing.Add(x.fromListing)
	if x.difference != nil {
		return p.listMetadata.recheck(ctx, x.difference)
	}
	return nil
}

// takeBack takes back what others know of the evidence.
func (w *worker) takeBack(x *evidence) {
	w.classifier.TakeBack(&x.Evidence)
	w.pool.refusedStart.takeBack(x.refused)
}
