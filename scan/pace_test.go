package scan_test

import (
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// A store refuses the requests above a rate. No object fails, and Stats counts every refusal. Package pace tests with a
// model of such a store how closely the limiter follows the rate; "bench pace" measures it.
func TestStoreWithRateLimit(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		cfg.Workers = 16 / max(1, cfg.Pipeline)
		server, url := simtest.Start(t, s3sim.Options{Objects: 1_500, RateMax: 500})
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
			t.Fatalf("got %+v, error %v; want no failed or gone object", r.stats.Outcomes, r.err)
		}
		expectAllPrinted(t, server, r.lines)
		throttled := server.Counts().Throttled
		if counted := r.stats.Requests["head"]["503"] + r.stats.Requests["list"]["503"]; counted != throttled {
			t.Errorf("got %d refusals in Stats, want %d as counted by the store", counted, throttled)
		}
	})
}

// Config.Rate limits the HEADs and LISTs of all workers together, with every engine.
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
		// The limiter allows a burst at the beginning and after a pause, and one pipelined burst more.
		limit := (r.stats.DurationSeconds+0.04)*cfg.Rate + float64(max(1, cfg.Pipeline))
		if float64(counts.Heads+counts.Lists) > limit {
			t.Errorf("got %d HEADs and %d LISTs in %.3f s, want at most %.0f",
				counts.Heads, counts.Lists, r.stats.DurationSeconds, limit)
		}
		if r.stats.RateLimit != cfg.Rate {
			t.Errorf("got a rate limit of %v, want %v", r.stats.RateLimit, cfg.Rate)
		}
	})
}
