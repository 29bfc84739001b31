package scan

import (
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
	p := newPage(listed, mayPass, false, func() {})
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
		if p := newPage(plus, mayPass, readsKey, func() {}); len(p.heads) != want {
			t.Errorf("readsKey %v: %d objects get a HEAD, want %d", readsKey, len(p.heads), want)
		}
	}
	if p := newPage(listed, nil, false, func() {}); len(p.heads) != 5 || p.outcomes != (metrics.Outcomes{Listed: 5}) {
		t.Errorf("without a choice %d objects get a HEAD, outcomes %+v", len(p.heads), p.outcomes)
	}
}
