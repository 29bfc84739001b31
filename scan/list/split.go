package list

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// splitState is the knowledge of a Pager about its Range that splitting needs. The zero value knows nothing. Pager.mu
// guards it.
type splitState struct {
	alphabet    *alphabet // shared by all Pagers of a ParallelLister; nil: the Range is not split
	firstListed string    // the first key that the store has listed for a probe
	keys        int64     // new keys so far
	pages       int       // pages with new keys
	pageFirst   string    // the first key of the last such page
	lastKey     string    // the last key that is not lossy
	upperBound  string    // only the last key of the Range can be at or after it; empty: not known
	tinySplits  int       // splits in a row whose upper part was at most a page
}

// onAnswer remembers the first key that a LIST has returned.
func (s *splitState) onAnswer(p *Pager, entries []Entry) {
	if s.alphabet == nil || s.firstListed != "" {
		return
	}
	for _, e := range entries {
		if !isLossy(e.Key, p.keysDeclared) {
			s.firstListed = strings.Clone(e.Key)
			return
		}
	}
}

// onNewEntries learns from the new entries of a LIST.
func (s *splitState) onNewEntries(entries []Entry, keysDeclared bool) {
	if s.alphabet == nil || len(entries) == 0 {
		return
	}
	s.keys += int64(len(entries))
	s.pages++
	s.pageFirst = strings.Clone(entries[0].Key)
	for i := len(entries) - 1; i >= 0; i-- {
		if !isLossy(entries[i].Key, keysDeclared) {
			s.lastKey = strings.Clone(entries[i].Key)
			break
		}
	}
	if s.lastKey >= s.upperBound { // objects were written there meanwhile
		s.upperBound = ""
	}
	s.alphabet.learn(entries)
}

// errNotSplit is the error of a split that may succeed after another page.
var errNotSplit = errors.New("the Range was not split")

// errUpperEmpty is the error of a split with no key after the split key. Another split key can be tried at once.
var errUpperEmpty = errors.New("the upper part of the Range is empty")

// errStartAfterIgnored is the error of a store whose Ranges can never be split.
var errStartAfterIgnored = errors.New("the store ignores start-after")

// probePagesMax is the number of empty pages after which a probe fails.
const probePagesMax = 3

// probe is a listing that begins at a split key. Its first key becomes the boundary, and the keys after that on the
// same page become the first page of the upper part. So the boundary is a key that the store has listed, no key is
// listed twice, and the split key only decides how equal the parts are.
type probe struct {
	pager    *Pager // of the upper part
	start    string // the split key
	boundary string // the first key after start; empty: there is none up to the end of the Range
}

// probe begins a listing at splitKey, which lies in the Range of p, while the owner of p goes on listing. p lists the
// same keys if the probe fails, so a failure does not matter. The error is errNotSplit, errStartAfterIgnored, or that
// of a LIST.
func (p *Pager) probe(ctx context.Context, splitKey string) (*probe, error) {
	p.mu.Lock()
	upper := p.lister.Pager(Range{splitKey, p.rng.Through})
	upper.split.alphabet, upper.probing = p.split.alphabet, true
	p.mu.Unlock()
	defer func() { upper.probing = false }()
	for range probePagesMax {
		if err := upper.fetch(ctx); err != nil {
			return nil, err
		}
		if len(upper.pending) > 0 || upper.complete {
			break
		}
	}
	switch first := upper.split.firstListed; {
	case first != "" && first < splitKey:
		return nil, errStartAfterIgnored
	case len(upper.pending) == 0 && !upper.complete:
		return nil, errNotSplit
	}
	// Lossy keys before the boundary may belong to the lower part, which lists them again.
	at := slices.IndexFunc(upper.pending, func(e Entry) bool { return !isLossy(e.Key, upper.keysDeclared) })
	if at < 0 {
		return &probe{pager: upper, start: splitKey}, nil
	}
	boundary := strings.Clone(upper.pending[at].Key)
	upper.rng.After, upper.cursor, upper.pending = boundary, boundary, upper.pending[at+1:]
	return &probe{upper, splitKey, boundary}, nil
}

// contains reports whether p may still list key.
func (p *Pager) contains(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.complete && key > max(p.split.lastKey, p.rng.After) && (p.rng.Through == "" || key < p.rng.Through)
}

// splitAt splits the Range of p at a probe whose split key it contains: of (A, B], p keeps (A, boundary], and the Pager
// of the probe lists (boundary, B]. B may have moved since the probe began. The owner of p may list meanwhile. The
// error is errNotSplit or errUpperEmpty.
func (p *Pager) splitAt(at *probe) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.split
	if p.complete || s.lastKey >= at.start {
		return errNotSplit
	}
	before := s.upperBound
	if before == "" || at.start < before {
		s.upperBound = at.start
	}
	s.tinySplits++
	if at.boundary == "" || p.rng.Through != "" && at.boundary >= p.rng.Through {
		return errUpperEmpty
	}
	at.pager.truncateAt(p.rng.Through)
	if before > at.boundary {
		at.pager.split.upperBound = before
	}
	if !at.pager.complete {
		s.tinySplits = 0
	}
	p.rng.Through = at.boundary
	return nil
}

// truncateAt removes the keys after through from the Range of p, which no other goroutine may use yet.
func (p *Pager) truncateAt(through string) {
	if through == p.rng.Through {
		return
	}
	p.rng.Through = through
	for i, e := range p.pending {
		switch {
		case isLossy(e.Key, p.keysDeclared) || e.Key < through:
		case e.Key == through:
			p.pending, p.complete = p.pending[:i+1], true
			return
		default:
			p.pending, p.complete = p.pending[:i], true
			return
		}
	}
}

// pageCount returns the number of pages with new keys so far.
func (p *Pager) pageCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.split.pages
}
