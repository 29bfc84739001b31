package scan

import (
	"log/slog"
	"math"
	"sync/atomic"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/answer"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// storeAccess is the way of HEADs to the store, and where they are counted. The workerPool and the verifier share it.
// All of it may be used concurrently.
type storeAccess struct {
	store    *store.Store
	engine   head.Engine
	limiter  *pace.Limiter
	policy   fault.Policy  // of HEADs
	health   *fault.Health // of HEADs
	metrics  *metrics.Collector
	progress *metrics.ProgressCounters
	log      *slog.Logger
}

func newStoreAccess(cfg *Config) storeAccess {
	policy := fault.ObjectPolicy(cfg.MaxAttempts)
	policy.VerifiesFirst = cfg.Keys != nil
	policy.MaxRetryAfter = min(policy.MaxRetryAfter, cfg.RetryFor/2)
	return storeAccess{
		store: cfg.Store, limiter: pace.NewLimiter(cfg.Rate), policy: policy, health: fault.NewHealth("HEAD"),
		metrics: metrics.NewCollector(), progress: new(metrics.ProgressCounters), log: cfg.Log,
	}
}

// findings are what the answers of a run show about its store. The workerPool and the verifier share them. All of them
// may be used concurrently.
type findings struct {
	differences  *answer.Differences
	names        list.Names
	refusedStart refusedStart
	retryAfters  retryAfters
	sample       atomic.Pointer[list.Entry] // an object that was found (sampler)
	listMetadata *listMetadata              // nil: every object gets a HEAD
}

func newFindings(cfg *Config, access *storeAccess) *findings {
	unsettled := func() int64 {
		p := access.progress.Progress()
		if !p.ListedAll {
			return math.MaxInt64
		}
		return p.Listed - p.Settled
	}
	f := &findings{
		differences: answer.NewDifferences(unsettled, cfg.Log), retryAfters: retryAfters{health: access.health},
	}
	start := &f.refusedStart
	start.sample, start.listed = &f.sample, &access.progress.Listed
	if before := cfg.Resume; before != nil {
		start.listedBefore = before.Stats.Listed
		start.ignored.Store(before.Stats.Emitted+before.Stats.WithoutMetadata > 0)
	}
	if cfg.Keys != nil {
		start.ignored.Store(true) // they may be the objects that an earlier run was refused
	}
	return f
}
