package seed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Config says where, and how fast. Store must be set.
type Config struct {
	Store    *store.Store
	Prefix   string        // below which the Folder is
	ListV1   bool          // list by ListObjects instead of ListObjectsV2
	Workers  int           // requests in flight; 0: 64
	Rate     float64       // requests per second, LISTs included, that are not exceeded; 0: as many as the store bears
	Timeout  time.Duration // of each request, answer included; 0: 30 s
	RetryFor time.Duration // how long a store in trouble is waited for; 0: 15 min
	Log      *slog.Logger  // nil: silent

	// OnFailed is told of every object that failed, one call at a time. nil: they are only counted.
	OnFailed func(*scan.ObjectError)
}

const (
	// WorkersDefault are as many as a store that answers in 5 ms needs for 10,000 requests a second.
	WorkersDefault = 64

	timeoutDefault  = 30 * time.Second
	retryForDefault = 15 * time.Minute

	// attemptsMax is how often a request meets passing trouble, while the store is well, before its object has failed.
	attemptsMax = 10

	// refusalsMax is how often an object is refused before that is believed: the first time it may have been the credentials of
	// a moment, or a store that was coming up.
	refusalsMax = 2

	// refusedAtStart is how many refusals, with nothing done before, show that all will be refused: more than one at a time has each of
	// a few workers, and a second's worth of the rest.
	refusedAtStart = 32

	// refusedInARow is how many refusals of PUTs, with nothing put in between, show that all the others will be refused too, as where the
	// store is full: some for each of many workers, and far more than a policy for some of the keys makes, which are mixed with the others.
	// It is not so for DELETEs: what is retained is listed together, and others come after it.
	refusedInARow = 300

	// listers list where nothing else is done: some ten thousand keys a second at 100 ms a page.
	listers = 8
)

// run is what a Seed and a Clean have in common. Its methods may be called concurrently.
type run struct {
	cfg      Config
	folder   string
	limiter  *pace.Limiter
	lister   *list.Lister
	counters *counters
	delay    func(try int) time.Duration // before a request is sent again

	failedMu sync.Mutex // of what failed
}

func newRun(cfg Config) *run {
	if cfg.Workers <= 0 {
		cfg.Workers = WorkersDefault
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = timeoutDefault
	}
	if cfg.RetryFor <= 0 {
		cfg.RetryFor = retryForDefault
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.OnFailed == nil {
		cfg.OnFailed = func(*scan.ObjectError) {}
	}
	r := &run{cfg: cfg, folder: Folder(cfg.Prefix), limiter: pace.NewLimiter(cfg.Rate), counters: newCounters(), delay: fault.Backoff}
	r.lister = list.New(list.Config{
		Store: cfg.Store, Limiter: r.limiter, Prefix: r.folder, V1: cfg.ListV1, Timeout: cfg.Timeout, RetryFor: cfg.RetryFor,
		Log: cfg.Log, OnAttempt: r.counters.listSent,
	})
	return r
}

// Folder is the URI of what the run may write to.
func (r *run) Folder() string { return r.target(r.folder) }

func (r *run) target(key string) string { return "s3://" + r.cfg.Store.Bucket() + "/" + key }

// forEachPage calls each with every Page of the Folder, by so many listers at once, and in no order.
func (r *run) forEachPage(ctx context.Context, listers int, each func(context.Context, *list.Page) error) error {
	return r.lister.Parallel([]list.Range{{}}, listers, nil).ForEach(ctx, each)
}

// sendUntilFinal sends a request for an object until its reply is one that asking again would not change. send sends it once, when
// the gate lets it. Its error, and one of persist, ends the run (but see errSettled).
//
// The worker waits with it, unlike a scan's: what has to be sent again is little beside what is put, since the gate holds back what
// the store would refuse, and so no list of what waits has to be bounded.
func (r *run) sendUntilFinal(ctx context.Context, op, key string, send func(ctx context.Context, try int) (reply, error)) (reply, error) {
	var (
		isDoomed bool // one more failure is the object's own
		refused  int
	)
	for try := 1; ; try++ {
		a, err := send(ctx, try)
		if ctx.Err() != nil {
			return a, context.Cause(ctx)
		}
		if err != nil {
			return a, err
		}
		a.attempts = try
		r.counters.sent(op, &a)
		var again bool
		if a.transient() {
			if fault.ThrottledStatus(a.status) || a.retryAfter > 0 || a.err != nil && fault.ClassOf(a.err).Unreached() {
				r.limiter.ObserveRefusal(a.sent, a.retryAfter)
			}
			again = !isDoomed
			isDoomed, err = r.afterTrouble(ctx, op, key, &a)
		} else {
			r.limiter.ObserveAnswers(1)
			if a.ok() || a.gone() && op != opPut {
				r.counters.of(op).succeeded()
				return a, nil
			}
			refused++
			again, err = r.afterRefusal(ctx, op, key, &a, refused)
		}
		if err != nil || !again {
			return a, err
		}
		r.counters.resent(op, &a)
		r.cfg.Log.Debug(op+" is sent again", "key", key, "result", a.outcome(), "tries", try)
		if err := fault.Sleep(ctx, max(r.delay(try), a.retryAfter)); err != nil {
			return a, err
		}
	}
}

// afterTrouble says whether one more failure of a request is its object's own: it has failed often, and the store is well. Otherwise it is the
// store's, which is waited for.
func (r *run) afterTrouble(ctx context.Context, op, key string, a *reply) (isDoomed bool, err error) {
	health := r.counters.of(op).health
	health.Failed(a.asError(op, r.target(key)))
	if err := health.Check(r.cfg.RetryFor); err != nil {
		return false, err
	}
	if a.attempts%attemptsMax != attemptsMax-1 {
		return false, nil
	}
	return r.canary(ctx)
}

// afterRefusal says whether to send a request again that was refused so often.
func (r *run) afterRefusal(ctx context.Context, op, key string, a *reply, refused int) (again bool, err error) {
	if r.counters.of(op).refusedAll() {
		return false, a.asError(op, r.target(key))
	}
	isWell, err := r.canary(ctx)
	if err != nil {
		return false, err
	}
	if !isWell {
		return a.attempts < attemptsMax, nil
	}
	return refused < refusalsMax, nil
}

// canary asks by a LIST whether the store is well. An error is final: it does not take these credentials, or has no such bucket.
func (r *run) canary(ctx context.Context) (isWell bool, err error) {
	err = r.lister.Probe(ctx)
	var refused *list.StoreError
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case errors.As(err, &refused) && refused.Code == "RequestTimeTooSkewed":
		return false, nil // the answer's Date has told what time it is
	case errors.As(err, &refused) && refused.Code == "ExpiredToken" && r.cfg.Store.RefreshCredentials(ctx):
		r.cfg.Log.Info("the credentials have expired and are renewed")
		return false, nil
	case list.IsFinal(err):
		return false, err
	}
	return false, nil
}

// addFailed gives an object up.
func (r *run) addFailed(count *atomic.Int64, e *scan.ObjectError) {
	r.failedMu.Lock()
	defer r.failedMu.Unlock()
	count.Add(1)
	r.cfg.OnFailed(e)
}
