package list

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// splitState is what a Pager knows of its Range that helps to split it. The zero value knows nothing. It belongs to whoever holds the Pager's mu.
type splitState struct {
	alphabet    *alphabet // shared by all Pagers that list for the same Listing; nil: the Range is not split
	firstListed string    // the first key of the listing of a new half
	keys        int64     // admitted so far
	pages       int       // that brought any
	pageFirst   string    // the first key of the last of them
	lastKey     string    // the last exact one
	upperBound  string    // no key lies beyond it but the end of the Range; empty: not known
	tinySplits  int       // halves in a row that were no more than a page
}

// onAnswer takes in what a LIST has returned.
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

// onNewEntries takes in what was new of it.
func (s *splitState) onNewEntries(fresh []Entry, exact bool) {
	if s.alphabet == nil || len(fresh) == 0 {
		return
	}
	s.keys += int64(len(fresh))
	s.pages++
	s.pageFirst = strings.Clone(fresh[0].Key)
	for i := len(fresh) - 1; i >= 0; i-- {
		if !isLossy(fresh[i].Key, exact) {
			s.lastKey = strings.Clone(fresh[i].Key)
			break
		}
	}
	if s.lastKey >= s.upperBound { // more was written since
		s.upperBound = ""
	}
	s.alphabet.learn(fresh)
}

// errNotSplit is why a Range was not split this time. After another page that may be possible.
var errNotSplit = errors.New("the Range was not split")

// errUpperEmpty is why it was not split and can be tried again at once: nothing lies beyond the guess.
var errUpperEmpty = errors.New("the upper part of the Range is empty")

// errStartAfterIgnored is why no Range of this store can be split.
var errStartAfterIgnored = errors.New("the store ignores start-after")

// probePagesMax is how many pages may be empty before the first key after a guess is given up.
const probePagesMax = 3

// probe is a listing that was begun at a guess, to be the upper part of a Range that is split there. Its first key becomes the boundary, and what
// follows on its page the first page of the upper part: so the boundary is a key that the store has shown, nothing is asked twice, and
// the guess decides only how well the parts are balanced.
type probe struct {
	pager    *Pager
	start    string
	boundary string // the first key after guess; empty: there is none up to the end of the Range
}

// probe begins a listing at guess, which lies in p's Range, while p's owner goes on. What goes wrong with it is no matter, since p lists all that it
// would: its error is errNotSplit, errIgnored, or what the LIST failed with.
func (p *Pager) probe(ctx context.Context, guess string) (*probe, error) {
	p.mu.Lock()
	half := p.lister.Pager(Range{guess, p.rng.Through})
	half.split.alphabet, half.probing = p.split.alphabet, true
	p.mu.Unlock()
	defer func() { half.probing = false }()
	for range probePagesMax {
		if err := half.fetch(ctx); err != nil {
			return nil, err
		}
		if len(half.pending) > 0 || half.complete {
			break
		}
	}
	switch opening := half.split.firstListed; {
	case opening != "" && opening < guess:
		return nil, errStartAfterIgnored
	case len(half.pending) == 0 && !half.complete:
		return nil, errNotSplit
	}
	// Lossy keys before the first exact one may lie before it, and the lower part lists them again.
	at := slices.IndexFunc(half.pending, func(e Entry) bool { return !isLossy(e.Key, half.keysDeclared) })
	if at < 0 {
		return &probe{pager: half, start: guess}, nil
	}
	pivot := strings.Clone(half.pending[at].Key)
	half.rng.After, half.cursor, half.pending = pivot, pivot, half.pending[at+1:]
	return &probe{half, guess, pivot}, nil
}

// contains says whether key lies in what p has still to list.
func (p *Pager) contains(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.complete && key > max(p.split.lastKey, p.rng.After) && (p.rng.Through == "" || key < p.rng.Through)
}

// splitAt splits p's Range at a probe whose guess it holds: of (A, B] it keeps (A, pivot], and the probe's Pager walks (pivot, B], which may be less than it began
// with. It may be called while p's owner walks. Its error is errNotSplit, or errEmpty.
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

// truncateAt gives up what a Pager that nobody else has yet would list beyond through.
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

// pageCount is how many pages brought keys so far.
func (p *Pager) pageCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.split.pages
}
