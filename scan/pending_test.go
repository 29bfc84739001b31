package scan

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"headcount/scan/list"
)

// After commits in any order, the pending Ranges contain exactly the keys of the pages that are not committed. Removing
// a Range that is not pending as a whole fails and changes nothing.
func TestPendingRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// The keys are a to z. A page contains the keys between two consecutive ends.
		ends := rapid.SliceOfNDistinct(rapid.IntRange('b', 'z'), 0, 8, rapid.ID[int]).Draw(t, "ends")
		slices.Sort(ends)
		var pages []list.Range
		after := ""
		for _, end := range ends {
			pages = append(pages, list.Range{After: after, Through: string(rune(end))})
			after = string(rune(end))
		}
		pages = append(pages, list.Range{After: after})
		whole := list.Range{}
		if rapid.Bool().Draw(t, "bounded") && len(ends) > 0 {
			pages = pages[:len(pages)-1]
			whole.Through = after
		}
		l := pendingRanges{whole}
		open := slices.Clone(pages)
		for _, page := range rapid.Permutation(pages).Draw(t, "order") {
			if err := l.remove(page); err != nil {
				t.Fatal(err)
			}
			open = slices.DeleteFunc(open, func(p list.Range) bool { return p == page })
			for c := 'a'; c <= 'z'; c++ {
				in := func(r list.Range) bool { return r.Contains(string(c)) }
				if want, got := slices.ContainsFunc(open, in), slices.ContainsFunc(l, in); want != got {
					t.Fatalf("after %v: key %q is pending: got %v, want %v, in %v", page, c, got, want, l)
				}
			}
			if again := l.remove(page); again == nil {
				t.Fatalf("second commit of %v: got no error", page)
			}
			if !slices.IsSortedFunc(l, func(a, b list.Range) int {
				if a.Through == "" || a.Through > b.After {
					return 1
				}
				return -1
			}) {
				t.Fatalf("got %v, want sorted Ranges that do not overlap", l)
			}
		}
		if pending := l; len(pending) > 0 {
			t.Fatalf("got pending Ranges %v after the commit of all pages, want none", pending)
		}
	})
	l := pendingRanges{{After: "b", Through: "d"}, {After: "f"}}
	for _, r := range []list.Range{
		{}, {After: "a", Through: "c"}, {After: "c", Through: "e"}, {After: "c"}, {After: "d", Through: "e"}, {Through: "g"},
	} {
		if err := l.remove(r); err == nil || fmt.Sprint(l) != `[("b", "d"] ("f", ∞)]` {
			t.Errorf("remove %v: got error %v, pending %v; want an error and no change", r, err, l)
		}
	}
}

// Pages that end inside a key are taken off from the first to the last. Those of other keys come in any order.
func TestPendingRangesInsideKeys(t *testing.T) {
	l := pendingRanges{{Through: "m"}, {After: "p", AfterVersion: "v1"}}
	for _, c := range []struct {
		page list.Range
		want string // empty: it is refused
	}{
		{list.Range{After: "c", Through: "e"}, `[("", "c"] ("e", "m"] ("p"@v1, ∞)]`},
		{list.Range{After: "e", AfterVersion: "v1", Through: "f"}, ""}, // the page before is not committed
		{list.Range{After: "g", Through: "k", ThroughVersion: "v1"}, `[("", "c"] ("e", "g"] ("k"@v1, "m"] ("p"@v1, ∞)]`},
		{list.Range{After: "k", Through: "m"}, `[("", "c"] ("e", "g"] ("k"@v1, "k"] ("p"@v1, ∞)]`},
		{list.Range{After: "k", AfterVersion: "v2", Through: "k"}, ""},
		{list.Range{After: "k", AfterVersion: "v1", Through: "k", ThroughVersion: "v2"},
			`[("", "c"] ("e", "g"] ("k"@v2, "k"] ("p"@v1, ∞)]`},
		{list.Range{After: "k", AfterVersion: "v2", Through: "k"}, `[("", "c"] ("e", "g"] ("p"@v1, ∞)]`},
		{list.Range{After: "p", AfterVersion: "v1"}, `[("", "c"] ("e", "g"]]`},
	} {
		before := fmt.Sprint(l)
		err := l.remove(c.page)
		if (err == nil) != (c.want != "") || fmt.Sprint(l) != cmp.Or(c.want, before) {
			t.Errorf("remove %v: %v, pending %v, want %s", c.page, err, l, c.want)
		}
	}
}
