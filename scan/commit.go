package scan

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"headcount/scan/checkpoint"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// committer is the last stage: the one goroutine that writes. It writes finished pages as a whole, keeps account
// of the Ranges that are left, and saves Checkpoints between two pages. Its input channel is never closed; run ends
// with the run of the scan.
type committer struct {
	in       chan *page
	outputs  outputs
	inFlight inFlight
	busy     atomic.Bool // a page or a Checkpoint is being written

	// waiting are the finished pages that wait for earlier ones, by the start of their Ranges: all of them, if the output
	// is ordered; otherwise those that begin inside a key, since versions cannot be compared.
	waiting map[list.Place]*page
	ordered bool

	// What is committed, and what is left.
	pending      pendingRanges
	outcomes     metrics.Outcomes // by the earlier runs too
	said         []int64          // by this run: how many Records have each value of Config.Counted
	failedBefore int64            // objects that failed in earlier runs
	maxFailures  int64            // in this run
	progress     *metrics.ProgressCounters

	// saved says that the last Checkpoint has all that is committed, or that nothing is committed yet.
	saved           bool
	onCheckpoint    func(*checkpoint.Checkpoint) error // nil: no checkpoints
	checkpointEvery time.Duration
	stats           func(metrics.Outcomes, error) metrics.Stats // Scan.stats
	metrics         *metrics.Collector
}

// newCommitter makes the committer of a run, for at most maxPages pages in flight.
func (s *Scan) newCommitter(maxPages int) *committer {
	cfg := &s.cfg
	c := &committer{
		in: make(chan *page, maxPages), inFlight: s.inFlight, waiting: map[list.Place]*page{}, ordered: cfg.inOrder(),
		outputs: outputs{
			sink: cfg.Sink, failures: cfg.Failures, gone: cfg.Missing, listOnly: cfg.ListOnly, begin: cfg.Begin,
		},
		pending: cfg.ranges(), maxFailures: cfg.MaxFailures, progress: s.progress,
		onCheckpoint: cfg.OnCheckpoint, checkpointEvery: cfg.CheckpointEvery, saved: true,
		stats: s.stats, metrics: s.metrics,
	}
	if cfg.Resume != nil {
		c.outcomes, c.failedBefore = cfg.Resume.Stats.Outcomes, cfg.Resume.Stats.Failed
	}
	return c
}

// addResult adds what became of some objects to their page, and queues the page for its commit with its last object. It
// may be called concurrently.
func (c *committer) addResult(ctx context.Context, p *page, r *result) error {
	c.progress.Settled.Add(int64(r.settled))
	if !p.addResult(r) {
		return nil
	}
	return c.enqueue(ctx, p)
}

// enqueue queues a finished page.
func (c *committer) enqueue(ctx context.Context, p *page) error {
	select {
	case c.in <- p:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// committed returns the Outcomes of all committed pages, those of earlier runs included. It is called after run and
// end.
func (c *committer) committed() metrics.Outcomes { return c.outcomes }

// saidBy returns how many committed Records have the value of Config.Counted[i].
func (c *committer) saidBy(i int) int64 {
	if c.said == nil {
		return 0
	}
	return c.said[i]
}

// queued reports whether finished pages wait to be written.
func (c *committer) queued() bool { return len(c.in) > 0 }

// writing reports whether the committer writes, or has something to write.
func (c *committer) writing() bool { return c.busy.Load() || c.queued() }

// run commits pages until nothing is in flight.
func (c *committer) run(ctx context.Context) error {
	ticker := time.NewTicker(c.checkpointEvery)
	defer ticker.Stop()
	for {
		select {
		case p := <-c.in:
			if err := c.whileBusy(func() error { return c.handle(p) }); err != nil {
				return err
			}
		case <-ticker.C:
			if err := c.whileBusy(c.save); err != nil {
				return err
			}
		case <-c.inFlight.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// whileBusy calls write, which may wait for the output.
func (c *committer) whileBusy(write func() error) error {
	c.busy.Store(true)
	defer c.busy.Store(false)
	return write()
}

// handle commits a page, and those that have waited for it.
func (c *committer) handle(p *page) error {
	at := p.Range.Start()
	if !c.ordered && at.Version == "" {
		if err := c.commit(p); err != nil {
			return err
		}
		at = p.Range.End()
	} else {
		c.waiting[at] = p
	}
	for {
		if c.ordered && len(c.pending) > 0 {
			at = c.pending[0].Start()
		}
		next := c.waiting[at]
		if next == nil || !c.pending.startAt(at) {
			return nil
		}
		delete(c.waiting, at)
		if err := c.commit(next); err != nil {
			return err
		}
		at = next.Range.End()
	}
}

func (c *committer) commit(p *page) error {
	if err := c.write(p); err != nil {
		return err
	}
	c.inFlight.remove()
	p.release()
	return c.checkErrorBudget()
}

// write writes one page and then counts it.
func (c *committer) write(p *page) error {
	c.saved = false
	if err := c.outputs.write(p); err != nil {
		return err
	}
	c.outcomes.Add(p.outcomes)
	c.said = addCounts(c.said, p.said)
	c.progress.Failed.Add(p.outcomes.Failed)
	if p.Unplaced {
		return nil
	}
	return c.pending.remove(p.Range)
}

// checkErrorBudget returns a FailuresError when too many objects of this run have failed, and more are to come.
func (c *committer) checkErrorBudget() error {
	failed := c.outcomes.Failed - c.failedBefore
	if c.maxFailures == 0 || failed < c.maxFailures {
		return nil
	}
	select {
	case <-c.inFlight.Done():
		return nil
	default:
		return &FailuresError{failed}
	}
}

// save makes a Checkpoint, unless the last one is still true, or the Sink has no group of Records for it yet. After a
// partial page write it does nothing: resuming from there would duplicate that page's records.
func (c *committer) save() error {
	if c.onCheckpoint == nil || c.saved || c.outputs.partial {
		return nil
	}
	if grouping, ok := c.outputs.sink.(GroupingSink); ok && !grouping.SyncDue() {
		return nil
	}
	positions, err := c.outputs.sync()
	if err != nil {
		return err
	}
	return c.saveAt(positions, nil)
}

// saveAt hands a Checkpoint with these Positions to onCheckpoint. err is that of a run that has ended.
func (c *committer) saveAt(positions map[string]checkpoint.Position, err error) error {
	latencies, encodeErr := c.metrics.EncodeLatencies()
	if encodeErr != nil {
		return fmt.Errorf("encode the latencies for a checkpoint: %w", encodeErr)
	}
	current := &checkpoint.Checkpoint{
		Positions: positions, Rest: slices.Clone(c.pending), Stats: c.stats(c.outcomes, err), Latencies: latencies,
	}
	current.Stats.Complete = len(c.pending) == 0
	if err := c.onCheckpoint(current); err != nil {
		return &OutputError{What: "checkpoint", Err: err}
	}
	c.saved = true
	return nil
}

// end closes the sinks of a run whose stages returned err, saves the last Checkpoint, and returns the run's first
// error. It saves only what was closed without an error. Otherwise the Checkpoint before it stays, which does not call
// the run complete. Nothing changes if the run failed before it began.
func (c *committer) end(err error) error {
	if err == nil && len(c.pending) > 0 {
		err = fmt.Errorf("internal error: keys %v were never listed", c.pending[0])
	}
	if err == nil {
		err = c.outputs.start() // there was no page to write
	}
	var (
		saves     = c.onCheckpoint != nil && c.outputs.begun && !c.outputs.partial
		positions map[string]checkpoint.Position
		endErr    error
	)
	if saves {
		positions, endErr = c.outputs.sync()
	}
	if closeErr := c.outputs.close(err == nil && endErr == nil); endErr == nil {
		endErr = closeErr
	}
	if saves && endErr == nil {
		endErr = c.saveAt(positions, err)
	}
	if err != nil {
		return err
	}
	return endErr
}
