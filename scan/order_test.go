package scan_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
)

// With Ordered the Records come in the order of keys, however many listers there are, whatever is slow, and after every resume.
func TestOrdered(t *testing.T) {
	t.Parallel()
	for _, listers := range []int{1, 8, scan.ListersAuto} {
		for _, shape := range []s3sim.Shape{s3sim.Skewed, s3sim.UUID} {
			if listers == 1 && shape == s3sim.UUID || testing.Short() && (listers != 8 || shape == s3sim.UUID) {
				continue
			}
			server, url := simtest.Start(t, s3sim.Options{
				Objects: 16_000, Shape: shape, ListLatency: 5 * time.Millisecond,
				Faults: []s3sim.Fault{{Kind: s3sim.Fault500, Rate: 0.002}},
			})
			cfg := scan.Config{Engine: engine.Direct, Workers: 16, Listers: listers, Ordered: true}
			whole := run(t.Context(), t, open(t, url), cfg)
			if listers == 8 && whole.stats.Listers < 2 {
				t.Errorf("%s: no two listers at once: the order shows nothing", shape)
			}
			for _, r := range []result{
				whole,
				runAgain(t, open(t, url), cfg, nil, rand.New(rand.NewPCG(1, uint64(listers)))),
			} {
				if r.err != nil || !r.stats.Complete {
					t.Fatalf("%s, %d listers: %+v, %v", shape, listers, r.stats, r.err)
				}
				expect(t, server, r.lines)
				if !slices.IsSortedFunc(r.lines, func(a, b string) int { return strings.Compare(key(t, a), key(t, b)) }) {
					t.Errorf("%s, %d listers: the lines are not in order", shape, listers)
				}
			}
		}
	}
}
