package scan

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// goneListsMax is how many LISTs look for keys at once. A bucket of which half was deleted since its listing costs one
// more LIST for each page.
const goneListsMax = 16

// undecidedMax is how often LISTs may leave open whether an object is still listed, before the object fails. The canary
// succeeds between them: a store that is unavailable for a while fails no object.
const undecidedMax = 3

// errStillListed is why an object that is not found is not gone.
var errStillListed = errors.New("the store goes on listing this key")

// errNotAsked is why it is open whether an object is still listed: the LISTs for others have failed.
var errNotAsked = errors.New("the store does not answer LISTs")

// goneChecker finds out which objects are still listed though the answers to their HEADs say 404. An index can have
// stale entries, and a proxy can rewrite the path of a HEAD. https://github.com/rustfs/rustfs/issues/6218,
// https://github.com/ceph/ceph/pull/20293
//
// An object is looked for by every name that it may have (decodedNames), and is found by its key as it was listed.
type goneChecker struct {
	lister *list.Lister
	names  *decodedNames

	// byKey asks for each key by a LIST of its own: the keys are known, so that others may lie between them. Otherwise a
	// page is listed again, as far as its last missing key.
	byKey  bool
	denied atomic.Bool // with byKey: nothing may be listed, and what is not found is gone
}

// check returns for each of the missing objects why it is not gone: errStillListed, or the reason why that is open; nil
// for an object that is gone. Its error is the cause of ctx's end.
func (c *goneChecker) check(ctx context.Context, missing []*unresolved) (doubts []error, err error) {
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
				doubts[i] = errNotAsked
				return nil
			}
			switch doubts[i] = c.ask(ctx, &missing[i].err.Entry); doubts[i] {
			case nil, errStillListed:
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
func (c *goneChecker) listPages(ctx context.Context, missing []*unresolved, doubts []error) (open []int) {
	pages := map[*page][]int{}
	for i, m := range missing {
		pages[m.batch.page] = append(pages[m.batch.page], i)
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
func (c *goneChecker) listAgain(
	ctx context.Context, p *page, missing []*unresolved, of []int, doubts []error,
) (open []int) {
	after, through := p.Entries[0].Key, ""
	names := make([][]string, len(of))
	for n, i := range of {
		names[n] = c.names.possible(&missing[i].err.Entry)
		for _, name := range names[n] {
			through = max(through, name)
		}
	}
	if through <= after {
		return of
	}
	keys, upTo, err := c.lister.KeysBetween(ctx, after, through)
	if err != nil {
		return of
	}
	for n, i := range of {
		e := &missing[i].err.Entry
		if keys[e.Key] || keys[list.ListedName(e)] {
			doubts[i] = errStillListed
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
func (c *goneChecker) ask(ctx context.Context, e *list.Entry) error {
	for _, name := range c.names.possible(e) {
		if c.denied.Load() {
			return nil
		}
		listed, err := c.lister.HasKey(ctx, name, e, !c.byKey)
		switch {
		case listed:
			return errStillListed
		case err != nil && !c.mayNotList(ctx, err):
			return fmt.Errorf("not found, and not known whether it is listed: %w", err)
		}
	}
	return nil
}

// mayNotList reports whether the error of a LIST by key means that nothing may be listed. A right to list can be
// limited to some prefixes, so another LIST has to be denied too. A run that lists has the right.
func (c *goneChecker) mayNotList(ctx context.Context, err error) bool {
	if !c.byKey || !list.IsListDenied(err) || !list.IsListDenied(c.lister.Probe(ctx)) {
		return false
	}
	c.denied.Store(true)
	return true
}

// decideMissing gives objects that were not found the Outcome gone. Those that are still listed get another HEAD: they
// may have been written anew. So do those about which LISTs left that open, a few times.
func (v *verifierRound) decideMissing(ctx context.Context) error {
	if len(v.missing) == 0 {
		return nil
	}
	doubts, err := v.stillListed(ctx, v.missing)
	if err != nil {
		return err
	}
	for i, u := range v.missing {
		if err := v.decideByDoubt(ctx, u, doubts[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifierRound) decideByDoubt(ctx context.Context, u *unresolved, doubt error) error {
	tried := &u.batch.attempts
	switch {
	case doubt == nil:
		gone := result{settled: 1, outcomes: metrics.Outcomes{Gone: 1}}
		return v.committer.addResult(ctx, u.batch.page, &gone)
	case doubt == errStillListed:
		tried.listedAgain = true
	case doubt == errNotAsked:
	case errors.Is(doubt, list.ErrUndecided):
		u.err.Class, u.err.Err = fault.ListedNotFound, doubt
		return v.fail(ctx, u)
	default:
		if tried.undecided++; tried.undecided >= undecidedMax {
			u.err.Class, u.err.Err = fault.FailureOf(doubt).Class, doubt
			return v.fail(ctx, u)
		}
	}
	v.resend(u, v.policy.RefusalDelay)
	return nil
}
