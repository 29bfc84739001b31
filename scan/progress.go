package scan

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

type progress struct {
	listed, settled, failed, heads atomic.Int64
	fromListing                    atomic.Int64
	listedAll                      atomic.Bool
}

// restore adds what earlier runs have committed.
func (p *progress) restore(o *Outcomes) {
	p.listed.Store(o.Listed)
	p.settled.Store(o.Listed)
	p.failed.Store(o.Failed)
}

// Progress may be called at any time, from any goroutine.
func (s *Scan) Progress() Progress {
	return Progress{
		// What is settled is read first, so that it is never more than what is listed.
		Settled:   s.progress.settled.Load(),
		Listed:    s.progress.listed.Load(),
		ListedAll: s.progress.listedAll.Load(),
		Failed:    s.progress.failed.Load(),
		Heads:     s.progress.heads.Load(),

		FromListing: s.progress.fromListing.Load(),
	}
}
