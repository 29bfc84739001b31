package seed

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Config says where to write, and how fast. Store must be set.
type Config struct {
	Store    *store.Store
	Prefix   string        // of the Folder
	ListV1   bool          // list by ListObjects instead of ListObjectsV2
	Workers  int           // requests in flight; 0: 64
	Rate     float64       // the most requests per second, LISTs included; 0: no limit
	Timeout  time.Duration // of each request with its answer; 0: 30 s
	RetryFor time.Duration // end the run after this time without a success; 0: 15 min
	Log      *slog.Logger  // nil: silent

	// OnFailed is called with every object that failed, one call at a time. It may be nil.
	OnFailed func(*scan.ObjectError)
}

const (
	// WorkersDefault is enough for 10,000 requests a second to a store that answers in 5 ms.
	WorkersDefault = 64

	timeoutDefault  = 30 * time.Second
	retryForDefault = 15 * time.Minute

	// refusedAtStart is the number of refusals, before any success, after which all requests count as refused: several
	// for each of a few workers, or those of about a second of many workers.
	refusedAtStart = 32

	// refusedInARow is the number of PUTs refused in a row after which all count as refused, as by a full store. It is
	// some for each of many workers. It is far more than a policy about some of the keys causes in a row, since those
	// are mixed with others. It does not hold for DELETEs: retained objects are listed together, and others come after
	// them.
	refusedInARow = 300

	// listers is the number of listers while nothing else is done: some ten thousand keys a second at 100 ms a page.
	listers = 8
)

// run is the common part of Seed and Clean. Its methods may be called concurrently.
type run struct {
	cfg      Config
	folder   string
	limiter  *pace.Limiter
	lister   *list.Lister
	counters *counters
	policy   fault.Policy
	canary   *fault.Canary

	failedMu sync.Mutex // serializes OnFailed and the callback about foreign objects
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
	r := &run{
		cfg: cfg, folder: Folder(cfg.Prefix), limiter: pace.NewLimiter(cfg.Rate), counters: newCounters(),
		policy: fault.ObjectPolicy(fault.MaxAttemptsDefault),
	}
	r.lister = list.New(list.Config{
		Store: cfg.Store, Limiter: r.limiter, Prefix: r.folder, V1: cfg.ListV1, MayChangeOrder: true,
		Timeout: cfg.Timeout, RetryFor: cfg.RetryFor, Log: cfg.Log, OnAttempt: r.counters.listSent,
	})
	r.canary = fault.NewCanary(r.lister.Probe, cfg.Store.RefreshCredentials, cfg.RetryFor, cfg.Log)
	return r
}

// Folder returns the URI of the folder that the run may write to.
func (r *run) Folder() string { return r.target(r.folder) }

func (r *run) target(key string) string { return "s3://" + r.cfg.Store.Bucket() + "/" + key }

// forEachPage calls each with every Page of the Folder, from so many listers at once, in no particular order.
func (r *run) forEachPage(ctx context.Context, listers int, each func(context.Context, *list.Page) error) error {
	return r.lister.Parallel([]list.Range{{}}, listers, nil).ForEach(ctx, each)
}

// sendUntilFinal sends a request for an object until its reply is final by the policy. send sends it once, when the
// limiter lets it. An error, be it of send or of sendUntilFinal, ends the run (but see errOutcomeKnown).
//
// The worker waits with the request, unlike a scan's: retries are few beside the objects, since the limiter holds back
// requests that the store would refuse, and so no queue of retries has to be bounded.
func (r *run) sendUntilFinal(
	ctx context.Context, op, key string, send func(ctx context.Context, try int) (reply, error),
) (reply, error) {
	var attempts fault.Attempts
	for {
		attempts.Sent++
		a, err := send(ctx, attempts.Sent)
		if ctx.Err() != nil {
			return a, context.Cause(ctx)
		}
		if err != nil {
			return a, err
		}
		a.attempts = attempts.Sent
		r.counters.sent(op, &a)
		if a.ok() || a.gone() && op != opPut {
			r.limiter.ObserveAnswers(1)
			r.counters.of(op).succeeded()
			return a, nil
		}
		next, err := r.afterFailure(ctx, op, &a, a.asError(op, r.target(key)), &attempts)
		if err != nil || next.Action == fault.GiveUp {
			return a, err
		}
		r.counters.resent(op, &a)
		r.cfg.Log.Debug(op+" is sent again", "key", key, "result", a.outcome(), "tries", a.attempts)
		if err := fault.Sleep(ctx, next.Delay); err != nil {
			return a, err
		}
	}
}

// afterFailure decides about a request that failed: fault.Retry or fault.GiveUp. An error ends the run.
func (r *run) afterFailure(
	ctx context.Context, op string, a *reply, failed error, attempts *fault.Attempts,
) (fault.Decision, error) {
	failure, counts := a.failure(), r.counters.of(op)
	isLasting := a.status == http.StatusInsufficientStorage || fault.UnsupportedStatus(a.status)
	switch {
	case op == opPut && isLasting, failure.Class == fault.WrongDocument:
		// A full store, one that is read only, or a proxy's page. If every request is answered so, the run ends soon.
		counts.health.Failed(failed)
		if counts.refusedAll() {
			return fault.Decision{}, failed
		}
	case failure.Transient():
		if failure.SlowDown() {
			r.limiter.ObserveRefusal(a.sent, a.retryAfter)
		}
		counts.health.Failed(failed)
		if err := counts.health.Check(r.cfg.RetryFor); err != nil {
			return fault.Decision{}, err
		}
	case a.err == nil:
		r.limiter.ObserveAnswers(1)
		if counts.refusedAll() {
			return fault.Decision{}, failed
		}
	}
	next := r.policy.Next(attempts, failure, counts.health)
	if next.Action != fault.Verify {
		return next, nil
	}
	if err := r.canary.Check(ctx, counts.health, failed); err != nil {
		return fault.Decision{}, err
	}
	// No other object can be put or deleted to test the store, so the canary must suffice.
	return r.policy.Verified(attempts, failure, fault.Verification{RequestsSucceed: true}), nil
}

// addFailed counts an object as failed.
func (r *run) addFailed(count *atomic.Int64, e *scan.ObjectError) {
	r.failedMu.Lock()
	defer r.failedMu.Unlock()
	count.Add(1)
	r.cfg.OnFailed(e)
}
