package list

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// splitting is what a Pager knows of its Range that helps to split it. The zero value knows nothing. It belongs to whoever holds the Pager's mu.
type splitting struct {
	marks   *marks // shared by all Pagers that list for the same Listing; nil: the Range is not split
	opening string // the first key of the listing of a new half
	keys    int64  // admitted so far
	pages   int    // that brought any
	first   string // the first key of the last of them
	last    string // the last exact one
	ceiling string // no key lies beyond it but the end of the Range; empty: not known
	slivers int    // halves in a row that were no more than a page
}

// fetched takes in what a LIST has returned.
func (s *splitting) fetched(p *Pager, entries []Entry) {
	if s.marks == nil || s.opening != "" {
		return
	}
	for _, e := range entries {
		if !lossy(e.Key, p.exact) {
			s.opening = strings.Clone(e.Key)
			return
		}
	}
}

// admitted takes in what was new of it.
func (s *splitting) admitted(fresh []Entry, exact bool) {
	if s.marks == nil || len(fresh) == 0 {
		return
	}
	s.keys += int64(len(fresh))
	s.pages++
	s.first = strings.Clone(fresh[0].Key)
	for i := len(fresh) - 1; i >= 0; i-- {
		if !lossy(fresh[i].Key, exact) {
			s.last = strings.Clone(fresh[i].Key)
			break
		}
	}
	if s.last >= s.ceiling { // more was written since
		s.ceiling = ""
	}
	s.marks.learn(fresh)
}

// errNotSplit is why a Range was not split this time. After another page that may be possible.
var errNotSplit = errors.New("the Range was not split")

// errEmpty is why it was not split and can be tried again at once: nothing lies beyond the guess.
var errEmpty = errors.New("the upper part of the Range is empty")

// errIgnored is why no Range of this store can be split.
var errIgnored = errors.New("the store ignores start-after")

// probesMax is how many pages may be empty before the first key after a guess is given up.
const probesMax = 3

// probe is a listing that was begun at a guess, to be the upper part of a Range that is split there. Its first key becomes the boundary, and what
// follows on its page the first page of the upper part: so the boundary is a key that the store has shown, nothing is asked twice, and
// the guess decides only how well the parts are balanced.
type probe struct {
	pager *Pager
	guess string
	pivot string // the first key after guess; empty: there is none up to the end of the Range
}

// probe begins a listing at guess, which lies in p's Range, while p's owner goes on. What goes wrong with it is no matter, since p lists all that it
// would: its error is errNotSplit, errIgnored, or what the LIST failed with.
func (p *Pager) probe(ctx context.Context, guess string) (*probe, error) {
	p.mu.Lock()
	half := p.lister.Walk(Range{guess, p.rng.Through})
	half.split.marks, half.isProbe = p.split.marks, true
	p.mu.Unlock()
	defer func() { half.isProbe = false }()
	for range probesMax {
		if err := half.fetch(ctx); err != nil {
			return nil, err
		}
		if len(half.rest) > 0 || half.done {
			break
		}
	}
	switch opening := half.split.opening; {
	case opening != "" && opening < guess:
		return nil, errIgnored
	case len(half.rest) == 0 && !half.done:
		return nil, errNotSplit
	}
	// Lossy keys before the first exact one may lie before it, and the lower part lists them again.
	at := slices.IndexFunc(half.rest, func(e Entry) bool { return !lossy(e.Key, half.exact) })
	if at < 0 {
		return &probe{pager: half, guess: guess}, nil
	}
	pivot := strings.Clone(half.rest[at].Key)
	half.rng.After, half.cursor, half.rest = pivot, pivot, half.rest[at+1:]
	return &probe{half, guess, pivot}, nil
}

// holds says whether key lies in what p has still to list.
func (p *Pager) holds(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.done && key > max(p.split.last, p.rng.After) && (p.rng.Through == "" || key < p.rng.Through)
}

// cede splits p's Range at a probe whose guess it holds: of (A, B] it keeps (A, pivot], and the probe's Pager walks (pivot, B], which may be less than it began
// with. It may be called while p's owner walks. Its error is errNotSplit, or errEmpty.
func (p *Pager) cede(at *probe) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.split
	if p.done || s.last >= at.guess {
		return errNotSplit
	}
	before := s.ceiling
	if before == "" || at.guess < before {
		s.ceiling = at.guess
	}
	s.slivers++
	if at.pivot == "" || p.rng.Through != "" && at.pivot >= p.rng.Through {
		return errEmpty
	}
	at.pager.narrow(p.rng.Through)
	if before > at.pivot {
		at.pager.split.ceiling = before
	}
	if !at.pager.done {
		s.slivers = 0
	}
	p.rng.Through = at.pivot
	return nil
}

// narrow gives up what a Pager that nobody else has yet would list beyond through.
func (p *Pager) narrow(through string) {
	if through == p.rng.Through {
		return
	}
	p.rng.Through = through
	for i, e := range p.rest {
		switch {
		case lossy(e.Key, p.exact) || e.Key < through:
		case e.Key == through:
			p.rest, p.done = p.rest[:i+1], true
			return
		default:
			p.rest, p.done = p.rest[:i], true
			return
		}
	}
}

// pagesHad is how many pages brought keys so far.
func (p *Pager) pagesHad() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.split.pages
}
