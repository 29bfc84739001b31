package scan_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
	"headcount/scan/head/engine"
	"headcount/scan/list"
)

// orderQuirks are the quirks of stores that list every key once, by good tokens, in another order than that of bytes.
func orderQuirks() []s3sim.Quirk {
	return []s3sim.Quirk{s3sim.Unsorted, s3sim.FolderOrder, s3sim.UTF16Order, s3sim.NoOrder}
}

// expectAll checks that a run was complete, and printed or failed every object once.
func expectAll(t *testing.T, server *s3sim.Server, r result) {
	t.Helper()
	seen := checkLines(t, server, r.lines)
	for _, e := range r.failed {
		if seen[e.Entry.Key] {
			t.Fatalf("key %q is printed and has failed, or has failed twice", e.Entry.Key)
		}
	}
	if want := server.Keyspace().Len(); r.err != nil || !r.stats.Complete || r.stats.Gone != 0 || r.stats.Listed != want ||
		int64(len(seen))+r.stats.Failed != want || r.stats.Emitted != int64(len(r.lines)) {
		t.Errorf("got %d lines, %+v, error %v; want %d objects", len(r.lines), r.stats.Outcomes, r.err, want)
	}
}

// A scan in any order has the exact result, in one run and in killed and resumed runs. A healthy store, and one that
// ignores max-keys, differ in nothing.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	for _, quirk := range append(orderQuirks(), "", s3sim.MaxKeysIgnored) {
		for _, v1 := range []bool{false, true} {
			switch {
			case v1 && quirk == s3sim.Unsorted:
				continue // its marker, the last key of a page, is not the last one in its order
			case testing.Short() && (v1 || quirk != "" && quirk != s3sim.NoOrder):
				continue // the orders concern one lister, which shares nothing
			}
			t.Run(string(quirk), func(t *testing.T) {
				t.Parallel()
				server, url := simtest.Start(t, s3sim.Options{
					Objects: 4_200, Shape: s3sim.Nasty, XMLSafe: true, Quirk: quirk, Denied: 0.0003,
				})
				cfg := scan.Config{
					Engine: engine.Direct, Workers: 16, All: true, ListOrder: list.OrderAny, ListV1: v1, Listers: 4,
				}
				expectAll(t, server, run(t.Context(), t, open(t, url), cfg))

				seed := rand.Uint64()
				t.Logf("seed %d", seed)
				from := &checkpoint.Checkpoint{Rest: []list.Range{{}}}
				r := runWithKills(t, open(t, url), cfg, from, rand.New(rand.NewPCG(seed, 1)))
				expectAll(t, server, r)
				if r.stats.Listers != 1 {
					t.Errorf("%d listers, want 1", r.stats.Listers)
				}
			})
		}
	}
}

// Without being told, a scan finds out that the keys are in no order, while one lister follows the tokens.
func TestOrderIsFoundOut(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, quirk := range orderQuirks() {
			server, url := simtest.Start(t, s3sim.Options{Objects: 3_000, Shape: s3sim.Nasty, XMLSafe: true, Quirk: quirk})
			cfg.All, cfg.Workers = true, 16
			expectAll(t, server, run(t.Context(), t, open(t, url), cfg))
		}
	})
}

// A run that is parallel when the keys turn out to be in no order ends with an error, and so does one whose output or
// checkpoint needs their order. The hint names the way.
func TestOrderIsNeeded(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 3_000, Shape: s3sim.Nasty, XMLSafe: true, Quirk: s3sim.FolderOrder})
	for name, cfg := range map[string]scan.Config{
		"ordered":    {Ordered: true},
		"checkpoint": {OnCheckpoint: func(*checkpoint.Checkpoint) error { return nil }},
		"a range":    {Range: list.Range{After: "//"}},
	} {
		cfg.Workers = 16
		r := run(t.Context(), t, open(t, url), withEngine(cfg))
		var broken *list.ProtocolError
		if !errors.As(r.err, &broken) || exit.Hint(r.err) == "" || exit.Code(r.err) != exit.Fatal || r.stats.Complete {
			t.Errorf("%s: got %+v, error %v; want a ProtocolError with a hint", name, r.stats, r.err)
		}
	}
}

func withEngine(cfg scan.Config) scan.Config {
	cfg.Engine = engine.Direct
	return cfg
}
