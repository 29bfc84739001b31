package scan

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// workerDeps is what a worker needs besides its pool. All of it may be used concurrently.
type workerDeps struct {
	engine       head.Engine
	sink         Sink
	store        *store.Store
	limiter      *pace.Limiter
	health       *fault.Health // of the HEADs
	retryAfters  *retryAfters
	lastAnswered *sampleObject
	refusedStart *refusedStart
	decodedNames *decodedNames
	metrics      *metrics.Collector
	progress     *metrics.ProgressCounters
	listMetadata *listMetadata
	differences  *differences
	inFlight     inFlight
	log          *slog.Logger

	all    bool         // Records for objects without metadata too
	policy fault.Policy // of HEADs

	// Where objects go: those without an Outcome into the retry queue or to the verifier, the others to the committer.
	retries   *retryQueue
	verifier  *verifier
	committer *committer
}

// worker sends batches of HEADs through one session, and decides what each answer means.
type worker struct {
	pool       *workerPool
	index      int
	wake       chan struct{} // holds a token when the worker may run or shall park, or may have a connection too many
	session    head.Session
	engine     string                 // the name of session's engine
	generation uint64                 // of the store, when engine was compared
	onAnswer   func(*head.Result)     // w.handleAnswer, made once
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
	equal  [head.Groups]head.Trait // in which final answers were like the listing

	// Of the present batch.
	batch   *batch
	next    int    // the objects of the batch that were answered
	putOff  *batch // the objects of the batch that were taken out of it; nil: none
	answers *batchAnswers
	chunk   Chunk // of the last run in answers; nil: the next Record begins a run
	record  Record

	observation observation // of the object that was answered last, if its answer was unlike the listing

	// Of the batch before, until its answers are final.
	held    *batchAnswers   // without a batch: there is none
	heldErr error           // of handing it on
	ctx     context.Context // of run, to hand it on
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

func newWorker(p *workerPool, index int) *worker {
	w := &worker{
		pool: p, index: index, wake: make(chan struct{}, 1),
		engine: p.engine.Name(), current: &p.current[index], counts: metrics.NewHeadCounts(),
		answers: new(batchAnswers), held: new(batchAnswers), sending: head.NewSending(),
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
		case b := <-p.due:
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
	queue := (<-chan *batch)(w.pool.queue)
	if w.pool.records.reached() {
		queue = nil
	}
	first, second := w.pool.due, queue
	if !w.connected {
		first, second = second, first
	}
	for _, batches := range []<-chan *batch{first, second} {
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

// send sends a batch, and hands on its objects, or holds them until their answers are final.
func (w *worker) send(ctx context.Context, b *batch) error {
	p := w.pool
	if err := w.followEngine(ctx); err != nil {
		return err
	}
	w.batch, w.next, w.chunk = b, 0, nil
	w.answers.reset(b, p.store.Generation(), w.session.Trust().Answered)
	p.decodedNames.name(b)
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
		err = w.finishBatch(ctx)
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

// finishBatch decides about the batch that was sent, and about the one before it.
func (w *worker) finishBatch(ctx context.Context) error {
	if rest := w.putOff; rest != nil {
		w.putOff = nil
		if err := w.pool.retries.add(ctx, rest, 2*w.pool.policy.RefusalDelay); err != nil {
			return err
		}
	}
	if w.heldErr != nil {
		return w.heldErr
	}
	a := w.answers
	w.pool.records.add(a.result.bytes)
	a.count, a.to = w.next, w.session.Trust().Answered
	if err := w.decide(ctx, w.held); err != nil {
		return err
	}
	if err := w.decide(ctx, a); err != nil {
		return err
	}
	if w.held.batch != nil { // no answer to this batch vouches for the one before
		if err := w.settle(ctx); err != nil {
			return err
		}
		if err := w.decide(ctx, a); err != nil {
			return err
		}
	}
	w.answers, w.held = w.held, a
	return nil
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
	if len(r.Metadata) == 0 && !w.pool.all && r.Get("x-amz-missing-meta") == nil {
		w.answers.result.outcomes.WithoutMetadata++
		return
	}
	if w.chunk == nil {
		w.chunk = w.pool.sink.NewChunk()
		w.answers.result.runs = append(w.answers.result.runs, encodedRun{index, w.chunk})
	}
	w.answers.result.bytes += recordBytes(e, r)
	w.record = NewRecord(e, r, changed)
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
	return newObjectError(w.pool.store.Bucket(), e, r, w.batch.attempts.Sent+1)
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
