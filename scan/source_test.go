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

// sources returns each kind of Source by name, over some Ranges of the same 10,500 keys, and the keys of these Ranges.
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
		"bucket": newBucketSource(lister.Parallel(ranges, 4, nil), ranges),
		"keys":   newKeySource(list.NewKeys(entries), ranges),
	}, keys
}

// readAll reads the Walks of a Source one after the other, and commits each Page. It returns the keys.
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

// A Source returns every key once. After the commit of all Pages no Range is pending.
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
					t.Errorf("got %d keys, want the %d of the Ranges", len(got), len(want))
				}
				if pending := source.Pending(); len(pending) > 0 {
					t.Errorf("got pending Ranges %v, want none", pending)
				}
			})
		}
	}
}

// Split removes a Range from the Source: its keys are neither returned nor pending. All other keys are returned.
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
				t.Fatalf("got %v, %v, error %v; want the Range %v", part, ok, err, ranges[2])
			}
			if slices.Contains(source.Pending(), part) {
				t.Errorf("got the Range %v pending after Split, want it removed", part)
			}
			kept := slices.DeleteFunc(slices.Clone(want), part.Contains)
			got := readAll(t.Context(), t, source)
			slices.Sort(got)
			if !slices.Equal(got, kept) {
				t.Errorf("got %d keys, want %d", len(got), len(kept))
			}
			if _, ok, err := source.Split(t.Context()); ok || err != nil {
				t.Errorf("Split after all keys: got %v, error %v; want false", ok, err)
			}
		})
	}
}

// Split also divides a Range that is being listed. The keys of the removed part and the returned keys are all keys.
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
	for !ok { // each page improves the estimate of the remaining keys
		page, err := walk.Next(t.Context())
		if err != nil || page == nil {
			t.Fatalf("got the end of the Range, error %v; want a split before", err)
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
		t.Errorf("got %d of %d keys in the removed part, want some and not all", len(got), len(want))
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
		t.Errorf("got %d keys, want the %d of the Ranges", len(got), len(want))
	}
	if pending := source.Pending(); len(pending) > 0 {
		t.Errorf("got pending Ranges %v, want none", pending)
	}
}
