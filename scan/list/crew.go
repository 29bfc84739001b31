package list

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
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

	// What splitting may cost: a LIST for each split, half of which brings keys that are dropped, or none. So many for each lister, and a share of
	// the pages.
	costPerLister = 3
	costPerPage   = 0.04
)

// Crew lists Ranges by several Pagers at once. Who has nothing to list splits the Range of which most is left. All methods may be called
// concurrently.
type Crew struct {
	lister *Lister
	most   int
	needed func() bool
	marks  *marks

	mu      sync.Mutex
	queue   []Range       // nobody's yet
	crew    []*member     // that list
	reached int           // the most of them at once
	splits  int           // Ranges that are being split
	cost    int           // LISTs that were spent on splitting
	pages   int           // of those that are done
	single  bool          // the store cannot list from a key on
	looks   int           // how often in a row more keys were needed
	lookout bool          // one of those who wait looks now and again, for all of them
	changed chan struct{} // closed when there may be something to do
}

// member is a Pager, and what is known of splitting it.
type member struct {
	*Pager
	tried []string // guesses that are being probed
	asked int      // how many pages it had when splitting it was in vain; 0: it was not
	low   int      // how many it had when little seemed to be left of it; 0: much seems to
}

// Crew makes a Crew of at most so many Pagers for Ranges, which are in the order of keys and do not overlap. needed says whether more keys are needed than
// come: only then another Pager begins, or a Range is split; nil: always.
func (l *Lister) Crew(ranges []Range, most int, needed func() bool) *Crew {
	if needed == nil {
		needed = func() bool { return true }
	}
	return &Crew{
		lister: l, most: most, needed: needed, marks: new(marks), queue: slices.Clone(ranges), changed: make(chan struct{}),
		single: l.cfg.Store.Unordered(),
	}
}

// Most is how many Pagers there are at most.
func (c *Crew) Most() int { return c.most }

// Reached is how many Pagers have listed at once.
func (c *Crew) Reached() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reached
}

// Next returns a Pager for a Range that nobody lists, when there is one and it is needed; nil, when all are listed. Whoever has it calls Done when it has no more
// Pages. The error is that of a LIST, or the cause of ctx's end.
func (c *Crew) Next(ctx context.Context) (*Pager, error) {
	for {
		pager, victim, guess, over := c.look()
		switch {
		case over:
			return nil, nil
		case victim != nil:
			var err error
			if pager, err = c.split(ctx, victim, guess); err != nil {
				return nil, err
			}
		case pager == nil:
			if err := c.wait(ctx); err != nil {
				return nil, err
			}
		}
		if pager != nil {
			return pager, nil
		}
	}
}

// look finds something to do: a Pager, or a member to be split and where, or neither for now; or all is over.
func (c *Crew) look() (pager *Pager, victim *member, guess string, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.crew) == 0 && len(c.queue) == 0 {
		return nil, nil, "", true
	}
	if len(c.crew) > 0 && (len(c.crew)+c.splits >= c.most || !c.isNeeded()) {
		return nil, nil, "", false
	}
	if len(c.queue) > 0 {
		pager = c.begin(c.lister.Walk(c.queue[0]))
		c.queue = c.queue[1:]
	} else if victim, guess = c.victim(); victim != nil {
		victim.tried = append(victim.tried, guess)
		c.splits++
		c.cost++
	}
	if pager != nil || victim != nil {
		c.change() // there may be more
	}
	return pager, victim, guess, false
}

// isNeeded says whether more keys have been needed for some time.
func (c *Crew) isNeeded() bool {
	if !c.needed() {
		c.looks = 0
		return false
	}
	c.looks++
	return c.looks > needLooks
}

// wait returns when there may be something to do, or with the cause of ctx's end.
func (c *Crew) wait(ctx context.Context) error {
	c.mu.Lock()
	changed := c.changed
	var tick <-chan time.Time
	if !c.lookout {
		c.lookout = true
		timer := time.NewTimer(lookEvery)
		defer timer.Stop()
		defer c.relieve()
		tick = timer.C
	}
	c.mu.Unlock()
	select {
	case <-tick:
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// relieve ends a lookout. Who comes next is the next one.
func (c *Crew) relieve() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lookout = false
}

// begin makes p one of the crew.
func (c *Crew) begin(p *Pager) *Pager {
	p.split.marks = c.marks
	c.crew = append(c.crew, &member{Pager: p})
	c.reached = max(c.reached, len(c.crew))
	return p
}

// victim is whose Range is split next, and where; nil: nobody's. While one of them is tried at several places, it counts as so many parts.
func (c *Crew) victim() (most *member, guess string) {
	if c.single || float64(c.cost) >= c.budget() {
		return nil, ""
	}
	left := 0.0
	for _, m := range c.crew {
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
func (c *Crew) budget() float64 {
	pages := c.pages
	for _, m := range c.crew {
		pages += m.pagesHad()
	}
	return float64(costPerLister*c.most) + costPerPage*float64(pages)
}

// split splits the Range in which guess lies, which was m's, and returns who lists the upper part; nil: it was not split.
func (c *Crew) split(ctx context.Context, m *member, guess string) (*Pager, error) {
	at, err := m.probe(ctx, guess)
	c.mu.Lock()
	defer c.mu.Unlock()
	m.tried = slices.DeleteFunc(m.tried, func(tried string) bool { return tried == guess })
	c.splits--
	if err == nil {
		// Others may have split it meanwhile.
		if i := slices.IndexFunc(c.crew, func(m *member) bool { return m.holds(guess) }); i >= 0 {
			m = c.crew[i]
			err = m.cede(at)
		} else {
			err = errNotSplit
		}
	}
	switch {
	case err == nil:
		c.change()
		return c.begin(at.pager), nil
	case errors.Is(err, errIgnored):
		c.single = true
		return nil, nil
	case errors.Is(err, errEmpty):
		return nil, nil
	case errors.Is(err, errNotSplit):
		m.asked = m.pagesHad()
		return nil, nil
	}
	return nil, err
}

// Done says that a Pager has handed out its last Page.
func (c *Crew) Done(p *Pager) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pages += p.pagesHad()
	c.crew = slices.DeleteFunc(c.crew, func(m *member) bool { return m.Pager == p })
	c.change()
}

// change wakes those who wait for something to do.
func (c *Crew) change() {
	close(c.changed)
	c.changed = make(chan struct{})
}
