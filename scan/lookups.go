package scan

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/lookup"
)

// lookupsAuto is how many further requests are in flight where the user gives no number of workers. At 20 ms each they
// are 12,800 a second: about what two cores send by the SDK, which takes 0.15 ms for each.
const lookupsAuto = 256

// lookups is the stage between the workers and the committer that sends further requests for objects that were found
// (Config.Lookups). A worker holds back the Records of a batch, from the first that needs a request on (hold), and
// submits them when their answers are final. A bounded number of goroutines sends the requests. When the last object of
// the batch has what it needs, all its Records are encoded in the order of their keys.
//
// An object that a request does not find gets another HEAD, which decides whether it is gone. One that waits for its
// next attempt occupies no goroutine.
//
// A nil *lookups runs, and does nothing. The input channel is never closed; run ends with the run of the scan.
type lookups struct {
	kinds    []*lookupKind
	sender   *lookup.Sender
	access   storeAccess  // but for the policy and the health, which are those of HEADs
	policy   fault.Policy // of answers that name the reason of a refusal
	canary   *fault.Canary
	encoder  *encoder
	start    *refusedStart
	retryFor time.Duration

	in        chan *lookupTask
	size      int // requests in flight
	retries   *retryQueue[*lookupTask]
	heads     *retryQueue[*batch]
	records   *recordLimit
	committer *committer
	inFlight  inFlight
}

// lookupKind is a kind of further request, and how the store answers it.
type lookupKind struct {
	lookup.Kind
	health      *fault.Health
	retryAfters retryAfters
	sample      atomic.Pointer[list.Entry] // of an object whose request was answered
	denied      atomic.Int64               // objects whose request was refused, while none was answered
}

// lookupRun is the objects of one batch whose Records wait for further requests, in the order of their keys.
type lookupRun struct {
	page    *page
	objects []*lookupTask
	waiting atomic.Int64 // objects that have not all yet
}

// lookupTask is an object of a lookupRun.
type lookupTask struct {
	run     *lookupRun
	index   int      // into page.heads
	record  *Record  // shares no memory with the answer to the HEAD
	before  attempts // of its HEADs
	further Further

	kinds    []*lookupKind // requests that are left, the present one first
	attempts fault.Attempts
	token    string // of the present page

	failed *ObjectError // nil: it has its Record
	lost   bool         // it gets another HEAD
}

// maxLookups returns how many further requests are in flight at most, in a process that may open so many files (0: any
// number).
func (c *Config) maxLookups(files int) int {
	n := c.Workers
	switch {
	case len(c.Lookups) == 0 || c.NoHeads || c.ListOnly != nil:
		return 0
	case n == WorkersAuto:
		n = lookupsAuto
	}
	if files > 0 {
		n = min(n, max(1, files/4))
	}
	return n
}

// newLookups makes the stage, for so many requests in flight; nil: no further requests are sent.
func (s *Scan) newLookups(size int, records *recordLimit) *lookups {
	if size == 0 {
		return nil
	}
	cfg := &s.cfg
	probe := func(ctx context.Context) error { // a HEAD was answered: this needs no right to list
		if err := s.lister.Probe(ctx); !list.IsListDenied(err) {
			return err
		}
		return nil
	}
	l := &lookups{
		sender: &lookup.Sender{Store: cfg.Store, Timeout: cfg.Timeout}, access: s.storeAccess,
		policy: fault.ObjectPolicy(cfg.MaxAttempts),
		canary: fault.NewCanary(probe, cfg.Store.RefreshCredentials, cfg.RetryFor, cfg.Log), encoder: s.encoder,
		start: &s.findings.refusedStart, retryFor: cfg.RetryFor, in: make(chan *lookupTask, size), size: size,
		retries: newRetryQueue[*lookupTask](s.inFlight), heads: s.retries, records: records, committer: s.committer,
		inFlight: s.inFlight,
	}
	l.policy.Verifies, l.policy.MaxRenewals = false, maxLookupRenewals
	l.policy.MaxRetryAfter = min(l.policy.MaxRetryAfter, cfg.RetryFor/2)
	for _, kind := range cfg.Lookups {
		health := fault.NewHealth(kind.Operation())
		l.kinds = append(l.kinds, &lookupKind{Kind: kind, health: health, retryAfters: retryAfters{health: health}})
	}
	return l
}

// maxLookupRenewals is how many answers in a row may name expired credentials before the object fails.
const maxLookupRenewals = 5

// hold holds back the Record of s, with the index of its object in page.heads, if its object needs a further request or
// an earlier one of the batch does. Only the worker of s calls it.
func (l *lookups) hold(s *sentBatch, index int) bool {
	further, kinds := l.needs(&s.record)
	if len(kinds) == 0 && s.lookups == nil {
		if further != nil {
			s.record.SetFurther(further)
		}
		return false
	}
	if s.lookups == nil {
		s.lookups = &lookupRun{page: s.batch.page}
	}
	t := &lookupTask{run: s.lookups, index: index, record: s.record.Clone(), before: s.batch.attempts, kinds: kinds}
	t.before.Sent++
	if further != nil {
		t.further = *further
		t.record.SetFurther(&t.further)
	}
	s.lookups.objects = append(s.lookups.objects, t)
	return true
}

// submit hands over the objects of a batch, whose answers are final.
func (l *lookups) submit(ctx context.Context, run *lookupRun) error {
	var waiting []*lookupTask
	for _, t := range run.objects {
		if len(t.kinds) > 0 {
			waiting = append(waiting, t)
		}
	}
	run.waiting.Store(int64(len(waiting)))
	for _, t := range waiting {
		select {
		case l.in <- t:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// run sends requests until nothing is in flight.
func (l *lookups) run(ctx context.Context) error {
	if l == nil {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.retries.run(ctx) })
	for _, kind := range l.kinds {
		g.Go(func() error { return kind.health.Watch(ctx, l.retryFor, l.inFlight.Done()) })
	}
	for range l.size {
		g.Go(func() error { return l.work(ctx) })
	}
	return g.Wait()
}

func (l *lookups) work(ctx context.Context) error {
	for {
		var t *lookupTask
		select {
		case t = <-l.retries.due:
		case t = <-l.in:
		case <-l.inFlight.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := l.handle(ctx, t); err != nil {
			return err
		}
	}
}

// handle sends the requests that an object needs, until it has all, or waits for its next attempt, or has failed.
func (l *lookups) handle(ctx context.Context, t *lookupTask) error {
	for len(t.kinds) > 0 {
		waits, err := l.send(ctx, t)
		if waits || err != nil {
			return err
		}
	}
	if t.run.waiting.Add(-1) > 0 {
		return nil
	}
	return l.encode(ctx, t.run)
}

// send sends the present request of an object once. It reports whether the object waits for the next attempt.
func (l *lookups) send(ctx context.Context, t *lookupTask) (waits bool, err error) {
	kind := t.kinds[0]
	if _, err := l.access.limiter.Wait(ctx, 1); err != nil {
		return false, err
	}
	sent := time.Now()
	answer, err := l.sender.Send(ctx, kind.Kind, t.record.entry, t.token)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	t.attempts.Sent++
	if err != nil {
		return l.decideFailure(ctx, t, sent, err)
	}
	l.access.limiter.ObserveAnswers(1)
	l.count(kind, nil, false)
	kind.health.OK(time.Now())
	if kind.sample.Load() == nil {
		kind.sample.Store(t.record.entry)
	}
	t.add(answer)
	return false, nil
}

// encode gives the objects of a run their Outcomes.
func (l *lookups) encode(ctx context.Context, run *lookupRun) error {
	r := new(result)
	next := -1 // the index of the object that adjoins the last one
	for _, t := range run.objects {
		switch {
		case t.lost:
			continue
		case t.failed != nil:
			r.fail(t.failed)
			continue
		}
		if t.index != next {
			r.chunk = nil
		}
		next = t.index + 1
		l.encoder.encode(r, t.index, t.record)
	}
	l.records.add(r.bytes)
	return l.committer.addResult(ctx, run.page, r)
}
