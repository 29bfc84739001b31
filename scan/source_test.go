package scan

import (
	"context"
	"slices"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/list"
	"headcount/scan/store"
)

// sources returns each kind of source by name, over some Ranges of the same 10,500 keys, and the keys of these Ranges.
func sources(t *testing.T, ranges ...list.Range) (map[string]source, []string) {
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
	return map[string]source{
		"bucket": bucketSource(lister.Parallel(ranges, 4, nil)),
		"keys":   keySource(list.NewKeys(entries), ranges),
	}, keys
}

// readAll reads the walks of a source one after the other, and commits each Page. It returns the keys.
func readAll(ctx context.Context, t *testing.T, source source, pending *pendingRanges) (keys []string) {
	t.Helper()
	for {
		walk, err := source(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if walk == nil {
			return keys
		}
		for {
			page, err := walk.next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if page == nil {
				walk.close()
				break
			}
			for _, e := range page.Entries {
				keys = append(keys, e.Key)
			}
			if err := pending.remove(page.Range); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A source returns every key once. After the commit of all Pages no Range is pending.
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
				pending := pendingRanges(slices.Clone(ranges))
				got := readAll(t.Context(), t, source, &pending)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("got %d keys, want the %d of the Ranges", len(got), len(want))
				}
				if len(pending) > 0 {
					t.Errorf("got pending Ranges %v, want none", pending)
				}
			})
		}
	}
}
