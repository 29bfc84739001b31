package scan_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/head/engine"
	"headcount/scan/list"
)

// A scan of a store with a quirk has the exact result, or ends with an error. It never ends as complete with objects
// missing.
func TestQuirks(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		// Quirks concern the listing, which is the same with every engine: the other engines run fewer combinations.
		otherEngine := cfg.Engine == engine.SDK || cfg.Pipeline > 1
		if otherEngine && testing.Short() {
			return // the race detector sees enough with the other engine
		}
		for _, quirk := range s3sim.Quirks() {
			for _, shape := range []s3sim.Shape{s3sim.Nasty, s3sim.Flat} {
				for _, part := range []bool{false, true} {
					if (otherEngine || testing.Short()) && (shape == s3sim.Flat || part) {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%v", quirk, shape, part), func(t *testing.T) {
						t.Parallel()
						testQuirk(t, cfg, quirk, shape, part)
					})
				}
			}
		}
	})
}

// testQuirk scans a whole bucket, or a part of it: the listing of a part begins with start-after, and ends before the
// last key of the bucket.
func testQuirk(t *testing.T, cfg scan.Config, quirk s3sim.Quirk, shape s3sim.Shape, part bool) {
	exact := map[s3sim.Quirk]bool{
		s3sim.StartAfterInclusive: true, s3sim.StartAfterIgnored: true, s3sim.EndsEarly: true, s3sim.KeysRepeated: true,
		s3sim.MaxKeysIgnored: true, s3sim.TokensVoid: true, s3sim.EncodingNotEchoed: true,
		s3sim.EncodingEchoed: true,
	}[quirk]
	objects := int64(3_600) // more than a page of a store that ignores max-keys
	if quirk == s3sim.TokensVoid {
		objects = 9_600 // enough pages for one continuation token to be void
	}
	server, url := simtest.Start(t, s3sim.Options{Objects: objects, Shape: shape, Quirk: quirk})
	ks := server.Keyspace()
	from, to := int64(0), ks.Len()
	cfg.Workers, cfg.All = 16, true
	if part {
		from, to = 1_200, objects-300
		cfg.Range = list.Range{After: string(ks.Key(from - 1)), Through: string(ks.Key(to - 1))}
	}
	r := run(t.Context(), t, open(t, url), cfg)
	seen := checkLines(t, server, r.lines)
	if r.err != nil {
		var protocol *list.ProtocolError
		if !errors.As(r.err, &protocol) {
			t.Errorf("got error %T: %v, want a ProtocolError", r.err, r.err)
		}
		if exact {
			t.Errorf("got error %v, want the exact result", r.err)
		}
		return
	}
	for i := from; i < to; i++ {
		if k := string(ks.Key(i)); !seen[k] && r.stats.Failed == 0 {
			t.Fatalf("key %q is not printed, and no object failed", k)
		}
	}
	if int64(len(seen))+r.stats.Failed != to-from || r.stats.Gone != 0 {
		t.Errorf("got %d printed, %+v; want %d printed or failed, none gone", len(seen), r.stats.Outcomes, to-from)
	}
	for _, e := range r.failed {
		if e.Class == fault.ListedNotFound {
			t.Errorf("got %v of class %s for a key that may be another name", e, e.Class)
		}
	}
	if exact && shape == s3sim.Flat && r.stats.Failed > 0 {
		t.Errorf("got %d failed, the first %v; want none", r.stats.Failed, r.failed[0])
	}
}

// A LIST that fails for longer than RetryFor ends the run with an error, whether it is the first LIST or a later one.
func TestFailedListEndsRun(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, after := range []int64{0, 2} {
			var lists atomic.Int64
			_, url := startWithHandler(t, s3sim.Options{Objects: 5_000}, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet && lists.Add(1) > after {
					panic(http.ErrAbortHandler)
				}
				return false
			})
			cfg.RetryFor = 500 * time.Millisecond
			r := run(t.Context(), t, open(t, url), cfg)
			var sent *list.SendError
			if !errors.As(r.err, &sent) || r.stats.Complete {
				t.Errorf("after %d LISTs: got %+v, error %v; want an incomplete run and a SendError", after, r.stats, r.err)
			}
		}
	})
}
