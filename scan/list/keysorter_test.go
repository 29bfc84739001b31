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

// pagesFrom returns the names of the objects on all Pages of a Range.
func pagesFrom(t *testing.T, keys *Keys, rng Range) (names []string) {
	t.Helper()
	pager := keys.Pager(rng)
	for {
		page, err := pager.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if page == nil {
			return names
		}
		for i := range page.Entries {
			names = append(names, ListedVersion(&page.Entries[i]))
		}
	}
}

// Versions of a key are objects of their own, beside the key without a version: sorted on disk or in memory, each is on
// one Page, and behind the end of any Page another pager goes on.
func TestKeysOfVersions(t *testing.T) {
	var entries []Entry
	for i := range 2_500 {
		for _, key := range []string{"a", "many", "z"} {
			if key == "many" || i < 3 {
				version := fmt.Sprintf("v%d", i*7919%2_500)
				entries = append(entries, Entry{Key: key, Size: int64(i), Details: &Details{VersionID: version}})
			}
		}
	}
	entries = append(entries, Entry{Key: "many"}, Entry{Key: "z"}, entries[0])
	onDisk, inMemory := sortBy(t, entries, 20_000, 3), NewKeys(entries)
	defer onDisk.Close()
	fewer := NewKeys(entries[1 : len(entries)-1])
	if onDisk.file == nil || onDisk.Hash() != inMemory.Hash() || inMemory.Hash() == fewer.Hash() {
		t.Fatal("the keys are in memory, or the hash is another")
	}
	for _, keys := range []*Keys{onDisk, inMemory} {
		names := pagesFrom(t, keys, Range{})
		var ends []Range
		pager := keys.Pager(Range{})
		for page, err := pager.Next(t.Context()); page != nil; page, err = pager.Next(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, Range{After: page.Range.Through, AfterVersion: page.Range.ThroughVersion})
		}
		after := 0
		for _, end := range ends {
			after += pageKeysMax
			rest := pagesFrom(t, keys, end)
			if want := names[min(after, len(names)):]; !slices.Equal(rest, want) {
				t.Errorf("behind %v are %d objects, want %d", end, len(rest), len(want))
			}
		}
		distinct := slices.Compact(slices.Clone(names))
		if len(distinct) != 2_500+6+2 || len(names) != len(distinct) || !slices.IsSorted(names) || len(ends) != 3 {
			t.Errorf("%d objects on %d pages, want %d in order and each once", len(names), len(ends), 2_500+6+2)
		}
	}
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
