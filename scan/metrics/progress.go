package metrics

import "sync/atomic"

// Progress is how far a run is, while it runs, with what the runs before it have committed.
type Progress struct {
	Listed    int64 // objects that the LISTs have returned so far
	ListedAll bool  // there will be no more of them
	Settled   int64 // objects whose Outcome is known, committed or not
	Failed    int64 // objects that failed, committed
	Heads     int64 // HEADs sent by this run

	FromListing int64 // objects for which this run sent none: the LIST gave their metadata
}

// ProgressCounters counts what makes a Progress. They may be used concurrently.
type ProgressCounters struct {
	Listed, Settled, Failed, Heads atomic.Int64
	FromListing                    atomic.Int64
	ListedAll                      atomic.Bool
}

// Restore adds what earlier runs have committed.
func (p *ProgressCounters) Restore(o *Outcomes) {
	p.Listed.Store(o.Listed)
	p.Settled.Store(o.Listed)
	p.Failed.Store(o.Failed)
}

// Progress returns what the counters say now.
func (p *ProgressCounters) Progress() Progress {
	return Progress{
		// What is settled is read first, so that it is never more than what is listed.
		Settled:   p.Settled.Load(),
		Listed:    p.Listed.Load(),
		ListedAll: p.ListedAll.Load(),
		Failed:    p.Failed.Load(),
		Heads:     p.Heads.Load(),

		FromListing: p.FromListing.Load(),
	}
}
