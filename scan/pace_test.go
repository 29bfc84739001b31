package scan_test

import (
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// A store that refuses the requests above a rate costs no object, and every refusal is counted. How well the limiter
// follows the rate is tested in package pace, with a model of such a store, and measured by bench pace.
func TestStoreWithRateLimit(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		cfg.Workers = 16 / max(1, cfg.Pipeline)
		server, url := simtest.Start(t, s3sim.Options{Objects: 1_500, RateMax: 500})
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
			t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
		}
		expectAllPrinted(t, server, r.lines)
		throttled := server.Counts().Throttled
		if counted := r.stats.Requests["head"]["503"] + r.stats.Requests["list"]["503"]; counted != throttled {
			t.Errorf("%d requests were refused, and %d are counted", throttled, counted)
		}
	})
}

// The user's limit is for all workers together, and for LISTs, whatever the engine.
func TestRateCoversAllRequests(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 400})
		cfg.Rate = 500
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil {
			t.Fatal(r.err)
		}
		expectAllPrinted(t, server, r.lines)
		counts := server.Counts()
		// On top is what may be sent at once, at the beginning and after a stop, and a burst.
		limit := (r.stats.DurationSeconds+0.04)*cfg.Rate + float64(max(1, cfg.Pipeline))
		if float64(counts.Heads+counts.Lists) > limit {
			t.Errorf("%d HEADs and %d LISTs in %.3f s", counts.Heads, counts.Lists, r.stats.DurationSeconds)
		}
		if r.stats.RateLimit != cfg.Rate {
			t.Errorf("the limit is %v", r.stats.RateLimit)
		}
	})
}
