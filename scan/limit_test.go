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

// pages is a walk of which each Page is there.
type pages struct {
	pages []*list.Page
	rest  list.Range
}

func (w *pages) Next(context.Context) (*list.Page, error) {
	if len(w.pages) == 0 {
		return nil, nil
	}
	p := w.pages[0]
	w.pages, w.rest.After = w.pages[1:], p.Range.Through
	return p, nil
}

func (w *pages) Rest() (list.Range, bool) { return w.rest, true }

// Two walks that share a limit hand out no more than it, and each says which part of its Range has no key that is part of the scan.
func TestLimitIsShared(t *testing.T) {
	var left atomic.Int64
	left.Store(5)
	first := &limited{walk: &pages{[]*list.Page{pageOf("a", "b", "c"), pageOf("d", "e", "f")}, list.Range{Through: "m"}}, rng: list.Range{Through: "m"}, left: &left}
	second := &limited{walk: &pages{[]*list.Page{pageOf("n")}, list.Range{After: "m"}}, rng: list.Range{After: "m"}, left: &left}

	p, err := first.Next(t.Context())
	if err != nil || len(p.Entries) != 3 || p.Range.Through != "c" {
		t.Fatalf("%+v, %v", p, err)
	}
	p, err = first.Next(t.Context())
	if err != nil || len(p.Entries) != 2 || p.Entries[1].Key != "e" || p.Range.Through != "m" {
		t.Fatalf("%+v, %v", p, err)
	}
	if rest, ok := first.Rest(); ok {
		t.Errorf("there is the rest %v", rest)
	}
	for _, w := range []*limited{first, second} {
		if p, err := w.Next(t.Context()); p != nil || err != nil {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if rest, ok := second.Rest(); !ok || rest != (list.Range{After: "m"}) {
		t.Errorf("the rest is %v, %v", rest, ok)
	}
}

// A walk that has listed a Page while another one reached the limit does not hand it out, and its keys are in the rest.
func TestLimitReachedByAnother(t *testing.T) {
	var left atomic.Int64
	left.Store(5)
	w := &limited{rng: list.Range{Through: "m"}, left: &left}
	w.walk = meanwhile{&pages{[]*list.Page{pageOf("a", "b", "c")}, list.Range{Through: "m"}}, func() { left.Store(0) }}
	if p, err := w.Next(t.Context()); p != nil || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if rest, ok := w.Rest(); !ok || rest != (list.Range{After: "before a", Through: "m"}) {
		t.Errorf("the rest is %v, %v", rest, ok)
	}
}

// meanwhile is a walk beside which something happens.
type meanwhile struct {
	walk
	do func()
}

func (m meanwhile) Next(ctx context.Context) (*list.Page, error) {
	m.do()
	return m.walk.Next(ctx)
}
