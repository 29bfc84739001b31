package list

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// splitting is what a Pager knows of its Range that helps to split it. The zero value knows nothing. It belongs to whoever holds the Pager's mu.
type splitting struct {
	marks   *marks // shared by all Pagers that list for the same Crew; nil: the Range is not split
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
	s.marks.learn(fresh)
}

// errNotSplit is why a Range was not split this time. After another page that may be possible.
var errNotSplit = errors.New("the Range was not split")

// errEmpty is why it was not split and can be tried again at once: nothing lies in the upper half.
var errEmpty = errors.New("the upper half of the Range is empty")

// errIgnored is why no Range of this store can be split.
var errIgnored = errors.New("the store ignores start-after")

// probesMax is how many pages may be empty before the first key of a new half is given up.
const probesMax = 3

// Split cuts the Range in two while its owner walks it, and returns a Pager for the upper half: of (A, B] the Pager keeps (A, M], and the other one
// walks (M, B]. It may be called from another goroutine, by one at a time. It sends one LIST, from a place that is guessed by the keys seen so far;
// the first key that it shows is M, and the others are the new Pager's first page. So M is a key that the store has shown, nothing is
// asked twice, and what the guess decides is only how well the halves are balanced.
//
// Its error is errNotSplit, errEmpty, errIgnored, or final as those of Next.
func (p *Pager) Split(ctx context.Context) (*Pager, error) {
	guess, rng := p.guess()
	if guess == "" {
		return nil, errNotSplit
	}
	return p.splitAt(ctx, guess, rng)
}

// splitAt is Split of rng by the first key after guess.
func (p *Pager) splitAt(ctx context.Context, guess string, rng Range) (*Pager, error) {
	half := p.lister.Walk(Range{guess, rng.Through})
	half.split.marks = p.split.marks
	for range probesMax {
		if err := half.fetch(ctx); err != nil {
			var refused *StoreError
			if errors.As(err, &refused) && refused.Status == 400 {
				return nil, errNotSplit // a key that nobody has written may be none that the store can read
			}
			return nil, err
		}
		if len(half.rest) > 0 || half.done {
			break
		}
	}
	switch at := half.split.opening; {
	case at != "" && at < guess:
		return nil, errIgnored
	case len(half.rest) == 0 && !half.done:
		return nil, errNotSplit
	}
	// Lossy keys before the first exact one may lie before it, and the lower half will list them again.
	at := slices.IndexFunc(half.rest, func(e Entry) bool { return !lossy(e.Key, half.exact) })
	pivot := ""
	if at >= 0 {
		pivot = strings.Clone(half.rest[at].Key)
	}
	if err := p.cede(guess, pivot, half.done); err != nil {
		return nil, err
	}
	half.rng.After, half.cursor, half.rest = pivot, pivot, half.rest[at+1:]
	return half, nil
}

// cede gives up what lies beyond pivot, if the walk has not come there. No key lies between guess and pivot; an empty pivot: nor up to the end. A sliver
// is no more than a page.
func (p *Pager) cede(guess, pivot string, isSliver bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done || p.split.last >= guess {
		return errNotSplit
	}
	p.split.ceiling, p.split.slivers = guess, p.split.slivers+1
	if pivot == "" || pivot == p.rng.Through {
		return errEmpty
	}
	if !isSliver {
		p.split.slivers = 0
	}
	p.rng.Through = pivot
	return nil
}

// pagesHad is how many pages brought keys so far.
func (p *Pager) pagesHad() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.split.pages
}
