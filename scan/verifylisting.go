package scan

import (
	"context"
	"errors"
	"sync"
	"time"

	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// listingCheck compares the listing of a run with another one at its end (Config.VerifyListing). Some stores leave keys
// out of a page while folders change (S3Proxy), which no single listing shows. It remembers all keys, as hashes. Its
// methods may be called concurrently, but for again. A nil listingCheck does nothing.
type listingCheck struct {
	mu    sync.Mutex
	keys  *list.KeySet // of the first listing that the second one has not had yet
	began time.Time    // when the store answered the first LIST, by its clock; zero: unknown

	result metrics.ListingCheck
}

func newListingCheck(cfg *Config) *listingCheck {
	if !cfg.VerifyListing {
		return nil
	}
	return &listingCheck{keys: list.NewKeySet()}
}

// onPage remembers the keys of a page of the first listing. A lossy key may stand for several objects.
func (c *listingCheck) onPage(p *list.Page) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range p.Entries {
		if e := &p.Entries[i]; !p.Lossy(e.Key) {
			c.keys.Add(list.ListedVersion(e))
		}
	}
}

// again lists everything for a second time. It calls onMissed with the objects that were there before the run, and that
// the first listing did not have.
func (c *listingCheck) again(
	ctx context.Context, lister *list.ParallelLister, onMissed func([]list.Entry) error,
) error {
	err := lister.ForEach(ctx, func(_ context.Context, p *list.Page) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		missed := c.missedOn(p)
		if len(missed) == 0 {
			return nil
		}
		return onMissed(missed)
	})
	c.result.Gone = int64(c.keys.Len())
	return err
}

// missedOn counts what a page of the second listing has and the first one had not. c.mu is held.
func (c *listingCheck) missedOn(p *list.Page) (missed []list.Entry) {
	for i := range p.Entries {
		e := &p.Entries[i]
		switch {
		case p.Lossy(e.Key) || c.keys.Remove(list.ListedVersion(e)):
		case c.writtenSince(e):
			c.result.New++
		default:
			c.result.Missed++
			missed = append(missed, *e)
		}
	}
	return missed
}

// writtenSince reports whether an object was written after the run began.
func (c *listingCheck) writtenSince(e *list.Entry) bool {
	written, err := time.Parse(time.RFC3339, e.LastModified)
	return err == nil && !c.began.IsZero() && written.After(c.began)
}

// errMissed is why an object failed that only the second listing has.
var errMissed = errors.New("the first listing did not have it, although it was there")

// verifyListing lists everything again. An object that the first listing should have had has no Record, and fails.
func (s *Scan) verifyListing(ctx context.Context) error {
	check := s.listingCheck
	if check == nil {
		return nil
	}
	if err := s.committer.outputs.start(); err != nil {
		return err
	}
	check.began = s.lister.FirstAnswered()
	s.cfg.Log.Info("listing again, to compare", "objects", check.keys.Len())
	lister := s.lister.Parallel(s.cfg.FirstRanges(), max(1, s.parallel.MaxActive()), nil)
	return check.again(ctx, lister, func(missed []list.Entry) error {
		failed := make([]*ObjectError, len(missed))
		for i, e := range missed {
			failed[i] = &ObjectError{
				Op: "LIST", Target: targetOf(s.cfg.Store.Bucket(), &e), Entry: e,
				Class: fault.MissedByListing, Err: errMissed,
			}
		}
		return s.committer.addFailed(failed)
	})
}

// addFailed writes objects as failed that no page had.
func (c *committer) addFailed(failed []*ObjectError) error {
	if err := c.outputs.fail(failed); err != nil {
		return err
	}
	n := int64(len(failed))
	c.outcomes.Add(metrics.Outcomes{Listed: n, Failed: n})
	c.progress.Failed.Add(n)
	return nil
}
