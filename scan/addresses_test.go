package scan_test

import (
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
)

// The Stats of each address are the counts of its server. With one worker per endpoint no worker changes endpoints.
func TestAddressStats(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		const objects = 500
		fast, fastURL := simtest.Start(t, s3sim.Options{Objects: objects, Latency: time.Millisecond})
		slow, slowURL := simtest.Start(t, s3sim.Options{Objects: objects, Latency: 10 * time.Millisecond})
		cfg.Workers, cfg.Listers = 2, 1
		r := run(t.Context(), t, open(t, fastURL, slowURL), cfg)
		if r.err != nil || len(r.stats.Addresses) != 2 {
			t.Fatalf("got addresses %+v, error %v; want 2 addresses", r.stats.Addresses, r.err)
		}
		expectAllPrinted(t, fast, r.lines)
		for i, server := range []*s3sim.Server{fast, slow} {
			a := r.stats.Addresses[i]
			url := []string{fastURL, slowURL}[i]
			if a.Endpoint != url || a.Address != strings.TrimPrefix(url, "http://") {
				t.Errorf("got endpoint %s at %s, want %s", a.Endpoint, a.Address, url)
			}
			c := server.Counts()
			abandoned := c.Heads / 20 // HEADs that a busy machine answers too late, and that are sent again
			if a.Answered > c.Heads || a.Answered < c.Heads-abandoned || a.ErrorAnswers != 0 || a.Unanswered != 0 || a.Connections > c.Connections {
				t.Errorf("got %+v, want the server's counts %+v", a, c)
			}
			if a.Connections == 0 && cfg.Engine != engine.SDK { // the SDK may send a HEAD on the connection of a LIST
				t.Errorf("got no connection: %+v", a)
			}
			if a.Latency.Mean < float64(10*i) || a.Latency.P99 <= 0 {
				t.Errorf("got latency %+v, want a mean of at least %d ms and a P99 above 0", a.Latency, 10*i)
			}
		}
	})
}
