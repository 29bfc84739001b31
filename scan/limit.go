package scan

import (
	"context"
	"sync/atomic"

	"headcount/scan/list"
)

// limited is a walk that ends when so many objects were handed out by it and all others that share the count. The Page that reaches the limit
// is cut, and extends to the end of the Range: what lies behind is not part of the scan.
type limited struct {
	walk
	rng  list.Range
	left *atomic.Int64

	isCut bool        // the limit was reached by this walk,
	rest  *list.Range // or by another one, before a Page that therefore was not handed out: the Range from there on
}

func (l *limited) Next(ctx context.Context) (*list.Page, error) {
	if l.left.Load() <= 0 {
		return nil, nil
	}
	p, err := l.walk.Next(ctx)
	if p == nil {
		return nil, err
	}
	left := l.left.Add(-int64(len(p.Entries)))
	if left >= 0 {
		return p, nil
	}
	l.isCut = true
	p.Range.Through = l.rng.Through
	if n := int64(len(p.Entries)) + left; n > 0 {
		p.Entries = p.Entries[:n]
		if p.Metadata != nil {
			p.Metadata = p.Metadata[:n]
		}
		return p, nil
	}
	l.rest = &p.Range
	return nil, nil
}

// Rest is like Pager.Rest, for the keys that are part of the scan.
func (l *limited) Rest() (rest list.Range, ok bool) {
	switch {
	case l.rest != nil:
		return *l.rest, true
	case l.isCut:
		return list.Range{}, false
	}
	return l.walk.Rest()
}
