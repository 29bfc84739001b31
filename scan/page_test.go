package scan

import (
	"context"
	"errors"
	"strings"
	"testing"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

// A page keeps the objects that get a HEAD, each with its metadata. The other objects are filtered, and the Page that
// is committed still has all of them.
func TestPageKeepsObjectsThatNeedHead(t *testing.T) {
	listed := pageOf("a", "b-filtered", "c", "d-filtered", "e")
	for _, e := range listed.Entries {
		listed.Metadata = append(listed.Metadata, list.Metadata{Items: []list.Item{{Name: "key", Value: e.Key}}})
	}
	mayPass := func(r *Record) bool { return !strings.HasSuffix(r.Key(), "-filtered") }
	p := mustPage(t, listed, mayPass, false)
	if len(p.heads) != 3 || len(p.metadata) != 3 || p.pending != 3 || len(p.Entries) != 5 {
		t.Fatalf("%d objects get a HEAD, %d have metadata, %d are pending, of %d; want 3, 3, 3, of 5",
			len(p.heads), len(p.metadata), p.pending, len(p.Entries))
	}
	for i, want := range []string{"a", "c", "e"} {
		if p.heads[i].Key != want || p.metadata[i].Items[0].Value != want {
			t.Errorf("object %d is %q with the metadata of %q, want %q", i, p.heads[i].Key, p.metadata[i].Items[0].Value, want)
		}
	}
	if want := (metrics.Outcomes{Listed: 5, Filtered: 2}); p.outcomes != want {
		t.Errorf("outcomes %+v, want %+v", p.outcomes, want)
	}
	// The name behind a plus may be another one: where the choice reads keys, the HEAD tells.
	plus := pageOf("f-filtered", "g-filtered")
	plus.KeysDeclared, plus.Entries[0].Encoded = true, "f+filtered"
	for readsKey, want := range map[bool]int{false: 0, true: 1} {
		if p := mustPage(t, plus, mayPass, readsKey); len(p.heads) != want {
			t.Errorf("readsKey %v: %d objects get a HEAD, want %d", readsKey, len(p.heads), want)
		}
	}
	if p := mustPage(t, listed, nil, false); len(p.heads) != 5 || p.outcomes != (metrics.Outcomes{Listed: 5}) {
		t.Errorf("without a choice %d objects get a HEAD, outcomes %+v", len(p.heads), p.outcomes)
	}
}

func mustPage(t *testing.T, listed *list.Page, mayPass func(*Record) bool, readsKey bool) *page {
	t.Helper()
	p, err := newPage(t.Context(), listed, mayPass, readsKey, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A filter can take long for an object. It is not called for the rest of a page after the end of the context.
func TestFilterEndsWithContext(t *testing.T) {
	type evaluate func(context.Context, *list.Page, func(*Record) bool) error
	for name, run := range map[string]evaluate{
		"which objects get a HEAD": func(ctx context.Context, p *list.Page, passes func(*Record) bool) error {
			_, err := newPage(ctx, p, passes, false, func() {})
			return err
		},
		"which objects of a LIST are printed": func(ctx context.Context, p *list.Page, passes func(*Record) bool) error {
			x := &encoder{filter: &Filter{Whole: func(r *Record) (bool, error) { return passes(r) && false, nil }}}
			return x.encodeListed(ctx, &page{Page: p})
		},
	} {
		for _, last := range []int{0, 1, 4} { // the last object of which the filter is called
			ctx, cancel := context.WithCancel(t.Context())
			if last == 0 {
				cancel()
			}
			calls := 0
			err := run(ctx, pageOf("a", "b", "c", "d", "e"), func(*Record) bool {
				if calls++; calls == last {
					cancel()
				}
				return true
			})
			cancel()
			if calls != last || !errors.Is(err, context.Canceled) {
				t.Errorf("%s: after %d objects of %d: %v", name, calls, last, err)
			}
		}
	}
}
