package scan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"headcount/scan/checkpoint"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// committer is the one goroutine that writes: finished pages, one after the other, and where the run stands.
type committer struct {
	scan         *Scan
	pending      pendingRanges // the Ranges that are not committed
	outcomes     metrics.Outcomes
	failedBefore int64            // objects that had failed before this run
	saved        bool             // what is committed has been told to Keep
	outOfOrder   map[string]*page // with Ordered: those that wait for others, by where they begin
	partialWrite bool             // a page is written, perhaps in part, and not counted
}

func newCommitter(s *Scan) *committer {
	c := &committer{scan: s, pending: pendingRanges{s.cfg.Range}, outOfOrder: map[string]*page{}}
	if from := s.cfg.Resume; from != nil {
		c.pending, c.outcomes, c.failedBefore = slices.Clone(from.Rest), from.Stats.Outcomes, from.Stats.Failed
	}
	return c
}

func (c *committer) run(ctx context.Context) error {
	s := c.scan
	ticker := time.NewTicker(s.cfg.CheckpointEvery)
	defer ticker.Stop()
	if err := c.save(); err != nil { // from now on there is something to go on from
		return err
	}
	for {
		select {
		case p := <-s.finished:
			if err := c.take(p); err != nil {
				return err
			}
		case <-ticker.C:
			if err := c.save(); err != nil {
				return err
			}
		case <-s.inFlight.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// take commits a page, or with Ordered holds it back until all before it are committed.
func (c *committer) take(p *page) error {
	if !c.scan.cfg.Ordered {
		return c.commit(p)
	}
	c.outOfOrder[p.Range.After] = p
	for len(c.pending) > 0 {
		next := c.outOfOrder[c.pending[0].After]
		if next == nil {
			return nil
		}
		delete(c.outOfOrder, next.Range.After)
		if err := c.commit(next); err != nil {
			return err
		}
	}
	return nil
}

func (c *committer) commit(p *page) error {
	if err := c.write(p); err != nil {
		return err
	}
	c.scan.inFlight.done()
	<-p.slot
	return c.checkErrorBudget()
}

// write writes one page and then counts it.
func (c *committer) write(p *page) error {
	s := c.scan
	c.saved, c.partialWrite = false, true
	if len(p.Entries) > 0 { // otherwise the page only says that a Range has no more keys
		if err := s.cfg.Sink.Commit(p.Page, p.chunks()); err != nil {
			return &OutputError{err}
		}
	}
	for _, failure := range p.failures {
		if err := s.cfg.Failures.Add(failure); err != nil {
			return &OutputError{err}
		}
	}
	if s.cfg.ListOnly != nil && len(p.Entries) > 0 {
		s.cfg.ListOnly(p.Page)
	}
	c.partialWrite = false
	c.outcomes.Add(p.outcomes)
	s.progress.Failed.Add(p.outcomes.Failed)
	if s.cfg.Store.Unordered() {
		return nil // its Ranges mean nothing
	}
	return c.pending.remove(p.Range)
}

// checkErrorBudget says whether the run goes on in spite of what has failed in it.
func (c *committer) checkErrorBudget() error {
	s := c.scan
	failed := c.outcomes.Failed - c.failedBefore
	if s.cfg.MaxFailures == 0 || failed < s.cfg.MaxFailures {
		return nil
	}
	select {
	case <-s.inFlight.drained: // that was all
		return nil
	default:
		return &FailuresError{failed}
	}
}

// save makes a Checkpoint, unless the last one is still true. It does nothing after a partial page write: resuming from
// there would duplicate that page's records.
func (c *committer) save() error {
	if c.scan.cfg.OnCheckpoint == nil || c.saved || c.partialWrite {
		return nil
	}
	positions, err := c.sync()
	if err != nil {
		return err
	}
	return c.saveAt(positions, nil)
}

// sync returns the Positions of the sinks, those that have one, when all that is committed is on disk.
func (c *committer) sync() (map[string]checkpoint.Position, error) {
	output, err := c.scan.cfg.Sink.Sync()
	if err != nil {
		return nil, &OutputError{err}
	}
	failures, err := c.scan.cfg.Failures.Sync()
	if err != nil {
		return nil, &OutputError{err}
	}
	positions := map[string]checkpoint.Position{checkpoint.PositionOutput: output, checkpoint.PositionErrors: failures}
	maps.DeleteFunc(positions, func(_ string, at checkpoint.Position) bool { return at == checkpoint.Position{} })
	return positions, nil
}

// saveAt hands a Checkpoint with these Positions to OnCheckpoint. A run that has ended has ended with err.
func (c *committer) saveAt(positions map[string]checkpoint.Position, err error) error {
	s := c.scan
	latencies, encodeErr := s.metrics.EncodeLatencies()
	if encodeErr != nil {
		return fmt.Errorf("keep the latencies: %w", encodeErr)
	}
	current := &checkpoint.Checkpoint{
		Positions: positions, Rest: slices.Clone([]list.Range(c.pending)), Stats: s.account(c.outcomes, err), Latencies: latencies,
	}
	current.Stats.Complete = len(c.pending) == 0
	if err := s.cfg.OnCheckpoint(current); err != nil {
		return &OutputError{err}
	}
	c.saved = true
	return nil
}

// end closes the sinks of a run that has ended with err, saves its last Checkpoint, and returns the run's first error. It saves
// only what was closed without an error: otherwise the Checkpoint before stays, which does not call the run complete.
func (c *committer) end(err error) error {
	if err == nil && len(c.pending) > 0 && !c.scan.cfg.Store.Unordered() {
		err = fmt.Errorf("the keys %v were never listed", c.pending[0])
	}
	saves := c.scan.cfg.OnCheckpoint != nil && !c.partialWrite
	var positions map[string]checkpoint.Position
	var endErr error
	if saves {
		positions, endErr = c.sync()
	}
	if closeErr := c.close(); endErr == nil {
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

// close closes both sinks and returns the first error.
func (c *committer) close() error {
	err := c.scan.cfg.Sink.Close()
	if failuresErr := c.scan.cfg.Failures.Close(); err == nil {
		err = failuresErr
	}
	if err != nil {
		return &OutputError{err}
	}
	return nil
}
