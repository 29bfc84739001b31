package scan

import (
	"context"
	"slices"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// sources returns each kind of Source, over the same 10,500 keys of which some Ranges are to be scanned.
func sources(t *testing.T, ranges ...list.Range) (map[string]Source, []string) {
	t.Helper()
	server, url := simtest.Start(t, s3sim.Options{Objects: 10_500})
	st, err := store.Open(
		t.Context(),
		store.Config{Bucket: "demo", Endpoints: []string{url}, Isolated: true, Connections: 4},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	var (
		keys    []string
		entries []list.Entry
	)
	for i := range server.Keyspace().Len() {
		key := string(server.Keyspace().Key(i))
		entries = append(entries, list.Entry{Key: key, Size: -1})
		if slices.ContainsFunc(ranges, func(r list.Range) bool { return r.Contains(key) }) {
			keys = append(keys, key)
		}
	}
	lister := list.New(list.Config{Store: st})
	return map[string]Source{
		"bucket": newBucketSource(lister.Parallel(ranges, 4, nil), ranges, false),
		"keys":   newKeySource(list.NewKeys(entries), ranges),
	}, keys
}

// readAll reads the Walks of a Source one after the other, and commits each of their Pages.
func readAll(ctx context.Context, t *testing.T, source Source) (keys []string) {
	t.Helper()
	for {
		walk, err := source.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if walk == nil {
			return keys
		}
		for {
			page, err := walk.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if page == nil {
				walk.Close()
				break
			}
			for _, e := range page.Entries {
				keys = append(keys, e.Key)
			}
			if err := source.Committed(page.Range, metrics.Outcomes{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A Source hands out every key once, and is complete when all its Pages are committed.
func TestSourceHandsOutEveryKey(t *testing.T) {
	for _, ranges := range [][]list.Range{
		{{}},
		{
			{After: "obj-000000000100", Through: "obj-000000000900"},
			{After: "obj-000000002000", Through: "obj-000000007000"},
			{After: "x"},
		},
	} {
		all, want := sources(t, ranges...)
		for name, source := range all {
			t.Run(name, func(t *testing.T) {
				got := readAll(t.Context(), t, source)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%d keys, want %d", len(got), len(want))
				}
				if pending := source.Pending(); len(pending) > 0 {
					t.Errorf("%v are pending", pending)
				}
			})
		}
	}
}

// What Split gives away is neither handed out nor pending, and all the rest is.
func TestSourceSplit(t *testing.T) {
	ranges := []list.Range{
		{Through: "obj-000000006000"},
		{After: "obj-000000006000", Through: "obj-000000008000"},
		{After: "obj-000000008000"},
	}
	all, want := sources(t, ranges...)
	for name, source := range all {
		t.Run(name, func(t *testing.T) {
			part, ok, err := source.Split(t.Context())
			if err != nil || !ok || part != ranges[2] {
				t.Fatalf("%v, %v, %v", part, ok, err)
			}
			if slices.Contains(source.Pending(), part) {
				t.Errorf("%v was given away, and is pending", part)
			}
			kept := slices.DeleteFunc(slices.Clone(want), part.Contains)
			got := readAll(t.Context(), t, source)
			slices.Sort(got)
			if !slices.Equal(got, kept) {
				t.Errorf("%d keys, want %d", len(got), len(kept))
			}
			if _, ok, err := source.Split(t.Context()); ok || err != nil {
				t.Errorf("everything is handed out, and it was split: %v", err)
			}
		})
	}
}

// A Range that is being listed is split too: the part that is given away and the keys that are handed out are all keys.
func TestBucketSourceSplitsAnActiveRange(t *testing.T) {
	all, want := sources(t, list.Range{})
	source := all["bucket"]
	walk, err := source.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var (
		part list.Range
		ok   bool
		seen []string
	)
	for !ok { // how far the keys go is estimated better with every page
		page, err := walk.Next(t.Context())
		if err != nil || page == nil {
			t.Fatalf("the Range was listed to its end, and never split: %v", err)
		}
		for _, e := range page.Entries {
			seen = append(seen, e.Key)
		}
		if err := source.Committed(page.Range, metrics.Outcomes{}); err != nil {
			t.Fatal(err)
		}
		if part, ok, err = source.Split(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := slices.DeleteFunc(slices.Clone(want), func(key string) bool { return !part.Contains(key) })
	if len(got) == 0 || len(got) == len(want) {
		t.Errorf("%d of %d keys were given away", len(got), len(want))
	}
	got = append(got, seen...)
	for {
		page, err := walk.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if page == nil {
			walk.Close()
			break
		}
		for _, e := range page.Entries {
			got = append(got, e.Key)
		}
		if err := source.Committed(page.Range, metrics.Outcomes{}); err != nil {
			t.Fatal(err)
		}
	}
	got = append(got, readAll(t.Context(), t, source)...)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
	if pending := source.Pending(); len(pending) > 0 {
		t.Errorf("%v are pending", pending)
	}
}
