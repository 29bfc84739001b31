package scan

import (
	"context"

	"golang.org/x/sync/errgroup"

	"headcount/scan/metrics"
)

// producer is the first stage. It lists the pages of a source, by several listers at once, cuts them into batches, and
// hands the batches to the pool. A page without HEADs goes to the committer at once: its Range has to be
// committed too.
type producer struct {
	source       source
	listers      int                // at once, at most
	ordered      bool               // output in the order of keys
	mayPass      func(*Record) bool // nil: all objects get a HEAD; the objects without are filtered
	readsKey     bool               // mayPass reads the key
	listMetadata *listMetadata
	listingCheck *listingCheck

	// encode gives the objects of a page without HEADs their Outcomes; nil: they are filtered.
	encode func(context.Context, *page) error

	pageLimit *pageLimit
	inFlight  inFlight
	progress  *metrics.ProgressCounters
	pool      *workerPool
	committer *committer
}

// run lists everything. When it returns nil, every page is with the next stages.
func (p *producer) run(ctx context.Context) error {
	defer p.inFlight.remove()
	g, ctx := errgroup.WithContext(ctx)
	for range p.listers {
		g.Go(func() error { return p.list(ctx) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	p.progress.ListedAll.Store(true)
	return nil
}

// list lists one walk after the other. One call of it is one of the listers.
func (p *producer) list(ctx context.Context) error {
	for started := false; ; started = true {
		walk, err := p.source(ctx)
		if walk == nil {
			return err
		}
		if !started {
			p.pageLimit.grow(0, 1)
		}
		if err := p.listWalk(ctx, walk); err != nil {
			return err
		}
	}
}

func (p *producer) listWalk(ctx context.Context, walk *walk) error {
	var isFirst firstFunc
	if p.ordered {
		isFirst = walk.isFirst
	}
	for {
		places, err := p.pageLimit.acquire(ctx, isFirst)
		if err != nil {
			return err
		}
		listed, err := walk.next(ctx)
		if err != nil {
			return err
		}
		if listed == nil {
			places.release()
			walk.close()
			return nil
		}
		places.resize(placesFor(listed))
		p.listingCheck.onPage(listed)
		p.inFlight.add()
		p.progress.Listed.Add(int64(len(listed.Entries)))
		page, err := newPage(ctx, listed, p.mayPass, p.readsKey, places.release)
		if err != nil {
			return err
		}
		if p.encode != nil {
			if err := p.encode(ctx, page); err != nil {
				return err
			}
			p.pool.records.add(page.bytes)
		}
		page.release = func() {
			p.pool.records.remove(page.bytes)
			places.release()
		}
		if err := p.handOn(ctx, page); err != nil {
			return err
		}
	}
}

// handOn gives a page to the next stage.
func (p *producer) handOn(ctx context.Context, page *page) error {
	count := len(page.heads)
	p.progress.Settled.Add(int64(len(page.Entries) - count))
	if count == 0 {
		return p.committer.enqueue(ctx, page)
	}
	if err := p.listMetadata.onPage(page); err != nil {
		return err
	}
	size := p.pool.batchSize()
	for first := 0; first < count; first += size {
		if err := p.pool.submit(ctx, &batch{page: page, first: first, count: min(size, count-first)}); err != nil {
			return err
		}
	}
	return nil
}
