package scan

import (
	"context"
	"sync/atomic"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// worker sends batches of HEADs through one session and rules on their answers.
type worker struct {
	scan    *Scan
	number  int           // of all, from 0
	wake    chan struct{} // it is parked, and the width has come to include it
	session head.Session
	counts  headCounts
	answer  func(*head.Result)     // w.take, made once
	asks    *atomic.Pointer[batch] // what the worker asks for now, for others to see; nil: nothing

	// News that the others were not told yet.
	heard  int64     // answers that were no refusal to answer
	well   int64     // those of them that were good
	wellAt time.Time // when the last of the good ones came
	toldAt time.Time // when the last of those before came
	timed  int       // latencies that were told

	// Of those that were no refusal, what the Store was not told yet.
	from *store.Address
	came int
	took time.Duration

	// Of the present batch.
	batch  *batch
	at     int // the next object to be answered, an index into the page's entries
	ruling ruling
	chunk  Chunk // of the part that is being added to; nil: the next Record begins one
	rest   []unsettled
	good   *list.Entry // an object that was answered for
	record Record

	dispute *dispute // with the listing; nil: there is none
}

// unsettled is an object of the present batch that has no Outcome yet, and what is to be done about it.
type unsettled struct {
	batch *batch
	delay time.Duration // after which it is asked again,
	refer bool          // unless it goes to the judge
	worn  bool          // the judge is told that it failed often, while no other object succeeded
	err   *ObjectError
}

func newWorker(s *Scan, number int, wake chan struct{}) *worker {
	w := &worker{scan: s, number: number, wake: wake, session: s.engine.Session(), counts: newHeadCounts(), asks: &s.asks[number]}
	w.answer = w.take
	return w
}

// run takes batches until the run is drained.
func (w *worker) run(ctx context.Context) error {
	defer func() { w.session.Close() }()
	for {
		if w.number >= int(w.scan.crew.width.Load()) {
			if drained, err := w.park(ctx); drained || err != nil {
				return err
			}
		}
		b, err := w.next(ctx)
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
	for w.number >= int(w.scan.crew.width.Load()) {
		select {
		case <-w.wake:
		case <-stale.C:
			w.session.Close()
			w.session = w.scan.engine.Session()
		case <-w.scan.unfinished.drained:
			return true, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return false, nil
}

// next is the next batch, nil when there will be none. What is asked again goes first: a page waits for it.
func (w *worker) next(ctx context.Context) (*batch, error) {
	select {
	case b := <-w.scan.again:
		return b, nil
	default:
	}
	select {
	case b := <-w.scan.work:
		return b, nil
	default:
	}
	w.scan.idle.Add(1)
	w.scan.crew.rests.begin(time.Since(w.scan.news.began))
	defer func() {
		w.scan.crew.rests.end(time.Since(w.scan.news.began))
		w.scan.idle.Add(-1)
	}()
	select {
	case b := <-w.scan.again:
		return b, nil
	case b := <-w.scan.work:
		return b, nil
	case <-w.scan.unfinished.drained:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// do asks for the objects of a batch, and hands on what is settled and what is not.
func (w *worker) do(ctx context.Context, b *batch) error {
	w.batch, w.at, w.good, w.chunk = b, b.first, nil, nil
	w.ruling = ruling{parts: w.ruling.parts[:0]}
	w.rest = w.rest[:0]
	if b.trial.fresh {
		w.session.Fresh()
	}
	if b.trial.from != nil {
		w.session.Avoid(b.trial.from)
	}
	revision := w.scan.cfg.Store.Revision()
	b.begin()
	w.asks.Store(b)
	err := w.session.Head(ctx, &b.heads, w.answer)
	w.asks.Store(nil)
	w.tell()
	w.scan.progress.heads.Add(w.counts.heads)
	w.scan.progress.fromListing.Add(w.counts.fromListing)
	w.scan.meter.headsSent(&w.counts)
	w.timed = 0
	if err != nil {
		return err
	}
	if w.dispute != nil {
		if err := w.scan.resolve(ctx, w.dispute); err != nil {
			return err
		}
		w.dispute = nil
	}
	if w.good != nil {
		w.scan.news.example(w.good)
	}
	if err := w.scan.settle(ctx, b.page, &w.ruling); err != nil {
		return err
	}
	for _, u := range w.rest {
		if u.refer {
			w.scan.docket.add(&suspect{batch: u.batch, err: u.err, worn: u.worn, revision: revision})
		} else if err := w.scan.later(ctx, u.batch, u.delay); err != nil {
			return err
		}
	}
	return nil
}

// take rules on one answer.
func (w *worker) take(r *head.Result) {
	index := w.at
	w.at++
	e := &w.batch.page.Entries[index]
	if r.Listed == head.FromListing {
		w.counts.fromListing++
		w.emit(index, e, r, false)
		return
	}
	w.counts.answer(r)
	if r.Listed != head.NotListed || w.batch.page.isTrial {
		w.compared(e, r)
	}
	v := read(r, w.batch.trial.fresh)
	if v == changed && w.batch.page.Lossy(e.Key) {
		v = namesake
	}
	if r.Err == nil && v != passing {
		w.heard++
	}
	w.hear(r, v)
	switch v {
	case answered, changed:
		w.good = e
		w.well++
		w.wellAt = r.Received
		// Where there is a limit, the gate counts by time, and the worker may wait long before the next answer.
		if w.wellAt.Sub(w.toldAt) > tellEvery || !w.scan.gate.Open() {
			w.tell()
		}
		w.emit(index, e, r, v == changed)
	case deleted:
		w.ruling.outcomes.Gone++
		w.ruling.settled++
	case hopeless:
		w.fail(w.scan.objectError(e, r, w.batch.trial.sent+1))
	case namesake:
		failure := w.scan.objectError(e, r, w.batch.trial.sent+1)
		failure.Class, failure.Err = "lossy_key", errLossyKey
		w.fail(failure)
	default:
		w.chunk = nil // the part ends here, so that parts can be put into the order of the keys
		w.tell()      // the good news that came before this
		w.putOff(index, e, r, v)
	}
}

// hear notes whether the endpoint answers. What may be its refusal the Store is told at once.
func (w *worker) hear(r *head.Result, v verdict) {
	if r.From != w.from {
		w.tell()
		w.from = r.From
	}
	switch {
	case r.From == nil:
	case v != passing && v != doubtful:
		w.came++
		w.took += r.Latency
	case r.Err == nil || v == passing: // it is not our credentials
		w.tell()
		w.scan.cfg.Store.Refused(r.From)
	}
}

// tellEvery is how old good news may be before they are told: little beside every delay, and long beside an answer's way, since
// what is told is shared by all workers.
const tellEvery = 5 * time.Millisecond

// tell passes on the news.
func (w *worker) tell() {
	if w.heard > 0 {
		w.scan.gate.Answered(w.heard)
		w.heard = 0
	}
	if latencies := w.counts.latencies[w.timed:]; len(latencies) > 0 {
		var sum time.Duration
		for _, latency := range latencies {
			sum += latency
		}
		w.scan.crew.answers.Add(int64(len(latencies)))
		w.scan.crew.latency.Add(int64(sum))
		w.timed += len(latencies)
	}
	if w.well > 0 {
		w.scan.news.success(w.wellAt)
		w.well, w.toldAt = 0, w.wellAt
	}
	if w.came > 0 {
		w.scan.cfg.Store.Answered(w.from, w.came, w.took)
		w.came, w.took = 0, 0
	}
}

// fail gives an object up.
func (w *worker) fail(e *ObjectError) {
	w.ruling.settled++
	w.ruling.outcomes.Failed++
	w.ruling.failures = append(w.ruling.failures, e)
}

// emit adds the Record to the part that is being built.
func (w *worker) emit(index int, e *list.Entry, r *head.Result, isChanged bool) {
	w.ruling.settled++
	if len(r.Metadata) == 0 && !w.scan.cfg.All && r.Get("x-amz-missing-meta") == nil {
		w.ruling.outcomes.WithoutMetadata++
		return
	}
	if w.chunk == nil {
		w.chunk = w.scan.cfg.Sink.NewChunk()
		w.ruling.parts = append(w.ruling.parts, part{index, w.chunk})
	}
	w.record = Record{Entry: e, Head: r, Changed: isChanged}
	w.chunk.Add(&w.record)
	w.ruling.outcomes.Emitted++
	if isChanged {
		w.ruling.outcomes.Changed++
	}
}

// putOff decides what is to be done about an object that has no Outcome by this answer.
func (w *worker) putOff(index int, e *list.Entry, r *head.Result, v verdict) {
	s := w.scan
	t := w.batch.trial
	t.sent++
	t.from = r.From
	u := unsettled{
		batch: &batch{page: w.batch.page, first: index, count: 1},
		err:   s.objectError(e, r, t.sent),
	}
	switch v {
	case unlike:
		t.fresh = true
	case misplaced:
		u.refer = !s.cfg.Store.SwitchRegion(r.SentTo, string(r.Get("x-amz-bucket-region")))
	case doubtful:
		u.refer = true
	case passing:
		asked := store.RetryAfter(string(r.Get("retry-after")))
		if store.Throttled(r.Status) || asked > 0 || unreached(u.err.Class) {
			s.gate.Throttled(sentAt(r), asked)
		}
		s.news.failure(u.err)
		if t.failed == 0 || s.news.successAfter(t.last) {
			t.failed++
		}
		t.last = time.Now()
		if t.failed >= s.cfg.TriesMax {
			w.fail(u.err)
			return
		}
		u.delay = max(pace.Delay(t.sent), asked)
		// Nothing else succeeds: is it the store, or is there nothing else?
		u.worn = t.sent%s.cfg.TriesMax == 0
		u.refer = u.worn
	}
	u.batch.trial = t
	w.rest = append(w.rest, u)
	if !u.refer {
		w.counts.retries[resultName(r)]++
	}
	s.cfg.Log.Debug("HEAD put off", "key", e.Key, "status", r.Status, "class", u.err.Class, "tries", t.sent, "to_judge", u.refer)
}

// sentAt is when the HEAD was sent that a Result is of.
func sentAt(r *head.Result) time.Time {
	if r.Received.IsZero() { // it failed as things do where nobody listens: at once
		return time.Now()
	}
	return r.Received.Add(-r.Latency)
}

// unreached says whether a HEAD failed as it does where nobody listens: at once. Without the gate an outage would be a
// storm of connections.
func unreached(class string) bool {
	switch class {
	case "refused", "reset", "closed", "dns", "tls", "connection":
		return true
	}
	return false
}

// resultName is the name under which a Result is counted.
func resultName(r *head.Result) string {
	if r.Err != nil {
		return store.FailureClass(r.Err)
	}
	return statusName(r.Status)
}

// objectError names what is known of a HEAD that did not succeed. It keeps nothing of r's memory.
func (s *Scan) objectError(e *list.Entry, r *head.Result, sent int) *ObjectError {
	o := &ObjectError{
		Op: "HEAD", Target: "s3://" + s.cfg.Store.Bucket() + "/" + e.Key, Entry: *e, Status: r.Status,
		Attempts: sent, RequestID: string(r.Get("x-amz-request-id")), Err: r.Err,
	}
	if r.Err != nil {
		o.Class = store.FailureClass(r.Err)
	} else {
		o.Class = statusClass(r.Status)
	}
	return o
}

// settle adds a ruling to its page, and hands the page to the committer if it is finished by that.
func (s *Scan) settle(ctx context.Context, p *page, r *ruling) error {
	s.progress.settled.Add(int64(r.settled))
	if !p.settle(r) {
		return nil
	}
	return s.finish(ctx, p)
}

// leaveOut settles a page of which no object is asked for.
func (s *Scan) leaveOut(ctx context.Context, p *page) error {
	count := len(p.Entries)
	return s.settle(ctx, p, &ruling{settled: count, outcomes: Outcomes{Filtered: int64(count)}})
}

// finish hands a page to the committer.
func (s *Scan) finish(ctx context.Context, p *page) error {
	select {
	case s.finished <- p:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
