package scan_test

import (
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// A store that refuses the requests above a rate costs no object, and every refusal is counted. How well the limiter
// follows the rate is tested in package pace, with a model of such a store, and measured by bench pace.
func TestAStoreWithARate(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		by.Workers = 16 / max(1, by.Pipeline)
		server, url := simtest.Start(t, s3sim.Options{Objects: 1_500, RateMax: 500})
		r := run(t.Context(), t, open(t, url), by)
		if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
			t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
		}
		expect(t, server, r.lines)
		throttled := server.Counts().Throttled
		if told := r.stats.Requests["head"]["503"] + r.stats.Requests["list"]["503"]; told != throttled {
			t.Errorf("%d requests were refused, and %d are counted", throttled, told)
		}
	})
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
		most := (r.stats.DurationSeconds+0.04)*by.Rate + float64(max(1, by.Pipeline))
		if float64(counts.Heads+counts.Lists) > most {
			t.Errorf("%d HEADs and %d LISTs in %.3f s", counts.Heads, counts.Lists, r.stats.DurationSeconds)
		}
		if r.stats.RateLimit != by.Rate {
			t.Errorf("the limit is %v", r.stats.RateLimit)
		}
	})
}
