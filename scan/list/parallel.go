package list

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// pollEvery is the time between two polls of keysNeeded. A LIST takes several times as long at the stores where the
	// number of Pagers matters.
	pollEvery = 10 * time.Millisecond

	// starvedPollsMin is the number of polls in a row that must find keys needed before another Pager starts.
	starvedPollsMin = 2
)

// ParallelLister lists Ranges with several Pagers at once. When all Ranges have a Pager and more keys are needed, it
// splits the Range with the most keys left, and another Pager lists the upper part. All methods may be called
// concurrently.
type ParallelLister struct {
	lister     *Lister
	maxPagers  int
	keysNeeded func() bool // nil: always
	enough     int         // keys per second, with which no Pager has to be added; 0: there is no such number
	alphabet   *alphabet

	mu            sync.Mutex
	queue         []Range        // without a Pager, in the order of keys
	active        []*activePager // that list now
	maxActive     int            // the largest number of active Pagers so far
	splits        splits
	finishedPages int           // pages of the Pagers that are done
	starvedPolls  int           // polls in a row that found keys needed
	polling       bool          // one waiting goroutine polls for all of them
	changed       chan struct{} // closed when the next action may be another
}

// activePager is a Pager that lists, and the state of splitting its Range.
type activePager struct {
	*Pager
	splitKeys []string // of the splits of its Range that are in progress
	failedAt  int      // the page count at which a split failed; 0: none failed
	lowAt     int      // the page count at which few keys were expected to be left; 0: many are expected
}

// Parallel returns a ParallelLister with at most maxPagers Pagers. The ranges are in the order of keys and do not
// overlap. keysNeeded reports whether the consumer could use more keys than it gets; nil: always. Only then another
// Pager starts, or a Range is split.
func (l *Lister) Parallel(ranges []Range, maxPagers int, keysNeeded func() bool) *ParallelLister {
	return &ParallelLister{
		lister: l, maxPagers: maxPagers, keysNeeded: keysNeeded, alphabet: new(alphabet), queue: slices.Clone(ranges),
		changed: make(chan struct{}),
		splits:  splits{cancels: map[string]context.CancelFunc{}, impossible: l.anyOrder()},
	}
}

// pagersMin is the least number of Pagers that EnoughAt leaves: one decodes while another waits.
const pagersMin = 4

// EnoughAt makes the ParallelLister use no more Pagers than list so many keys per second, at the latency of the fastest
// LISTs. Each further one would take memory, and wait for this machine. It is called before NextPager.
func (l *ParallelLister) EnoughAt(keysPerSecond int) { l.enough = keysPerSecond }

// pagersMax returns the number of Pagers that may list now.
func (l *ParallelLister) pagersMax() int {
	latency := l.lister.fastest.latency()
	if l.enough == 0 || latency == 0 {
		return l.maxPagers
	}
	pagesAtOnce := float64(l.enough) / pageKeysMax * latency.Seconds()
	return min(l.maxPagers, max(pagersMin, int(math.Ceil(pagesAtOnce))))
}

// MaxActive returns the largest number of Pagers that have listed at once so far.
func (l *ParallelLister) MaxActive() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.maxActive
}

// NextPager returns a Pager for a Range that no other Pager lists. It waits until there is such a Range and keys are
// needed. It returns nil when all Ranges are listed. The caller calls Done after the last Page of the Pager. The error
// is the cause of ctx's end.
func (l *ParallelLister) NextPager(ctx context.Context) (*Pager, error) {
	for {
		changed := l.nextChange() // taken first: a change after the look must end the wait
		pager, candidate, splitKey, finished := l.nextAction()
		switch {
		case finished:
			return nil, nil
		case candidate != nil:
			var err error
			if pager, err = l.split(ctx, candidate, splitKey); err != nil {
				return nil, err
			}
		case pager == nil:
			if err := l.waitForChange(ctx, changed); err != nil {
				return nil, err
			}
		}
		if pager != nil {
			return pager, nil
		}
	}
}

// ForEach lists everything. It calls handle with every Page, in no order, from as many goroutines as Pagers may list.
// It returns the first error of a LIST or of handle, or the cause of ctx's end.
func (l *ParallelLister) ForEach(ctx context.Context, handle func(context.Context, *Page) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for range l.maxPagers {
		g.Go(func() error {
			for {
				pager, err := l.NextPager(ctx)
				if pager == nil {
					return err
				}
				if err := forEachPage(ctx, pager, handle); err != nil {
					return err
				}
				l.Done(pager)
			}
		})
	}
	return g.Wait()
}

func forEachPage(ctx context.Context, pager *Pager, handle func(context.Context, *Page) error) error {
	for {
		page, err := pager.Next(ctx)
		if page == nil {
			return err
		}
		if err := handle(ctx, page); err != nil {
			return err
		}
	}
}

// PageSource hands out the Pages of one Range in the order of keys. A Pager is a PageSource, and so are
// those of known keys. The goroutine that owns a PageSource calls both methods.
type PageSource interface {
	// Next returns the next Page, and nil without an error after the last Page.
	Next(ctx context.Context) (*Page, error)

	// Rest returns the part of the Range that no Page has covered; ok is false where nothing is left.
	Rest() (rest Range, ok bool)
}

// IsFirst reports whether no active Pager has keys left that come before those of source. source is an active Pager or
// wraps one. changed is closed when the answer may be another.
func (l *ParallelLister) IsFirst(source PageSource) (isFirst bool, changed <-chan struct{}) {
	rest, ok := source.Rest()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok {
		return true, l.changed
	}
	for _, p := range l.active {
		if other, ok := p.Rest(); ok && other.startsBefore(rest) {
			return false, l.changed
		}
	}
	return true, l.changed
}

// nextAction returns what a goroutine without a Pager does next: list with pager, or split the Range of candidate at
// splitKey. It returns neither where the goroutine must wait. finished is set when all Ranges are listed.
func (l *ParallelLister) nextAction() (pager *Pager, candidate *activePager, splitKey string, finished bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.active) == 0 && len(l.queue) == 0 {
		return nil, nil, "", true
	}
	if len(l.active) > 0 && (len(l.active)+l.splits.running >= l.pagersMax() || !l.isStarved()) {
		return nil, nil, "", false
	}
	if len(l.queue) > 0 {
		pager = l.activate(l.lister.Pager(l.queue[0]))
		l.queue = l.queue[1:]
	} else if candidate, splitKey = l.splitCandidate(); candidate != nil {
		l.beginSplit(candidate, splitKey)
	}
	if pager != nil || candidate != nil {
		l.notify() // another goroutine may have something to do as well
	}
	return pager, candidate, splitKey, false
}

// isStarved reports whether keys have been needed for starvedPollsMin polls. l.mu is held.
func (l *ParallelLister) isStarved() bool {
	return l.keysNeeded == nil || l.starvedPolls >= starvedPollsMin
}

// nextChange returns a channel that is closed at the next change.
func (l *ParallelLister) nextChange() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// waitForChange returns when the next action may be another, or with the cause of ctx's end.
func (l *ParallelLister) waitForChange(ctx context.Context, changed <-chan struct{}) error {
	l.mu.Lock()
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

// poll counts the polls in a row that find keys needed.
func (l *ParallelLister) poll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keysNeeded != nil && l.keysNeeded() {
		l.starvedPolls++
	} else {
		l.starvedPolls = 0
	}
}

// stopPolling leaves polling to the next goroutine that waits.
func (l *ParallelLister) stopPolling() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.polling = false
}

// activate adds p to the active Pagers. l.mu is held.
func (l *ParallelLister) activate(p *Pager) *Pager {
	p.split.alphabet = l.alphabet
	l.active = append(l.active, &activePager{Pager: p})
	l.maxActive = max(l.maxActive, len(l.active))
	return p
}

// Done removes a Pager that has handed out its last Page.
func (l *ParallelLister) Done(p *Pager) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finishedPages += p.pageCount()
	l.active = slices.DeleteFunc(l.active, func(a *activePager) bool { return a.Pager == p })
	for splitKey, stop := range l.splits.cancels {
		if !slices.ContainsFunc(l.active, func(a *activePager) bool { return a.contains(splitKey) }) {
			stop() // the Range that it would split is listed
		}
	}
	l.notify()
}

// notify wakes all goroutines that wait for a change. l.mu is held.
func (l *ParallelLister) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}
