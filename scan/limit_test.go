package scan

import (
	"context"
	"sync/atomic"
	"testing"

	"headcount/scan/list"
)

func pageOf(keys ...string) *list.Page {
	p := &list.Page{Range: list.Range{After: "before " + keys[0], Through: keys[len(keys)-1]}}
	for _, k := range keys {
		p.Entries = append(p.Entries, list.Entry{Key: k})
	}
	return p
}

// readyPages is a list.PageSource of given Pages. Next calls onGet first unless it is nil.
type readyPages struct {
	pages []*list.Page
	rest  list.Range
	onGet func()
}

func (w *readyPages) Next(context.Context) (*list.Page, error) {
	if w.onGet != nil {
		w.onGet()
	}
	if len(w.pages) == 0 {
		return nil, nil
	}
	p := w.pages[0]
	w.pages, w.rest.After = w.pages[1:], p.Range.Through
	return p, nil
}

func (w *readyPages) Rest() (list.Range, bool) { return w.rest, true }

// Two walks that share a limit return at most that number of objects. The last Page of each walk covers the rest of the
// walk's Range, so that the whole Range is committed.
func TestWalksShareLimit(t *testing.T) {
	var left atomic.Int64
	left.Store(5)
	first := &walk{pages: &readyPages{
		pages: []*list.Page{pageOf("a", "b", "c"), pageOf("d", "e", "f"), pageOf("g")}, rest: list.Range{Through: "m"},
	}, left: &left}
	second := &walk{pages: &readyPages{pages: []*list.Page{pageOf("n")}, rest: list.Range{After: "m"}}, left: &left}
	for i, want := range []struct {
		walk    *walk
		entries int
		through string
	}{{first, 3, "c"}, {first, 2, "m"}, {second, 0, ""}} {
		p, err := want.walk.next(t.Context())
		if err != nil || p == nil || len(p.Entries) != want.entries || p.Range.Through != want.through {
			t.Fatalf("page %d: got %+v, error %v; want %d objects through %q", i, p, err, want.entries, want.through)
		}
		if want.walk == second && p.Range != (list.Range{After: "m"}) {
			t.Errorf("got Range %v of the second Walk, want all after m", p.Range)
		}
	}
	for _, w := range []*walk{first, second} {
		if p, err := w.next(t.Context()); p != nil || err != nil {
			t.Errorf("after the limit: got page %+v, error %v; want neither", p, err)
		}
	}
}

// A walk lists a Page while another walk reaches the limit. It returns one Page with its whole Range and no objects.
func TestLimitReachedByAnotherWalk(t *testing.T) {
	var left atomic.Int64
	left.Store(5)
	w := &walk{left: &left, pages: &readyPages{
		pages: []*list.Page{
			pageOf("a", "b", "c"),
		}, rest: list.Range{After: "before a", Through: "m"}, onGet: func() { left.Store(0) },
	}}
	p, err := w.next(t.Context())
	if err != nil || p == nil || len(p.Entries) != 0 || p.Range != (list.Range{After: "before a", Through: "m"}) {
		t.Errorf("got %+v, error %v; want an empty page for the whole Range", p, err)
	}
	if p, err := w.next(t.Context()); p != nil || err != nil {
		t.Errorf("after the limit: got page %+v, error %v; want neither", p, err)
	}
}
