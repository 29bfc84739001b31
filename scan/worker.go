package scan

import (
	"context"
	"time"

	"headcount/scan/head"
	"headcount/scan/head/answer"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// worker sends batches of HEADs through one session, and decides what each answer means. One goroutine runs it.
type worker struct {
	pool  *workerPool
	index int
	member
	connection
	classifier answer.Classifier
	counts     counters
	onAnswer   func(*head.Result) // w.handleAnswer, made once

	sent        *sentBatch
	previous    *sentBatch      // until its answers are final
	previousErr error           // of handing it on
	ctx         context.Context // of run, to hand it on
}

func newWorker(p *workerPool, index int) *worker {
	w := &worker{
		pool: p, index: index, member: newMember(), connection: newConnection(p.engine),
		classifier: answer.NewClassifier(p.differences), counts: counters{HeadCounts: metrics.NewHeadCounts()},
		sent: new(sentBatch), previous: new(sentBatch),
	}
	w.onAnswer = w.handleAnswer
	return w
}

// run sends batches until nothing is in flight.
func (w *worker) run(ctx context.Context) error {
	defer func() { w.session.Close() }()
	w.ctx = ctx
	w.pool.members.watch(ctx, w)
	defer func() { w.abandon(nil) }()
	for {
		if w.parked() {
			if err := w.settle(ctx); err != nil {
				return err
			}
			if ended, err := w.park(ctx); ended || err != nil {
				return err
			}
		}
		b, ended, err := w.nextBatch(ctx)
		switch {
		case ended || err != nil:
			return err
		case b == nil:
			continue
		}
		if err := w.send(ctx, b); err != nil {
			return err
		}
	}
}

// park waits until the worker runs again. The connection stays open for as long as it can be used, since a pool that
// tries another size for a moment must not cost hundreds of handshakes. Then it is closed, and is no load for the
// store. It is closed at once if there are more connections than can be had.
func (w *worker) park(ctx context.Context) (ended bool, err error) {
	stale := time.NewTimer(store.IdleTimeout)
	defer stale.Stop()
	for w.parked() {
		if w.pool.members.closeExcess(w) {
			w.disconnect()
		}
		select {
		case <-w.wake:
		case <-stale.C:
			w.disconnect()
		case <-w.pool.inFlight.Done():
			return true, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return false, nil
}

// nextBatch returns the next batch; nil: the worker may have to park, or there will be none. Batches from the retry
// queue come first: a page waits for each of them. A worker without a connection leaves them to the others: it may get
// none, and they failed before. While the recordLimit is reached, there are only those, and the batches that pass.
func (w *worker) nextBatch(ctx context.Context) (b *batch, ended bool, err error) {
	if b := w.tryNextBatch(); b != nil {
		return b, false, nil
	}
	p := w.pool
	p.idle.enter(time.Since(p.began))
	defer func() { p.idle.leave(time.Since(p.began)) }()
	if err := w.settle(ctx); err != nil {
		return nil, false, err
	}
	for {
		queue, passes := (<-chan *batch)(p.queue), (<-chan struct{})(nil)
		reached, changed := p.records.state()
		if reached {
			queue, passes = nil, p.records.passes
		}
		select {
		case b := <-p.retries.due:
			return b, false, nil
		case b := <-queue:
			return b, false, nil
		case <-passes:
			select {
			case b := <-p.queue:
				return b, false, nil
			default:
			}
		case <-changed:
		case <-w.wake:
			return nil, false, nil
		case <-p.inFlight.Done():
			return nil, true, nil
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
}

// tryNextBatch returns a batch that is ready; nil: none is.
func (w *worker) tryNextBatch() *batch {
	first, second := w.pool.retries.due, w.pool.queue
	if w.pool.records.reached() {
		second = nil
	}
	if !w.connected {
		first, second = second, first
	}
	for _, batches := range []chan *batch{first, second} {
		select {
		case b := <-batches:
			return b
		default:
		}
	}
	return nil
}

// send sends a batch, and hands on its objects when their answers are final.
func (w *worker) send(ctx context.Context, b *batch) error {
	p := w.pool
	if err := w.followEngine(ctx); err != nil {
		return err
	}
	w.sent.reset(b, w.session.Trust().Answered)
	b.name(p.names.Likely())
	b.begin()
	w.sending.End()
	b.heads.Sending = w.sending
	current := &p.current[w.index]
	current.Store(b)
	err := w.session.Head(w.headCtx, &b.heads, w.onAnswer)
	current.Store(nil)
	switch {
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	case w.headCtx.Err() != nil:
		w.pool.members.watch(ctx, w)
		if err != nil {
			w.abandonBatch()
			err = nil
		}
	}
	w.flushCounters()
	p.progress.Heads.Add(w.counts.Heads)
	if err == nil {
		err = w.finish(ctx)
	}
	w.shareCounts()
	if err != nil {
		return err
	}
	return w.settleConnection(ctx)
}

// shareCounts adds the worker's counts to those of the run. The counters must be flushed.
func (w *worker) shareCounts() {
	w.pool.metrics.AddHeads(&w.counts.HeadCounts)
	w.counts.flushed = 0
}
