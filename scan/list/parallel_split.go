package list

import (
	"context"
	"errors"
	"slices"
)

const (
	// splitKeysMin is the number of keys that a Range must have left to be split: each part ends in an incomplete page.
	splitKeysMin = 4 * pageKeysMax

	// underestimatePages is the number of pages from a Range that was thought to be nearly listed, after which the
	// estimate is ignored.
	underestimatePages = 4

	// failedSplitsMax is the number of failed splits in a row, at different split keys, after which no Range is split.
	failedSplitsMax = 8

	// A split costs a LIST, of which on average half the keys are dropped, or all. splitRequestsPerPager is the budget of
	// these LISTs for each Pager, and splitRequestsPerPage for each page.
	splitRequestsPerPager = 3
	splitRequestsPerPage  = 0.04

	// expectedPagers is the number of Pagers that the budget includes before they start, since the first splits need
	// the most LISTs.
	expectedPagers = 3
)

// splits is the state of all splits. ParallelLister.mu guards it.
type splits struct {
	running    int                           // splits in progress
	cancels    map[string]context.CancelFunc // cancels the split at a split key
	failed     int                           // splits in a row that failed
	requests   int                           // LISTs that were spent on splits
	impossible bool                          // the store cannot begin a listing at a key
}

// splitCandidate returns the Pager whose Range is split next, and the split key; nil where no Range can be split now.
// The keys left of a Range are shared out among the parts that its splits in progress would make. l.mu is held.
func (l *ParallelLister) splitCandidate() (candidate *activePager, splitKey string) {
	if l.splits.impossible || float64(l.splits.requests) >= l.splitBudget() {
		return nil, ""
	}
	most := 0.0
	for _, p := range l.active {
		pages := p.pageCount()
		if pages == 0 || pages == p.failedAt {
			continue
		}
		remaining := p.estimateRemaining()
		switch {
		case remaining >= splitKeysMin:
			p.lowAt = 0
		case p.lowAt == 0:
			p.lowAt = pages
			continue
		case pages-p.lowAt < underestimatePages:
			continue
		}
		if remaining /= float64(1 + len(p.splitKeys)); candidate == nil || remaining > most {
			if key := p.splitKey(p.splitKeys); key != "" {
				candidate, most, splitKey = p, remaining, key
			}
		}
	}
	return candidate, splitKey
}

// splitBudget returns the number of LISTs that splits may cost up to now. l.mu is held.
func (l *ParallelLister) splitBudget() float64 {
	pagers, pages := l.maxPagers, l.finishedPages
	if l.keysNeeded != nil {
		pagers = min(l.maxPagers, l.maxActive+expectedPagers)
	}
	for _, p := range l.active {
		pages += p.pageCount()
	}
	return float64(splitRequestsPerPager*pagers) + splitRequestsPerPage*float64(pages)
}

// beginSplit counts a split in progress. l.mu is held.
func (l *ParallelLister) beginSplit(candidate *activePager, splitKey string) {
	candidate.splitKeys = append(candidate.splitKeys, splitKey)
	l.splits.running++
	l.splits.requests++
}

// split splits the Range of candidate near splitKey, and returns the Pager of the upper part; nil where the Range was
// not split. A failed LIST is no error, since the candidate lists the keys anyway. The only error is the cause of ctx's
// end.
func (l *ParallelLister) split(ctx context.Context, candidate *activePager, splitKey string) (*Pager, error) {
	splitCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	l.splits.cancels[splitKey] = cancel
	l.mu.Unlock()
	upper, err := candidate.listUpper(splitCtx, splitKey)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.splits.cancels, splitKey)
	candidate.splitKeys = slices.DeleteFunc(candidate.splitKeys, func(key string) bool { return key == splitKey })
	l.splits.running--
	if err == nil {
		l.splits.failed = 0
		// The Range may have been split meanwhile: the part that contains splitKey now is the one to split.
		if i := slices.IndexFunc(l.active, func(p *activePager) bool { return p.contains(splitKey) }); i >= 0 {
			candidate = l.active[i]
			err = candidate.splitAt(upper)
		} else {
			err = errNotSplit
		}
	}
	if err == nil {
		l.notify()
		return l.activate(upper.pager), nil
	}
	l.splitFailed(candidate, err, splitCtx.Err() != nil)
	return nil, nil
}

// splitFailed remembers why a Range was not split. l.mu is held.
func (l *ParallelLister) splitFailed(candidate *activePager, err error, stopped bool) {
	switch {
	case errors.Is(err, errStartAfterIgnored):
		l.splits.impossible = true
	case errors.Is(err, errUpperEmpty):
	case errors.Is(err, errNotSplit):
		candidate.failedAt = candidate.pageCount()
	case !stopped:
		candidate.failedAt = candidate.pageCount()
		if l.splits.failed++; l.splits.failed == failedSplitsMax {
			l.lister.cfg.Log.Debug("LISTs from a split key keep failing: no Range is split any more", "error", err)
			l.splits.impossible = true
		}
	}
}
