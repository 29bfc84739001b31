package scan_test

import (
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// A store that answers 500 requests per second and refuses those beyond gets as many, and hardly any more.
func TestPaceFollowsTheStore(t *testing.T) { eachEngineInTurn(t, testPace) }

func testPace(t *testing.T, by scan.Config) {
	const rate = 500
	const inFlight = 16
	by.Workers = inFlight / max(1, by.Pipeline)
	server, url := simtest.Start(t, s3sim.Options{Objects: most(4_000), RateMax: rate})
	r := run(t.Context(), t, open(t, url), by)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
	}
	expect(t, server, r.lines)
	counts := server.Counts()
	if all := counts.Heads + counts.Lists; counts.Throttled == 0 || counts.Throttled > all/50+2*inFlight { // what is in flight when it refuses first is on top, and at the first guess
		t.Errorf("%d of %d requests were refused", counts.Throttled, all)
	}
	if kept := float64(r.stats.Listed) / r.stats.DurationSeconds; kept < 0.9*rate {
		t.Errorf("%.0f objects per second, and the store allows %d", kept, rate)
	}
	if limit := r.stats.RateLimit; limit < 0.8*rate || limit > 1.25*rate {
		t.Errorf("the limit is %.0f at the end", limit)
	}
}

// The user's limit is for all workers together, and for LISTs, whatever the engine.
func TestTheRateIsShared(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 400})
		by.Rate = 500
		r := run(t.Context(), t, open(t, url), by)
		if r.err != nil {
			t.Fatal(r.err)
		}
		expect(t, server, r.lines)
		counts := server.Counts()
		if most := (r.stats.DurationSeconds + 0.02) * by.Rate; float64(counts.Heads+counts.Lists) > most+1 {
			t.Errorf("%d HEADs and %d LISTs in %.3f s", counts.Heads, counts.Lists, r.stats.DurationSeconds)
		}
		if r.stats.RateLimit != by.Rate {
			t.Errorf("the limit is %v", r.stats.RateLimit)
		}
	})
}
