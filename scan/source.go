package scan

import (
	"context"
	"sync/atomic"

	"headcount/scan/list"
)

// source says which keys a run reads. It returns a walk over keys that no other walk has, and nil after the last one.
// It waits while the workers need no further walk. It may be called concurrently. Its error ends the run.
type source func(context.Context) (*walk, error)

// bucketSource lists the Ranges of a bucket, by several listers at once.
func bucketSource(lister *list.ParallelLister) source {
	return func(ctx context.Context) (*walk, error) {
		pager, err := lister.NextPager(ctx)
		if pager == nil {
			return nil, err
		}
		return &walk{
			pages:   pager,
			isFirst: func() (bool, <-chan struct{}) { return lister.IsFirst(pager) },
			close:   func() { lister.Done(pager) },
		}, nil
	}
}

// withLimit returns s with walks that end together after so many objects.
func (s source) withLimit(objects int64) source {
	left := new(atomic.Int64)
	left.Store(objects)
	return func(ctx context.Context) (*walk, error) {
		w, err := s(ctx)
		if w != nil {
			w.left = left
		}
		return w, err
	}
}

// walk hands out the Pages of one Range. They are adjoining, and cover the Range. It belongs to one goroutine.
type walk struct {
	pages list.PageSource
	left  *atomic.Int64 // objects until the limit, of all walks of a run together; nil: there is no limit
	done  bool          // the last Page was handed out

	// isFirst reports whether no other walk has smaller keys to list. changed is closed when the answer may change; nil:
	// it does not.
	isFirst firstFunc
	close   func() // ends the walk; called once, after the last Page
}

// next returns the next Page, and nil after the last one. The last Page may have no Entries: it covers the rest of the
// Range, in which no more keys are, or which is behind the limit.
func (w *walk) next(ctx context.Context) (*list.Page, error) {
	if w.done {
		return nil, nil
	}
	rest, _ := w.pages.Rest()
	if w.left != nil && w.left.Load() <= 0 {
		w.done = true
		return &list.Page{Range: rest}, nil
	}
	page, err := w.pages.Next(ctx)
	switch {
	case err != nil:
		return nil, err
	case page == nil:
		w.done = true
		if rest, ok := w.pages.Rest(); ok {
			return &list.Page{Range: rest}, nil
		}
		return nil, nil
	case w.left != nil:
		w.cut(page, rest)
	}
	return page, nil
}

// cut counts the objects of a Page, and cuts the Page that reaches the limit. It then extends to the end of the Range:
// the keys behind it are no part of the scan.
func (w *walk) cut(p *list.Page, rest list.Range) {
	left := w.left.Add(-int64(len(p.Entries)))
	if left >= 0 {
		return
	}
	w.done = true
	if p.Unplaced {
		p.Range, p.Unplaced = rest, false
	}
	p.Range.Through, p.Range.ThroughVersion = rest.Through, rest.ThroughVersion
	n := max(0, int64(len(p.Entries))+left) // 0: another walk reached the limit meanwhile
	p.Entries = p.Entries[:n]
	if p.Metadata != nil {
		p.Metadata = p.Metadata[:n]
	}
}
