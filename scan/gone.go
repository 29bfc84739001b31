package scan

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"headcount/scan/fault"
	"headcount/scan/list"
)

// goneListsMax is how many LISTs look for keys at once. A bucket of which half was deleted since its listing costs one
// more LIST for each page.
const goneListsMax = 16

// errStillListed is why an object that is not found is not gone.
var errStillListed = errors.New("the store goes on listing this key")

// goneChecker finds out which objects are still listed though the answers to their HEADs say 404. An index can have
// stale entries, and a proxy can rewrite the path of a HEAD. https://github.com/rustfs/rustfs/issues/6218,
// https://github.com/ceph/ceph/pull/20293
type goneChecker struct {
	lister *list.Lister

	// byKey asks for each key by a LIST of its own: the keys are known, so that others may lie between them. Otherwise a
	// page is listed again, as far as its last missing key.
	byKey  bool
	denied atomic.Bool // the store lets no single key be listed: what is not found is gone
}

// check returns those of the missing objects that are still listed.
func (c *goneChecker) check(ctx context.Context, missing []*verification) (listed map[*verification]bool, err error) {
	found := make([]bool, len(missing))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(goneListsMax)
	pages := map[*page][]int{}
	for i, m := range missing {
		if c.byKey {
			g.Go(func() (err error) {
				found[i], err = c.hasKey(ctx, m.key())
				return err
			})
			continue
		}
		pages[m.batch.page] = append(pages[m.batch.page], i)
	}
	for p, indexes := range pages {
		g.Go(func() error { return c.listAgain(ctx, p, missing, indexes, found) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	listed = map[*verification]bool{}
	for i, m := range missing {
		if found[i] {
			listed[m] = true
		}
	}
	return listed, nil
}

// listAgain sets found for those of the missing objects of a page that are still listed. It lists behind the first key
// of the page. Keys about which that says nothing are asked for one by one: those of a store with another order, the
// first key, and those behind the last key of the bucket.
func (c *goneChecker) listAgain(ctx context.Context, p *page, missing []*verification, of []int, found []bool) error {
	after, through := p.Entries[0].Key, ""
	for _, i := range of {
		through = max(through, missing[i].key())
	}
	var (
		keys map[string]bool
		upTo string
		err  error
	)
	if through > after {
		if keys, upTo, err = c.lister.KeysBetween(ctx, after, through); err != nil {
			return err
		}
	}
	for _, i := range of {
		key := missing[i].key()
		if found[i] = keys[key]; found[i] || key > after && key <= upTo {
			continue
		}
		if found[i], err = c.hasKey(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// hasKey reports whether a key is still listed. A store that refuses to say is not asked again.
func (c *goneChecker) hasKey(ctx context.Context, key string) (bool, error) {
	if c.denied.Load() {
		return false, nil
	}
	listed, err := c.lister.HasKey(ctx, key)
	if fault.IsRefused(err) || list.IsListDenied(err) {
		c.denied.Store(true)
		return false, nil
	}
	return listed, err
}
