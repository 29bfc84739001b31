package list

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// pollEvery is how often a lister without a Range looks whether it is needed: little beside what a LIST takes, at stores where it matters.
	pollEvery = 10 * time.Millisecond

	// starvedPollsMin is how many looks in a row find that more keys are needed before another lister begins.
	starvedPollsMin = 2

	// splitKeysMin is how many keys a Range has left at least to be split: the halves end in a part of a page each.
	splitKeysMin = 4 * pageKeysMax

	// underestimatePages is how many pages come of a Range that was thought to be nearly done, before it is not believed.
	underestimatePages = 4

	// failedProbesMax in a row, of different guesses, are no accident.
	failedProbesMax = 8

	// What splitting may cost: a LIST for each split, half of which brings keys that are dropped, or none. So many for each lister, and a share of
	// the pages.
	splitRequestsPerPager = 3
	splitRequestsPerPage  = 0.04

	// expectedPagers are those who are not there yet and may come: the first splits are the hardest to find.
	expectedPagers = 3
)

// ParallelLister lists Ranges by several Pagers at once. Who has nothing to list splits the Range of which most is left. All methods may be called
// concurrently.
type ParallelLister struct {
	lister     *Lister
	maxPagers  int
	keysNeeded func() bool // nil: always
	alphabet   *alphabet

	mu            sync.Mutex
	queue         []Range                       // nobody's yet
	active        []*activePager                // that list
	maxActive     int                           // the most of them at once
	splitting     int                           // Ranges that are being split
	probes        map[string]context.CancelFunc // that are under way, by their guess
	failedProbes  int                           // of them in a row
	splitRequests int                           // LISTs that were spent on splitting
	finishedPages int                           // of those that are done
	unsplittable  bool                          // the store cannot list from a key on
	starvedPolls  int                           // how often in a row more keys were needed
	polling       bool                          // one of those who wait looks now and again, for all of them
	changed       chan struct{}                 // closed when there may be something to do
}

// activePager is a Pager, and what is known of splitting it.
type activePager struct {
	*Pager
	probing  []string // guesses that are being probed
	failedAt int      // how many pages it had when splitting it was in vain; 0: it was not
	lowAt    int      // how many it had when little seemed to be left of it; 0: much seems to
}

// Parallel makes a Listing of at most so many Pagers for Ranges, which are in the order of keys and do not overlap. needed says whether more keys are needed than
// come: only then another Pager begins, or a Range is split; nil: always.
func (l *Lister) Parallel(ranges []Range, most int, needed func() bool) *ParallelLister {
	return &ParallelLister{
		lister: l, maxPagers: most, keysNeeded: needed, alphabet: new(alphabet), queue: slices.Clone(ranges), changed: make(chan struct{}),
		probes:       map[string]context.CancelFunc{},
		unsplittable: l.cfg.Store.Unordered(),
	}
}

// Max is how many Pagers there are at most.
func (l *ParallelLister) Max() int { return l.maxPagers }

// MaxActive is how many Pagers have listed at once.
func (l *ParallelLister) MaxActive() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.maxActive
}

// NextPager returns a Pager for a Range that nobody lists, when there is one and it is needed; nil, when all are listed. Whoever has it calls Done when it has no more
// Pages. The error is that of a LIST, or the cause of ctx's end.
func (l *ParallelLister) NextPager(ctx context.Context) (*Pager, error) {
	for {
		pager, victim, guess, over := l.nextAction()
		switch {
		case over:
			return nil, nil
		case victim != nil:
			var err error
			if pager, err = l.split(ctx, victim, guess); err != nil {
				return nil, err
			}
		case pager == nil:
			if err := l.waitForChange(ctx); err != nil {
				return nil, err
			}
		}
		if pager != nil {
			return pager, nil
		}
	}
}

// ForEach lists everything: it calls each with every Page, from as many goroutines as there are Pagers at most, and in no order. The first error ends it, or the
// cause of ctx's end does.
func (l *ParallelLister) ForEach(ctx context.Context, each func(context.Context, *Page) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for range l.maxPagers {
		g.Go(func() error {
			for {
				pager, err := l.NextPager(ctx)
				if pager == nil {
					return err
				}
				for {
					page, err := pager.Next(ctx)
					if err != nil {
						return err
					}
					if page == nil {
						break
					}
					if err := each(ctx, page); err != nil {
						return err
					}
				}
				l.Done(pager)
			}
		})
	}
	return g.Wait()
}

// PageSource hands out the Pages of one Range in the order of keys. Pager and KeysPager are PageSources. Both methods are
// called by the goroutine that owns the PageSource.
type PageSource interface {
	// Next returns the next Page, and nil without an error after the last Page.
	Next(ctx context.Context) (*Page, error)

	// Rest returns the part of the Range that no Page has covered; ok is false where nothing is left.
	Rest() (rest Range, ok bool)
}

// IsFirst reports whether the first keys that no Page has covered belong to source, which is an active Pager or wraps one.
// changed is closed when the answer may have become another.
func (l *ParallelLister) IsFirst(source PageSource) (isFirst bool, changed <-chan struct{}) {
	rest, ok := source.Rest()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok {
		return true, l.changed
	}
	for _, p := range l.active {
		if other, ok := p.Rest(); ok && other.After < rest.After {
			return false, l.changed
		}
	}
	return true, l.changed
}

// nextAction finds something to do: a Pager, or a member to be split and where, or neither for now; or all is over.
func (l *ParallelLister) nextAction() (pager *Pager, victim *activePager, guess string, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.active) == 0 && len(l.queue) == 0 {
		return nil, nil, "", true
	}
	if len(l.active) > 0 && (len(l.active)+l.splitting >= l.maxPagers || !l.isStarved()) {
		return nil, nil, "", false
	}
	if len(l.queue) > 0 {
		pager = l.activate(l.lister.Pager(l.queue[0]))
		l.queue = l.queue[1:]
	} else if victim, guess = l.splitCandidate(); victim != nil {
		l.beginSplit(victim, guess)
	}
	if pager != nil || victim != nil {
		l.notify() // there may be more
	}
	return pager, victim, guess, false
}

// isStarved says whether more keys have been needed for some time.
func (l *ParallelLister) isStarved() bool {
	if l.keysNeeded == nil {
		return true
	}
	return l.starvedPolls >= starvedPollsMin
}

// waitForChange returns when there may be something to do, or with the cause of ctx's end.
func (l *ParallelLister) waitForChange(ctx context.Context) error {
	l.mu.Lock()
	changed := l.changed
	var tick <-chan time.Time
	if !l.polling {
		l.polling = true
		timer := time.NewTimer(pollEvery)
		defer timer.Stop()
		defer l.stopPolling()
		tick = timer.C
	}
	l.mu.Unlock()
	select {
	case <-tick:
		l.poll()
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// poll looks whether more keys are needed.
func (l *ParallelLister) poll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keysNeeded != nil && l.keysNeeded() {
		l.starvedPolls++
	} else {
		l.starvedPolls = 0
	}
}

// stopPolling ends a lookout. Who comes next is the next one.
func (l *ParallelLister) stopPolling() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.polling = false
}

// activate makes p one of those that list.
func (l *ParallelLister) activate(p *Pager) *Pager {
	p.split.alphabet = l.alphabet
	l.active = append(l.active, &activePager{Pager: p})
	l.maxActive = max(l.maxActive, len(l.active))
	return p
}

// splitCandidate is whose Range is split next, and where; nil: nobody's. While one of them is tried at several places, it counts as so many parts.
func (l *ParallelLister) splitCandidate() (most *activePager, guess string) {
	if l.unsplittable || float64(l.splitRequests) >= l.splitBudget() {
		return nil, ""
	}
	left := 0.0
	for _, m := range l.active {
		had := m.pageCount()
		if had == 0 || had == m.failedAt {
			continue
		}
		estimate := m.estimateRemaining()
		switch {
		case estimate >= splitKeysMin:
			m.lowAt = 0
		case m.lowAt == 0:
			m.lowAt = had
			continue
		case had-m.lowAt < underestimatePages:
			continue
		}
		if estimate /= float64(1 + len(m.probing)); most == nil || estimate > left {
			if place := m.splitKey(m.probing); place != "" {
				most, left, guess = m, estimate, place
			}
		}
	}
	return most, guess
}

// splitBudget is how many LISTs may be spent on splitting.
func (l *ParallelLister) splitBudget() float64 {
	listers, pages := l.maxPagers, l.finishedPages
	if l.keysNeeded != nil {
		listers = min(l.maxPagers, l.maxActive+expectedPagers)
	}
	for _, m := range l.active {
		pages += m.pageCount()
	}
	return float64(splitRequestsPerPager*listers) + splitRequestsPerPage*float64(pages)
}

// split splits the Range in which guess lies, which was m's, and returns who lists the upper part; nil: it was not split. A guess may be a key that
// the store does not take, and to try it is nobody's need: only the end of ctx is an error.
func (l *ParallelLister) split(ctx context.Context, m *activePager, guess string) (*Pager, error) {
	probing, stop := context.WithCancel(ctx)
	defer stop()
	l.mu.Lock()
	l.probes[guess] = stop
	l.mu.Unlock()
	at, err := m.probe(probing, guess)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.probes, guess)
	m.probing = slices.DeleteFunc(m.probing, func(tried string) bool { return tried == guess })
	l.splitting--
	if err == nil {
		l.failedProbes = 0
		// Others may have split it meanwhile.
		if i := slices.IndexFunc(l.active, func(m *activePager) bool { return m.contains(guess) }); i >= 0 {
			m = l.active[i]
			err = m.splitAt(at)
		} else {
			err = errNotSplit
		}
	}
	switch {
	case err == nil:
		l.notify()
		return l.activate(at.pager), nil
	case errors.Is(err, errStartAfterIgnored):
		l.unsplittable = true
	case errors.Is(err, errUpperEmpty):
	case errors.Is(err, errNotSplit):
		m.failedAt = m.pageCount()
	case probing.Err() == nil:
		m.failedAt = m.pageCount()
		if l.failedProbes++; l.failedProbes == failedProbesMax {
			l.lister.cfg.Log.Debug("LISTs from a key on fail: one lister does the rest of each Range", "error", err)
			l.unsplittable = true
		}
	}
	return nil, nil
}

// Done says that a Pager has handed out its last Page.
func (l *ParallelLister) Done(p *Pager) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finishedPages += p.pageCount()
	l.active = slices.DeleteFunc(l.active, func(m *activePager) bool { return m.Pager == p })
	for guess, stop := range l.probes {
		if !slices.ContainsFunc(l.active, func(m *activePager) bool { return m.contains(guess) }) {
			stop() // it is listed already
		}
	}
	l.notify()
}

// notify wakes those who wait for something to do.
func (l *ParallelLister) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}
