package scan

import (
	"context"
	"sync/atomic"

	"headcount/scan/list"
)

// limitedSource is a Source whose Walks end together after some objects: --limit.
type limitedSource struct {
	Source
	left *atomic.Int64 // objects until the limit
}

func (s *limitedSource) Next(ctx context.Context) (Walk, error) {
	walk, err := s.Source.Next(ctx)
	if walk == nil {
		return nil, err
	}
	return &limitedWalk{Walk: walk, left: s.left}, nil
}

// limitedWalk is a Walk that ends when all Walks that share left have handed out so many objects. The Page that reaches
// the limit is cut, and extends to the end of the Range: the keys behind it are no part of the scan.
type limitedWalk struct {
	Walk
	left *atomic.Int64
	done bool
}

func (w *limitedWalk) Next(ctx context.Context) (*list.Page, error) {
	if w.done {
		return nil, nil
	}
	rest := w.Walk.Rest()
	if w.left.Load() <= 0 {
		w.done = true
		return &list.Page{Range: rest}, nil
	}
	p, err := w.Walk.Next(ctx)
	if p == nil {
		return nil, err
	}
	left := w.left.Add(-int64(len(p.Entries)))
	if left >= 0 {
		return p, nil
	}
	w.done = true
	if p.Unplaced {
		p.Range, p.Unplaced = rest, false
	}
	p.Range.Through = rest.Through
	n := max(0, int64(len(p.Entries))+left) // 0: another Walk reached the limit meanwhile
	p.Entries = p.Entries[:n]
	if p.Metadata != nil {
		p.Metadata = p.Metadata[:n]
	}
	return p, nil
}
