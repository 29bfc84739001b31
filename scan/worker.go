package scan

import (
	"context"
	"sync/atomic"
	"time"

	"headcount/scan/head"
	"headcount/scan/head/answer"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// worker sends batches of HEADs through one session, and decides what each answer means.
type worker struct {
	pool       *workerPool
	index      int
	wake       chan struct{} // holds a token when the worker may run or shall park, or may have a connection too many
	session    head.Session
	engine     string             // the name of session's engine
	generation uint64             // of the store, when engine was compared
	onAnswer   func(*head.Result) // w.handleAnswer, made once
	classifier answer.Classifier
	current    *atomic.Pointer[batch] // shows the batch to the other workers; nil between batches
	running    atomic.Bool            // members.assign sets it; the others are parked

	// members.mu guards these. Only the worker's goroutine writes connected.
	connected bool // the store has answered over the connection
	chosen    bool // by members.assign
	abandon   context.CancelCauseFunc

	headCtx    context.Context // of the HEADs; abandon ends it
	connecting connecting
	sending    *head.Sending // of the HEADs over a connection without an answer so far

	counts metrics.HeadCounts
	shared sharedCounters

	sent        *sentBatch
	previous    *sentBatch      // until its answers are final
	previousErr error           // of handing it on
	ctx         context.Context // of run, to hand it on
	record      Record          // that was encoded last
}

func newWorker(p *workerPool, index int) *worker {
	w := &worker{
		pool: p, index: index, wake: make(chan struct{}, 1),
		engine: p.engine.Name(), current: &p.current[index], counts: metrics.NewHeadCounts(),
		classifier: answer.NewClassifier(p.differences),
		sent:       new(sentBatch), previous: new(sentBatch), sending: head.NewSending(),
	}
	w.session = p.engine.Session() // after Name: followEngine repairs an older name
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

func (w *worker) parked() bool { return !w.running.Load() }

// wakeUp makes a worker that is parked or idle look around.
func (w *worker) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default: // it still has the last token
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

// disconnect closes the connection.
func (w *worker) disconnect() {
	w.session.Close()
	w.session = w.pool.engine.Session()
	w.pool.members.closed(w)
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

// followEngine opens a new session if the engine is another one: the region was switched to one whose requests only the
// SDK can send.
func (w *worker) followEngine(ctx context.Context) error {
	generation := w.pool.store.Generation()
	if generation == w.generation {
		return nil
	}
	w.generation = generation
	name := w.pool.engine.Name()
	if name == w.engine {
		return nil
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	w.engine = name
	w.disconnect()
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
	w.current.Store(b)
	err := w.session.Head(w.headCtx, &b.heads, w.onAnswer)
	w.current.Store(nil)
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
	w.pool.metrics.AddHeads(&w.counts)
	w.shared.latencies = 0
}
