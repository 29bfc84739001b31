package scan_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/head/engine"
	"headcount/scan/list"
)

// A scan with a limit prints the first objects in the order of keys, also over several runs and in several Ranges.
func TestLimit(t *testing.T) {
	t.Parallel()
	const objects = 4_500
	server, url := simtest.Start(t, s3sim.Options{Objects: objects})
	ks := server.Keyspace()
	for _, limit := range []int64{1, 999, 1_000, 1_001, 3_500, objects, objects + 1} {
		for _, ranges := range []int64{1, 4} {
			if testing.Short() && (ranges == 1 || limit == 999 || limit == objects) {
				continue
			}
			t.Run(fmt.Sprintf("%d/%d", limit, ranges), func(t *testing.T) {
				t.Parallel()
				from := &checkpoint.Checkpoint{}
				after := ""
				for i := range ranges {
					rng := list.Range{After: after}
					if i < ranges-1 {
						rng.Through = printableKey(ks, (i+1)*objects/ranges)
					}
					from.Rest, after = append(from.Rest, rng), rng.Through
				}
				seed := rand.Uint64()
				t.Logf("seed %d", seed)
				cfg := scan.Config{Engine: engine.Direct, Workers: 16, All: true, Limit: limit}
				r := runWithKills(t, open(t, url), cfg, from, rand.New(rand.NewPCG(seed, 1)))
				want := min(limit, objects)
				if r.err != nil || !r.stats.Complete || r.stats.Listed != want ||
					r.stats.LimitReached != (limit <= objects) || int64(len(r.lines)) != want {
					t.Fatalf("got %d lines, %+v, error %v; want %d lines", len(r.lines), r.stats, r.err, want)
				}
				seen := checkLines(t, server, r.lines)
				for i := range want {
					if !seen[string(ks.Key(i))] {
						t.Fatalf("key %q is not printed", ks.Key(i))
					}
				}
			})
		}
	}
}
