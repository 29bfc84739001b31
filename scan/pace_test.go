package scan_test

import (
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// A store that answers 500 requests per second, and refuses those beyond, is not asked for many more, and loses nothing by it. How much of
// its rate is kept up is measured by bench pace.
func TestPaceFollowsTheStore(t *testing.T) { eachEngine(t, testPace) }

func testPace(t *testing.T, by scan.Config) {
	const rate = 500
	by.Workers = 16 / max(1, by.Pipeline)
	server, url := simtest.Start(t, s3sim.Options{Objects: 2_500, RateMax: rate})
	r := run(t.Context(), t, open(t, url), by)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
	}
	expect(t, server, r.lines)
	// Unpaced they are thousands. A machine that stands still now and then, as this may, costs some each time.
	counts := server.Counts()
	if all := counts.Heads + counts.Lists; counts.Throttled == 0 || counts.Throttled > all/10 {
		t.Errorf("%d of %d requests were refused", counts.Throttled, all)
	}
	if limit := r.stats.RateLimit; limit == 0 || limit > 4*rate {
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
		// On top is what may be sent at once, at the beginning and after a stop, and a burst.
		if most := (r.stats.DurationSeconds+0.04)*by.Rate + float64(max(1, by.Pipeline)); float64(counts.Heads+counts.Lists) > most {
			t.Errorf("%d HEADs and %d LISTs in %.3f s", counts.Heads, counts.Lists, r.stats.DurationSeconds)
		}
		if r.stats.RateLimit != by.Rate {
			t.Errorf("the limit is %v", r.stats.RateLimit)
		}
	})
}
