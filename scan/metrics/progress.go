package metrics

import "sync/atomic"

// Progress is how far a run has come, including what earlier runs committed.
type Progress struct {
	Listed    int64 // objects in the LISTs so far
	ListedAll bool  // Listed is final
	Settled   int64 // objects with an outcome, committed or not: at most Listed
	Failed    int64 // committed objects that failed

	Heads       int64 // HEADs sent by this run
	FromListing int64 // objects of this run whose metadata the LIST gave: no HEAD was sent
}

// ProgressCounters are the counters behind a Progress. They may be used concurrently. The zero value has counted
// nothing.
type ProgressCounters struct {
	Listed, Settled, Failed, Heads, FromListing atomic.Int64
	ListedAll                                   atomic.Bool
}

// Restore sets the counters to what earlier runs committed.
func (c *ProgressCounters) Restore(o *Outcomes) {
	c.Listed.Store(o.Listed)
	c.Settled.Store(o.Listed)
	c.Failed.Store(o.Failed)
}

// Progress returns the present values. It may be called at any time, from any goroutine.
func (c *ProgressCounters) Progress() Progress {
	// An object is listed before it is settled. Settled is read first, so that it never exceeds Listed.
	p := Progress{Settled: c.Settled.Load()}
	p.Listed, p.ListedAll = c.Listed.Load(), c.ListedAll.Load()
	p.Failed, p.Heads, p.FromListing = c.Failed.Load(), c.Heads.Load(), c.FromListing.Load()
	return p
}
