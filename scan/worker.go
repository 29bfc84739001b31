package scan

import (
	"context"
	"sync/atomic"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// worker sends batches of HEADs through one session and rules on their answers.
type worker struct {
	scan         *Scan
	number       int           // of all, from 0
	wake         chan struct{} // it is parked, and the width has come to include it
	session      head.Session
	counts       metrics.HeadCounts
	onAnswerFunc func(*head.Result)     // w.take, made once
	current      *atomic.Pointer[batch] // what the worker asks for now, for others to see; nil: nothing

	// News that the others were not told yet.
	answered         int64     // answers that were no refusal to answer
	ok               int64     // those of them that were good
	okAt             time.Time // when the last of the good ones came
	flushedAt        time.Time // when the last of those before came
	latenciesFlushed int       // latencies that were told

	// Of those that were no refusal, what the Store was not told yet.
	endpoint        *store.Address
	endpointAnswers int
	endpointLatency time.Duration

	// Of the present batch.
	batch      *batch
	next       int // the next object to be answered, an index into the page's entries
	result     batchResult
	chunk      Chunk // of the part that is being added to; nil: the next Record begins one
	unresolved []unresolved
	sample     *list.Entry // an object that was answered for
	record     Record

	mismatch *mismatchedObject // the first of the batch that contradicts the listing; nil: none does
}

// unresolved is an object of the present batch that has no Outcome yet, and what is to be done about it.
type unresolved struct {
	batch     *batch
	delay     time.Duration // after which it is asked again,
	verify    bool          // unless it goes to the judge
	exhausted bool          // the judge is told that it failed often, while no other object succeeded
	err       *ObjectError
}

func newWorker(s *Scan, number int, wake chan struct{}) *worker {
	w := &worker{scan: s, number: number, wake: wake, session: s.engine.Session(), counts: metrics.NewHeadCounts(), current: &s.current[number]}
	w.onAnswerFunc = w.onAnswer
	return w
}

// run takes batches until the run is drained.
func (w *worker) run(ctx context.Context) error {
	defer func() { w.session.Close() }()
	for {
		if w.number >= int(w.scan.pool.size.Load()) {
			if drained, err := w.park(ctx); drained || err != nil {
				return err
			}
		}
		b, err := w.nextBatch(ctx)
		if b == nil {
			return err
		}
		if err := w.do(ctx, b); err != nil {
			return err
		}
	}
}

// park waits until the worker is needed. Its connection stays open for as long as it can be used again, since to try another width, now
// and then, must not cost hundreds of handshakes; then it is closed, and is no load for the store.
func (w *worker) park(ctx context.Context) (drained bool, err error) {
	stale := time.NewTimer(store.IdleTimeout)
	defer stale.Stop()
	for w.number >= int(w.scan.pool.size.Load()) {
		select {
		case <-w.wake:
		case <-stale.C:
			w.session.Close()
			w.session = w.scan.engine.Session()
		case <-w.scan.inFlight.drained:
			return true, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return false, nil
}

// nextBatch is the next batch, nil when there will be none. What is asked again goes first: a page waits for it.
func (w *worker) nextBatch(ctx context.Context) (*batch, error) {
	select {
	case b := <-w.scan.retryDue:
		return b, nil
	default:
	}
	select {
	case b := <-w.scan.work:
		return b, nil
	default:
	}
	w.scan.idle.Add(1)
	w.scan.pool.idleTime.enter(time.Since(w.scan.began))
	defer func() {
		w.scan.pool.idleTime.leave(time.Since(w.scan.began))
		w.scan.idle.Add(-1)
	}()
	select {
	case b := <-w.scan.retryDue:
		return b, nil
	case b := <-w.scan.work:
		return b, nil
	case <-w.scan.inFlight.drained:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// do asks for the objects of a batch, and hands on what is settled and what is not.
func (w *worker) do(ctx context.Context, b *batch) error {
	w.batch, w.next, w.sample, w.chunk = b, b.first, nil, nil
	w.result = batchResult{runs: w.result.runs[:0]}
	w.unresolved = w.unresolved[:0]
	revision := w.scan.cfg.Store.Generation()
	b.begin()
	w.current.Store(b)
	err := w.session.Head(ctx, &b.heads, w.onAnswerFunc)
	w.current.Store(nil)
	w.flushCounters()
	w.scan.progress.Heads.Add(w.counts.Heads)
	w.scan.progress.FromListing.Add(w.counts.FromListing)
	w.scan.metrics.AddHeads(&w.counts)
	w.latenciesFlushed = 0
	if err != nil {
		return err
	}
	if w.mismatch != nil {
		if err := w.scan.listMetadata.recheck(ctx, w.mismatch); err != nil {
			return err
		}
		w.mismatch = nil
	}
	if w.sample != nil {
		w.scan.sampleObject.Store(w.sample)
	}
	if err := w.scan.addResult(ctx, b.page, &w.result); err != nil {
		return err
	}
	for _, u := range w.unresolved {
		if u.verify {
			w.scan.refusals.add(&refusal{batch: u.batch, err: u.err, exhausted: u.exhausted, revision: revision})
		} else if err := w.scan.retryAt(ctx, u.batch, u.delay); err != nil {
			return err
		}
	}
	return nil
}

// onAnswer rules on one answer.
func (w *worker) onAnswer(r *head.Result) {
	index := w.next
	w.next++
	e := &w.batch.page.Entries[index]
	if r.Source == head.FromListing {
		w.counts.FromListing++
		w.emit(index, e, r, false)
		return
	}
	w.counts.Add(r)
	if w.mismatch == nil {
		w.mismatch = compareWithListing(e, r)
	}
	v := classify(r, w.batch.attempts.newConn)
	if v == changed && w.batch.page.Lossy(e.Key) {
		v = lossyMatch
	}
	if r.Err == nil && v != transient {
		w.answered++
	}
	w.observe(r, v)
	switch v {
	case answered, changed:
		w.sample = e
		w.ok++
		w.okAt = r.Received
		// Where there is a limit, the gate counts by time, and the worker may wait long before the next answer.
		if w.okAt.Sub(w.flushedAt) > flushEvery || !w.scan.limiter.Unlimited() {
			w.flushCounters()
		}
		w.emit(index, e, r, v == changed)
	case deleted:
		w.result.outcomes.Gone++
		w.result.settled++
	case permanent:
		w.fail(w.scan.objectError(e, r, w.batch.attempts.sent+1))
	case lossyMatch:
		failure := w.scan.objectError(e, r, w.batch.attempts.sent+1)
		failure.Class, failure.Err = fault.LossyKey, errLossyKey
		w.fail(failure)
	default:
		w.chunk = nil     // the part ends here, so that parts can be put into the order of the keys
		w.flushCounters() // the good news that came before this
		w.reschedule(index, e, r, v)
	}
}

// observe notes whether the endpoint answers. What may be its refusal the Store is told at once.
func (w *worker) observe(r *head.Result, v class) {
	if r.Address != w.endpoint {
		w.flushCounters()
		w.endpoint = r.Address
	}
	switch {
	case r.Address == nil:
	case v != transient && v != unexplained:
		w.endpointAnswers++
		w.endpointLatency += r.Latency
	case r.Err == nil || v == transient: // it is not our credentials
		w.flushCounters()
		w.scan.cfg.Store.ObserveRefusal(r.Address)
	}
}

// flushEvery is how old good news may be before they are told: little beside every delay, and long beside an answer's way, since
// what is told is shared by all workers.
const flushEvery = 5 * time.Millisecond

// flushCounters passes on the news.
func (w *worker) flushCounters() {
	if w.answered > 0 {
		w.scan.limiter.ObserveAnswers(w.answered)
		w.answered = 0
	}
	if latencies := w.counts.Latencies[w.latenciesFlushed:]; len(latencies) > 0 {
		var sum time.Duration
		for _, latency := range latencies {
			sum += latency
		}
		w.scan.pool.answers.Add(int64(len(latencies)))
		w.scan.pool.latency.Add(int64(sum))
		w.latenciesFlushed += len(latencies)
	}
	if w.ok > 0 {
		w.scan.health.OK(w.okAt)
		w.ok, w.flushedAt = 0, w.okAt
	}
	if w.endpointAnswers > 0 {
		w.scan.cfg.Store.ObserveAnswers(w.endpoint, w.endpointAnswers, w.endpointLatency)
		w.endpointAnswers, w.endpointLatency = 0, 0
	}
}

// fail gives an object up.
func (w *worker) fail(e *ObjectError) {
	w.result.settled++
	w.result.outcomes.Failed++
	w.result.failures = append(w.result.failures, e)
}

// emit adds the Record to the part that is being built.
func (w *worker) emit(index int, e *list.Entry, r *head.Result, isChanged bool) {
	w.result.settled++
	if len(r.Metadata) == 0 && !w.scan.cfg.All && r.Get("x-amz-missing-meta") == nil {
		w.result.outcomes.WithoutMetadata++
		return
	}
	if w.chunk == nil {
		w.chunk = w.scan.cfg.Sink.NewChunk()
		w.result.runs = append(w.result.runs, encodedRun{index, w.chunk})
	}
	w.record = NewRecord(e, r, isChanged)
	w.chunk.Add(&w.record)
	w.result.outcomes.Emitted++
	if isChanged {
		w.result.outcomes.Changed++
	}
}

// reschedule decides what is to be done about an object that has no Outcome by this answer.
func (w *worker) reschedule(index int, e *list.Entry, r *head.Result, v class) {
	s := w.scan
	t := w.batch.attempts
	t.sent++
	t.avoid = r.Address
	u := unresolved{
		batch: &batch{page: w.batch.page, first: index, count: 1},
		err:   s.objectError(e, r, t.sent),
	}
	switch v {
	case mismatch:
		t.newConn = true
	case wrongRegion:
		u.verify = !s.cfg.Store.SwitchRegion(r.Region, string(r.Get("x-amz-bucket-region")))
	case unexplained:
		u.verify = true
	case transient:
		asked := fault.RetryAfter(string(r.Get("retry-after")))
		if fault.ThrottledStatus(r.Status) || asked > 0 || u.err.Class.Unreached() {
			s.limiter.ObserveRefusal(sentAt(r), asked)
		}
		s.health.Failed(u.err)
		if t.failed == 0 || s.health.OKAfter(t.last) {
			t.failed++
		}
		t.last = time.Now()
		if t.failed >= s.cfg.MaxAttempts {
			w.fail(u.err)
			return
		}
		u.delay = max(fault.Backoff(t.sent), asked)
		// Nothing else succeeds: is it the store, or is there nothing else?
		u.exhausted = t.sent%s.cfg.MaxAttempts == 0
		u.verify = u.exhausted
	}
	u.batch.attempts = t
	w.unresolved = append(w.unresolved, u)
	if !u.verify {
		w.counts.Retries[metrics.ResultLabel(r)]++
	}
	s.cfg.Log.Debug("HEAD put off", "key", e.Key, "status", r.Status, "class", u.err.Class, "tries", t.sent, "to_judge", u.verify)
}

// sentAt is when the HEAD was sent that a Result is of.
func sentAt(r *head.Result) time.Time {
	if r.Received.IsZero() { // it failed as things do where nobody listens: at once
		return time.Now()
	}
	return r.Received.Add(-r.Latency)
}

// objectError names what is known of a HEAD that did not succeed. It keeps nothing of r's memory.
func (s *Scan) objectError(e *list.Entry, r *head.Result, sent int) *ObjectError {
	o := &ObjectError{
		Op: "HEAD", Target: "s3://" + s.cfg.Store.Bucket() + "/" + e.Key, Entry: *e, Status: r.Status,
		Attempts: sent, RequestID: string(r.Get("x-amz-request-id")), Err: r.Err,
	}
	if r.Err != nil {
		o.Class = fault.ClassOf(r.Err)
	} else {
		o.Class = fault.StatusClass(r.Status)
	}
	return o
}

// addResult adds a ruling to its page, and hands the page to the committer if it is finished by that.
func (s *Scan) addResult(ctx context.Context, p *page, r *batchResult) error {
	s.progress.Settled.Add(int64(r.settled))
	if !p.addResult(r) {
		return nil
	}
	return s.enqueueCommit(ctx, p)
}

// skipPage settles a page of which no object is asked for.
func (s *Scan) skipPage(ctx context.Context, p *page) error {
	count := len(p.Entries)
	return s.addResult(ctx, p, &batchResult{settled: count, outcomes: metrics.Outcomes{Filtered: int64(count)}})
}

// enqueueCommit hands a page to the committer.
func (s *Scan) enqueueCommit(ctx context.Context, p *page) error {
	select {
	case s.finished <- p:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
