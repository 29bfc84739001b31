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
	firstListed string    // the first key that a LIST of an upperPart has returned
	keys        int64     // new keys so far
	pages       int       // pages with new keys
	pageFirst   string    // the first key of the last such page
	lastKey     string    // the last key that is not lossy
	upperBound  string    // only the last key of the Range can be at or after it; empty: not known
	oversized   bool      // the store sends pages that need no second lister
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

// emptyPagesMax is the number of empty pages after which a split fails.
const emptyPagesMax = 3

// upperPart is the beginning of a listing after a split key. The first listed key becomes the boundary, which the store
// is known to have. The keys after the boundary become the first page of the upper part, so no key is listed twice. The
// split key only decides how equal the parts are.
type upperPart struct {
	pager    *Pager // of the upper part
	splitKey string // the split key
	boundary string // the first key after start; empty: there is none up to the end of the Range
}

// listUpper begins a listing at splitKey, which lies in the Range of p. The owner of p may list meanwhile. If listUpper
// fails, p lists the same keys. The error is errNotSplit, errStartAfterIgnored, or that of a LIST.
func (p *Pager) listUpper(ctx context.Context, splitKey string) (*upperPart, error) {
	p.mu.Lock()
	upper := p.lister.Pager(Range{After: splitKey, Through: p.rng.Through})
	upper.split.alphabet, upper.sendOnce = p.split.alphabet, true
	p.mu.Unlock()
	defer func() { upper.sendOnce = false }()
	for range emptyPagesMax {
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
	case len(upper.pending) == 0 && !upper.complete: // or all that is there are versions of one key
		return nil, errNotSplit
	}
	// Lossy keys before the boundary may belong to the lower part, which lists them again.
	at := slices.IndexFunc(upper.pending, func(e Entry) bool { return !isLossy(e.Key, upper.keysDeclared) })
	if at < 0 {
		return &upperPart{pager: upper, splitKey: splitKey}, nil
	}
	boundary := strings.Clone(upper.pending[at].Key)
	upper.rng.After, upper.cursor, upper.pending = boundary, boundary, upper.pending[at+1:]
	upper.dropVersions(boundary)
	return &upperPart{upper, splitKey, boundary}, nil
}

// contains reports whether p may still list key.
func (p *Pager) contains(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.complete || p.sequence != nil {
		return false
	}
	return key > max(p.split.lastKey, p.rng.After) && (p.rng.Through == "" || key < p.rng.Through)
}

// splitAt splits the Range of p, which contains the split key of upper. Of the Range (A, B], p keeps (A, boundary], and
// the Pager of upper lists (boundary, B]. B may have become smaller since listUpper. The owner of p may list meanwhile.
// The error is errNotSplit or errUpperEmpty.
func (p *Pager) splitAt(upper *upperPart) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.split
	switch {
	case p.sequence != nil:
		return errStartAfterIgnored
	case p.complete || s.lastKey >= upper.splitKey:
		return errNotSplit
	}
	before := s.upperBound
	if before == "" || upper.splitKey < before {
		s.upperBound = upper.splitKey
	}
	s.tinySplits++
	if upper.boundary == "" || p.rng.Through != "" && upper.boundary >= p.rng.Through {
		return errUpperEmpty
	}
	upper.pager.truncateAt(p.rng.Through)
	if before > upper.boundary {
		upper.pager.split.upperBound = before
	}
	if !upper.pager.complete {
		s.tinySplits = 0
	}
	p.rng.Through, p.watched = upper.boundary, nil
	return nil
}

// truncateAt removes the keys after through from the Range of p, which no other goroutine may use yet.
func (p *Pager) truncateAt(through string) {
	if through == p.rng.Through {
		return
	}
	p.rng.Through, p.endSeen = through, false
	for i, e := range p.pending {
		switch {
		case isLossy(e.Key, p.keysDeclared) || e.Key < through:
		case e.Key == through && p.lister.cfg.Versions:
			p.endSeen = true
		case e.Key == through:
			p.pending, p.complete, p.endSeen = p.pending[:i+1], true, true
			return
		default:
			p.pending, p.complete, p.versions.held = p.pending[:i], true, nil
			return
		}
	}
	if held := p.versions.held; len(held) > 0 && held[0].Key == through {
		p.endSeen = true
	} else if len(held) > 0 && held[0].Key > through {
		p.complete, p.versions.held = true, nil
	}
}

// oversizedKeys is the number of keys on a page from which the Range is not split: a store that sends so many needs no
// second lister, and each Pager holds such a page in memory.
const oversizedKeys = 10 * pageKeysMax

// pageCount returns the number of pages with new keys so far.
func (p *Pager) pageCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.split.pages
}
