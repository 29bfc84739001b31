package list

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// goneListsMax is how many LISTs look for keys at once. A bucket of which half was deleted since its listing costs one
// more LIST for each page.
const goneListsMax = 16

// ErrStillListed is why an object that is not found is not gone.
var ErrStillListed = errors.New("the store goes on listing this key")

// ErrNotAsked is why it is open whether an object is still listed: the LISTs for others have failed.
var ErrNotAsked = errors.New("the store does not answer LISTs")

// Missing is an object that was listed on a Page, and is not found.
type Missing struct {
	Entry *Entry
	Page  *Page
}

// GoneChecker finds out which objects are still listed though the answers to their HEADs say 404. An index can have
// stale entries, and a proxy can rewrite the path of a HEAD. https://github.com/rustfs/rustfs/issues/6218,
// https://github.com/ceph/ceph/pull/20293
//
// An object is looked for by every name that it may have (Names), and is found by its key as it was listed.
type GoneChecker struct {
	lister *Lister
	names  *Names

	// byKey asks for each key by a LIST of its own: the keys are known, so that others may lie between them. Otherwise a
	// page is listed again, as far as its last missing key.
	byKey  bool
	denied atomic.Bool // with byKey: nothing may be listed, and what is not found is gone
}

// NewGoneChecker returns a GoneChecker. byKey says that the keys are known, and were not listed in this run.
func (l *Lister) NewGoneChecker(names *Names, byKey bool) *GoneChecker {
	return &GoneChecker{lister: l, names: names, byKey: byKey}
}

// Check returns for each of the missing objects why it is not gone: ErrStillListed, or the reason why that is open; nil
// for an object that is gone. Its error is the cause of ctx's end.
func (c *GoneChecker) Check(ctx context.Context, missing []Missing) (doubts []error, err error) {
	doubts = make([]error, len(missing))
	var open []int // indexes of the objects that are asked for by key
	if c.byKey {
		for i := range missing {
			open = append(open, i)
		}
	} else {
		open = c.listPages(ctx, missing, doubts)
	}
	var (
		g      errgroup.Group
		failed atomic.Int64 // LISTs in a row
	)
	g.SetLimit(goneListsMax)
	for _, i := range open {
		g.Go(func() error {
			if failed.Load() >= goneListsMax {
				doubts[i] = ErrNotAsked
				return nil
			}
			switch doubts[i] = c.ask(ctx, missing[i].Entry); doubts[i] {
			case nil, ErrStillListed:
				failed.Store(0)
			default:
				failed.Add(1)
			}
			return nil
		})
	}
	_ = g.Wait() // what fails is a doubt
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return doubts, nil
}

// listPages lists the pages of missing objects again. It sets doubts for those that are still listed, and returns the
// indexes of those about which the LISTs say nothing.
func (c *GoneChecker) listPages(ctx context.Context, missing []Missing, doubts []error) (open []int) {
	pages := map[*Page][]int{}
	for i, m := range missing {
		pages[m.Page] = append(pages[m.Page], i)
	}
	var g errgroup.Group
	g.SetLimit(goneListsMax)
	opens := make(chan []int, len(pages))
	for p, of := range pages {
		g.Go(func() error {
			opens <- c.listAgain(ctx, p, missing, of, doubts)
			return nil
		})
	}
	_ = g.Wait() // a page that cannot be listed leaves its objects open
	close(opens)
	for some := range opens {
		open = append(open, some...)
	}
	return open
}

// listAgain lists a page again, behind its first key. That leaves some objects open: those of a store with another
// order, the first key, those behind the last key of the bucket, and those of which one possible name is none of these
// keys.
func (c *GoneChecker) listAgain(
	ctx context.Context, p *Page, missing []Missing, of []int, doubts []error,
) (open []int) {
	if c.lister.cfg.Versions { // a version is looked for among those of its key
		return of
	}
	after, through := p.Entries[0].Key, ""
	names := make([][]string, len(of))
	for n, i := range of {
		names[n] = c.names.possible(missing[i].Entry)
		for _, name := range names[n] {
			through = max(through, name)
		}
	}
	if through <= after {
		return of
	}
	keys, upTo, err := c.lister.keysBetween(ctx, after, through)
	if err != nil {
		return of
	}
	for n, i := range of {
		e := missing[i].Entry
		if keys[e.Key] || keys[ListedName(e)] {
			doubts[i] = ErrStillListed
			continue
		}
		for _, name := range names[n] {
			if name <= after || name > upTo {
				open = append(open, i)
				break
			}
		}
	}
	return open
}

// ask asks for one object by key, and returns its doubt.
func (c *GoneChecker) ask(ctx context.Context, e *Entry) error {
	for _, name := range c.names.possible(e) {
		if c.denied.Load() {
			return nil
		}
		listed, err := c.lister.hasKey(ctx, name, e, !c.byKey)
		switch {
		case listed:
			return ErrStillListed
		case err != nil && !c.mayNotList(ctx, err):
			return fmt.Errorf("not found, and not known whether it is listed: %w", err)
		}
	}
	return nil
}

// mayNotList reports whether the error of a LIST by key means that nothing may be listed. A right to list can be
// limited to some prefixes, so another LIST has to be denied too. A run that lists has the right.
func (c *GoneChecker) mayNotList(ctx context.Context, err error) bool {
	if !c.byKey || !IsListDenied(err) || !IsListDenied(c.lister.Probe(ctx)) {
		return false
	}
	c.denied.Store(true)
	return true
}
