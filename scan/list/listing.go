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
	// lookEvery is how often a lister without a Range looks whether it is needed: little beside what a LIST takes, at stores where it matters.
	lookEvery = 10 * time.Millisecond

	// needLooks is how many looks in a row find that more keys are needed before another lister begins.
	needLooks = 2

	// splitKeys is how many keys a Range has left at least to be split: the halves end in a part of a page each.
	splitKeys = 4 * pageKeysMax

	// surprisePages is how many pages come of a Range that was thought to be nearly done, before it is not believed.
	surprisePages = 4

	// probesFailed in a row, of different guesses, are no accident.
	probesFailed = 8

	// What splitting may cost: a LIST for each split, half of which brings keys that are dropped, or none. So many for each lister, and a share of
	// the pages.
	costPerLister = 3
	costPerPage   = 0.04

	// listersMore are those who are not there yet and may come: the first splits are the hardest to find.
	listersMore = 3
)

// Listing lists Ranges by several Pagers at once. Who has nothing to list splits the Range of which most is left. All methods may be called
// concurrently.
type Listing struct {
	lister *Lister
	most   int
	needed func() bool // nil: always
	marks  *marks

	mu      sync.Mutex
	queue   []Range                       // nobody's yet
	pagers  []*member                     // that list
	reached int                           // the most of them at once
	splits  int                           // Ranges that are being split
	probes  map[string]context.CancelFunc // that are under way, by their guess
	failed  int                           // of them in a row
	cost    int                           // LISTs that were spent on splitting
	pages   int                           // of those that are done
	single  bool                          // the store cannot list from a key on
	looks   int                           // how often in a row more keys were needed
	lookout bool                          // one of those who wait looks now and again, for all of them
	changed chan struct{}                 // closed when there may be something to do
}

// member is a Pager, and what is known of splitting it.
type member struct {
	*Pager
	tried []string // guesses that are being probed
	asked int      // how many pages it had when splitting it was in vain; 0: it was not
	low   int      // how many it had when little seemed to be left of it; 0: much seems to
}

// Listing makes a Listing of at most so many Pagers for Ranges, which are in the order of keys and do not overlap. needed says whether more keys are needed than
// come: only then another Pager begins, or a Range is split; nil: always.
func (l *Lister) Listing(ranges []Range, most int, needed func() bool) *Listing {
	return &Listing{
		lister: l, most: most, needed: needed, marks: new(marks), queue: slices.Clone(ranges), changed: make(chan struct{}),
		probes: map[string]context.CancelFunc{},
		single: l.cfg.Store.Unordered(),
	}
}

// Most is how many Pagers there are at most.
func (l *Listing) Most() int { return l.most }

// Reached is how many Pagers have listed at once.
func (l *Listing) Reached() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reached
}

// Next returns a Pager for a Range that nobody lists, when there is one and it is needed; nil, when all are listed. Whoever has it calls Done when it has no more
// Pages. The error is that of a LIST, or the cause of ctx's end.
func (l *Listing) Next(ctx context.Context) (*Pager, error) {
	for {
		pager, victim, guess, over := l.look()
		switch {
		case over:
			return nil, nil
		case victim != nil:
			var err error
			if pager, err = l.split(ctx, victim, guess); err != nil {
				return nil, err
			}
		case pager == nil:
			if err := l.wait(ctx); err != nil {
				return nil, err
			}
		}
		if pager != nil {
			return pager, nil
		}
	}
}

// Each lists everything: it calls each with every Page, from as many goroutines as there are Pagers at most, and in no order. The first error ends it, or the
// cause of ctx's end does.
func (l *Listing) Each(ctx context.Context, each func(context.Context, *Page) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for range l.most {
		g.Go(func() error {
			for {
				pager, err := l.Next(ctx)
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

// First says whether p lists the first keys of all that are not listed; changed is closed when that may be another one.
func (l *Listing) First(p *Pager) (isFirst bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.pagers {
		if m.rng.After < p.rng.After {
			return false, l.changed
		}
	}
	return true, l.changed
}

// look finds something to do: a Pager, or a member to be split and where, or neither for now; or all is over.
func (l *Listing) look() (pager *Pager, victim *member, guess string, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pagers) == 0 && len(l.queue) == 0 {
		return nil, nil, "", true
	}
	if len(l.pagers) > 0 && (len(l.pagers)+l.splits >= l.most || !l.isNeeded()) {
		return nil, nil, "", false
	}
	if len(l.queue) > 0 {
		pager = l.begin(l.lister.Walk(l.queue[0]))
		l.queue = l.queue[1:]
	} else if victim, guess = l.victim(); victim != nil {
		victim.tried = append(victim.tried, guess)
		l.splits++
		l.cost++
	}
	if pager != nil || victim != nil {
		l.change() // there may be more
	}
	return pager, victim, guess, false
}

// isNeeded says whether more keys have been needed for some time.
func (l *Listing) isNeeded() bool {
	if l.needed == nil {
		return true
	}
	return l.looks >= needLooks
}

// wait returns when there may be something to do, or with the cause of ctx's end.
func (l *Listing) wait(ctx context.Context) error {
	l.mu.Lock()
	changed := l.changed
	var tick <-chan time.Time
	if !l.lookout {
		l.lookout = true
		timer := time.NewTimer(lookEvery)
		defer timer.Stop()
		defer l.relieve()
		tick = timer.C
	}
	l.mu.Unlock()
	select {
	case <-tick:
		l.watch()
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// watch looks whether more keys are needed.
func (l *Listing) watch() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.needed != nil && l.needed() {
		l.looks++
	} else {
		l.looks = 0
	}
}

// relieve ends a lookout. Who comes next is the next one.
func (l *Listing) relieve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lookout = false
}

// begin makes p one of those that list.
func (l *Listing) begin(p *Pager) *Pager {
	p.split.marks = l.marks
	l.pagers = append(l.pagers, &member{Pager: p})
	l.reached = max(l.reached, len(l.pagers))
	return p
}

// victim is whose Range is split next, and where; nil: nobody's. While one of them is tried at several places, it counts as so many parts.
func (l *Listing) victim() (most *member, guess string) {
	if l.single || float64(l.cost) >= l.budget() {
		return nil, ""
	}
	left := 0.0
	for _, m := range l.pagers {
		had := m.pagesHad()
		if had == 0 || had == m.asked {
			continue
		}
		estimate := m.left()
		switch {
		case estimate >= splitKeys:
			m.low = 0
		case m.low == 0:
			m.low = had
			continue
		case had-m.low < surprisePages:
			continue
		}
		if estimate /= float64(1 + len(m.tried)); most == nil || estimate > left {
			if place := m.guess(m.tried); place != "" {
				most, left, guess = m, estimate, place
			}
		}
	}
	return most, guess
}

// budget is how many LISTs may be spent on splitting.
func (l *Listing) budget() float64 {
	listers, pages := l.most, l.pages
	if l.needed != nil {
		listers = min(l.most, l.reached+listersMore)
	}
	for _, m := range l.pagers {
		pages += m.pagesHad()
	}
	return float64(costPerLister*listers) + costPerPage*float64(pages)
}

// split splits the Range in which guess lies, which was m's, and returns who lists the upper part; nil: it was not split. A guess may be a key that
// the store does not take, and to try it is nobody's need: only the end of ctx is an error.
func (l *Listing) split(ctx context.Context, m *member, guess string) (*Pager, error) {
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
	m.tried = slices.DeleteFunc(m.tried, func(tried string) bool { return tried == guess })
	l.splits--
	if err == nil {
		l.failed = 0
		// Others may have split it meanwhile.
		if i := slices.IndexFunc(l.pagers, func(m *member) bool { return m.holds(guess) }); i >= 0 {
			m = l.pagers[i]
			err = m.cede(at)
		} else {
			err = errNotSplit
		}
	}
	switch {
	case err == nil:
		l.change()
		return l.begin(at.pager), nil
	case errors.Is(err, errIgnored):
		l.single = true
	case errors.Is(err, errEmpty):
	case errors.Is(err, errNotSplit):
		m.asked = m.pagesHad()
	case probing.Err() == nil:
		m.asked = m.pagesHad()
		if l.failed++; l.failed == probesFailed {
			l.lister.cfg.Log.Debug("LISTs from a key on fail: one lister does the rest of each Range", "error", err)
			l.single = true
		}
	}
	return nil, nil
}

// Done says that a Pager has handed out its last Page.
func (l *Listing) Done(p *Pager) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages += p.pagesHad()
	l.pagers = slices.DeleteFunc(l.pagers, func(m *member) bool { return m.Pager == p })
	for guess, stop := range l.probes {
		if !slices.ContainsFunc(l.pagers, func(m *member) bool { return m.holds(guess) }) {
			stop() // it is listed already
		}
	}
	l.change()
}

// change wakes those who wait for something to do.
func (l *Listing) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}
