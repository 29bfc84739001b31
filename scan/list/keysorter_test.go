package list

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"headcount/scan/exit"
)

// pagesIn returns the entries of all Pages of a Range.
func pagesIn(t interface{ Fatal(...any) }, keys *Keys, rng Range) (all []Entry) {
	pager := keys.Pager(rng)
	for after := rng.After; ; {
		page, err := pager.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if page == nil {
			return all
		}
		if page.Range.After != after || len(page.Entries) > pageKeysMax {
			t.Fatal("the pages do not adjoin, or are too long: ", page.Range)
		}
		after = page.Range.Through
		all = append(all, page.Entries...)
	}
}

// sortBy returns the Keys of a KeySorter that sorts few entries at once.
func sortBy(t interface{ Fatal(...any) }, entries []Entry, memory, fanIn int) *Keys {
	s := NewKeySorter()
	s.memory, s.fanIn = memory, fanIn
	for _, e := range entries {
		if err := s.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Keys that were sorted on disk are those that were sorted in memory, in every Range, with equal keys too.
func TestKeySorterIsNewKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"", "a", "b", "\xff", "a/b", "a/\x00", "ü", strings.Repeat("k", 300)})
		entry := rapid.Custom(func(t *rapid.T) Entry {
			return Entry{
				Key: key.Draw(t, "key") + key.Draw(t, "rest"), ETag: rapid.String().Draw(t, "etag"),
				Encoded: key.Draw(t, "encoded"), Size: rapid.Int64Min(-1).Draw(t, "size"),
			}
		})
		entries := rapid.SliceOf(entry).Draw(t, "entries")
		want := NewKeys(entries)
		got := sortBy(t, entries, rapid.IntRange(1, 2000).Draw(t, "memory"), rapid.IntRange(2, 4).Draw(t, "fan-in"))
		defer got.Close()
		if got.Hash() != want.Hash() {
			t.Fatal("another hash")
		}
		rng := Range{After: key.Draw(t, "after"), Through: key.Draw(t, "through")}
		for _, rng := range []Range{{}, rng} {
			if got, want := pagesIn(t, got, rng), pagesIn(t, want, rng); !slices.Equal(got, want) {
				t.Fatalf("%v: got %+v, want %+v", rng, got, want)
			}
		}
	})
}

// A Range is found by the index. The files of a KeySorter are gone when its Keys are closed, or when it is.
func TestKeySorterIndex(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	const n = 3*indexEvery + 100
	var entries []Entry
	for i := range n {
		entries = append(entries, Entry{Key: fmt.Sprintf("%08d", (i*7919)%n)})
	}
	keys := sortBy(t, entries, 1<<20, 3)
	if keys.file == nil || len(keys.file.index) != 4 {
		t.Fatal("the keys are in memory, or without an index")
	}
	for _, first := range []int{0, 1, indexEvery - 1, indexEvery, indexEvery + 1, 3 * indexEvery, n - 1} {
		rng := Range{After: fmt.Sprintf("%08d", first), Through: fmt.Sprintf("%08d", first+1500)}
		got := pagesIn(t, keys, rng)
		if want := min(1500, n-1-first); len(got) != want || want > 0 && got[0].Key != fmt.Sprintf("%08d", first+1) {
			t.Errorf("after %d: %d keys, want %d", first, len(got), want)
		}
	}
	keys.Close()
	s := NewKeySorter()
	s.memory = 1
	if err := s.Add(Entry{Key: "a"}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left; %v", left, err)
	}
}

// A temporary file that cannot be made is an error that says where it would be.
func TestKeySorterWithoutFolder(t *testing.T) {
	t.Setenv("TMPDIR", "/nowhere")
	s := NewKeySorter()
	s.memory = 1
	if err := s.Add(Entry{Key: "a"}); err == nil || !strings.Contains(exit.Hint(err), "TMPDIR") {
		t.Errorf("%v, hint %q", err, exit.Hint(err))
	}
}
