package scan

import (
	"context"
	"slices"
	"sync"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

// Source says which keys a Scan reads: the Scan asks it for Walks, and tells it which Ranges are committed.
//
// There are two Sources: a bucket's listing of some Ranges (of one Range at first, later of the Ranges that a
// checkpoint has left), and a list of known keys.
type Source interface {
	// Next returns a Walk over keys that no other Walk has, and nil after the last one. It waits while the workers need
	// no further Walk. It may be called concurrently. Its error ends the run.
	Next(ctx context.Context) (Walk, error)

	// Committed removes the Range of a committed page from the pending Ranges. Its error is an internal one: the Range was
	// not pending.
	Committed(list.Range, metrics.Outcomes) error

	// Pending returns the Ranges that are not committed, in the order of their keys. When there are none, the Source is
	// complete. The caller does not change them.
	Pending() []list.Range

	// Split gives away a part of what no Walk has listed yet, for another machine to scan. The part is no longer pending.
	// ok is false where nothing can be given away now.
	Split(ctx context.Context) (part list.Range, ok bool, err error)
}

// Walk hands out the Pages of one Range. It belongs to one goroutine.
type Walk interface {
	// Next returns the next Page, and nil after the last one. The Pages are adjoining, and cover the Range of the Walk.
	// The last Page may have no Entries.
	Next(context.Context) (*list.Page, error)

	// Rest returns the part of the Range that no Page covered.
	Rest() list.Range

	// IsFirst reports whether no other Walk of the Source has smaller keys to list. changed is closed when the answer may
	// change; nil: it does not.
	IsFirst() (first bool, changed <-chan struct{})

	// Close ends the Walk. It is called once, after the last Page.
	Close()
}

// pendingRanges is the Ranges that are not committed, in the order of their keys, without overlap. Their number is
// bounded by that of the Ranges at the start and the pages in flight.
type pendingRanges struct {
	mu     sync.Mutex
	ranges []list.Range
}

func (p *pendingRanges) Pending() []list.Range {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ranges
}

func (p *pendingRanges) Committed(rng list.Range, _ metrics.Outcomes) error { return p.remove(rng) }

// remove takes out a Range. That each Range lies within one pending Range is what makes a run complete.
func (p *pendingRanges) remove(rng list.Range) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest, err := withoutRange(p.ranges, rng)
	p.ranges = rest
	return err
}

// bucketSource lists the Ranges of a bucket, by several listers at once.
type bucketSource struct {
	pendingRanges
	lister *list.ParallelLister
}

func newBucketSource(lister *list.ParallelLister, ranges []list.Range) *bucketSource {
	return &bucketSource{pendingRanges: pendingRanges{ranges: ranges}, lister: lister}
}

func (s *bucketSource) Next(ctx context.Context) (Walk, error) {
	pager, err := s.lister.NextPager(ctx)
	if pager == nil {
		return nil, err
	}
	return &rangeWalk{
		PageSource: pager,
		isFirst:    func() (bool, <-chan struct{}) { return s.lister.IsFirst(pager) },
		onClose:    func() { s.lister.Done(pager) },
	}, nil
}

func (s *bucketSource) Split(ctx context.Context) (list.Range, bool, error) {
	part, ok, err := s.lister.Split(ctx)
	if ok {
		err = s.remove(part)
	}
	return part, ok, err
}

// keySource hands out known keys, one Walk for each Range, one after the other.
type keySource struct {
	pendingRanges
	keys *list.Keys
	next []list.Range // of the Walks to come
}

func newKeySource(keys *list.Keys, ranges []list.Range) *keySource {
	return &keySource{pendingRanges: pendingRanges{ranges: ranges}, keys: keys, next: slices.Clone(ranges)}
}

func (s *keySource) Next(ctx context.Context) (Walk, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(s.next) == 0 {
		return nil, nil
	}
	walk := &rangeWalk{
		PageSource: s.keys.Pager(s.next[0]),
		isFirst:    func() (bool, <-chan struct{}) { return true, nil }, // one Walk comes after the other
		onClose:    func() {},
	}
	s.next = s.next[1:]
	return walk, nil
}

// Split gives away the last Range that no Walk has begun.
func (s *keySource) Split(context.Context) (list.Range, bool, error) {
	s.mu.Lock()
	if len(s.next) == 0 {
		s.mu.Unlock()
		return list.Range{}, false, nil
	}
	part := s.next[len(s.next)-1]
	s.next = s.next[:len(s.next)-1]
	s.mu.Unlock()
	return part, true, s.remove(part)
}

// rangeWalk is the Walk of a list.PageSource. After its last Page it covers the rest of the Range with a Page without
// Entries.
type rangeWalk struct {
	list.PageSource
	isFirst func() (first bool, changed <-chan struct{})
	onClose func()
	done    bool // the last Page was handed out
}

func (w *rangeWalk) Next(ctx context.Context) (*list.Page, error) {
	if w.done {
		return nil, nil
	}
	page, err := w.PageSource.Next(ctx)
	if page != nil || err != nil {
		return page, err
	}
	w.done = true
	rest, left := w.PageSource.Rest()
	if !left {
		return nil, nil
	}
	return &list.Page{Range: rest}, nil
}

func (w *rangeWalk) Rest() list.Range {
	rest, _ := w.PageSource.Rest()
	return rest
}

func (w *rangeWalk) Close() { w.onClose() }

func (w *rangeWalk) IsFirst() (first bool, changed <-chan struct{}) { return w.isFirst() }
