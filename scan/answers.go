package scan

import (
	"context"
	"errors"
	"time"

	"headcount/scan/fault"
	"headcount/scan/list"
)

// batchAnswers is what the answers to one batch amount to. A worker hands it on when its Session knows that they are
// final (head.Trust), which is the case with the first answers to the next batch. Otherwise the worker asks for each
// object of the batch again, once and over a connection of its own: no such answer is another object's.
type batchAnswers struct {
	batch      *batch
	result     batchResult
	unresolved []unresolved
	evidence   evidence
	sample     *list.Entry // an object that was answered
	generation uint64      // of the store, before the batch was sent
	count      int         // objects that were answered

	// Numbers of Results of the Session: of the last one before the batch, and of the last one of the batch.
	from, to uint64
}

// unresolved is an object of the present batch without an Outcome.
type unresolved struct {
	batch   *batch
	delay   time.Duration // until it is sent again
	verify  bool          // the verifier decides instead
	region  string        // that a refusal names; empty: none
	signed  string        // the region that the HEAD was signed for
	label   string        // of its answer in the counts
	failure fault.Failure
	err     *ObjectError
}

// reset makes a ready for the answers to a batch. It keeps memory.
func (a *batchAnswers) reset(b *batch, generation, from uint64) {
	a.evidence.reset()
	*a = batchAnswers{
		batch: b, generation: generation, from: from, result: batchResult{runs: a.result.runs[:0]},
		unresolved: a.unresolved[:0], evidence: a.evidence,
	}
}

// handOn hands on the objects of a batch: to the committer, the verifier or the retry queue.
func (w *worker) handOn(ctx context.Context, a *batchAnswers) error {
	p, b := w.pool, a.batch
	a.batch = nil
	if a.sample != nil {
		p.lastAnswered.Store(a.sample)
	}
	if err := w.accept(ctx, &a.evidence); err != nil {
		return err
	}
	if err := p.committer.addResult(ctx, b.page, &a.result); err != nil {
		return err
	}
	for _, u := range a.unresolved {
		if u.verify {
			p.verifier.add(&verification{
				batch: u.batch, failure: u.failure, err: u.err, region: u.region, signedFor: u.signed,
				generation: a.generation,
			})
			continue
		}
		w.counts.Retries[u.label]++
		if err := p.retries.add(ctx, u.batch, u.delay); err != nil {
			return err
		}
	}
	return nil
}

// recall asks for the objects of a batch again, each over a new connection, since one of the answers may be another
// object's.
func (w *worker) recall(ctx context.Context, a *batchAnswers) error {
	b := a.batch
	a.batch = nil
	w.pool.records.remove(a.result.bytes)
	w.takeBack(&a.evidence)
	w.counts.Retries[string(fault.Malformed)] += int64(a.count)
	for i := range a.count {
		one := b.part(i, 1)
		one.attempts.newConn = true
		if err := w.pool.retries.add(ctx, one, 0); err != nil {
			return err
		}
	}
	return nil
}

// decide hands a batch on or recalls it, if the Session knows which by now.
func (w *worker) decide(ctx context.Context, a *batchAnswers) error {
	switch trust := w.session.Trust(); {
	case a.batch == nil:
		return nil
	case trust.Doubted > a.from && !a.batch.ownConn():
		return w.recall(ctx, a)
	case trust.Doubted > a.from, trust.Sure >= a.to:
		return w.handOn(ctx, a)
	}
	return nil
}

// settle hands on or recalls the batch that the worker holds. It is called before the worker waits, and before its
// Session is closed.
func (w *worker) settle(ctx context.Context) error {
	if w.held.batch == nil {
		return nil
	}
	if err := w.session.Settle(ctx); err != nil {
		return err
	}
	err := w.decide(ctx, w.held)
	w.shareCounts()
	if err == nil && w.held.batch != nil {
		err = errUndecided
	}
	return err
}

// errUndecided is a fault of an engine. Without it, the run would wait for the batch for ever.
var errUndecided = errors.New("internal error: a session does not say whether its answers are final")
