package scan_test

import (
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// Of two endpoints one of which takes ten times as long, that one gets a tenth of the HEADs, and what is counted for each is what it
// has seen. With a worker for each none can move.
func TestASlowEndpointGetsLess(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		const objects = 3000
		fast, fastURL := simtest.Start(t, s3sim.Options{Objects: objects, Latency: time.Millisecond})
		slow, slowURL := simtest.Start(t, s3sim.Options{Objects: objects, Latency: 10 * time.Millisecond})
		by.Workers, by.Listers = 2, 1
		r := run(t.Context(), t, open(t, fastURL, slowURL), by)
		if r.err != nil || len(r.stats.Addresses) != 2 {
			t.Fatalf("%+v, %v", r.stats.Addresses, r.err)
		}
		expect(t, fast, r.lines)
		for i, server := range []*s3sim.Server{fast, slow} {
			a := r.stats.Addresses[i]
			url := []string{fastURL, slowURL}[i]
			if a.Endpoint != url || a.Address != strings.TrimPrefix(url, "http://") {
				t.Errorf("%s at %s, want %s", a.Endpoint, a.Address, url)
			}
			if c := server.Counts(); a.Answered != c.Heads || a.ErrorAnswers != 0 || a.Unanswered != 0 || a.Connections < 1 || a.Connections > c.Connections {
				t.Errorf("%+v, and the store has counted %+v", a, c)
			}
			if a.Latency.Mean < float64(i) || a.Latency.P99 < 0.9*a.Latency.Mean {
				t.Errorf("%+v", a.Latency)
			}
		}
		// What a worker has brought is its time, over what a HEAD took it: the batch that is under way at the end is the difference.
		a, b := r.stats.Addresses[0], r.stats.Addresses[1]
		got, want := float64(a.Answered)/float64(b.Answered), b.Latency.Mean/a.Latency.Mean
		t.Logf("%d and %d HEADs of %.1f and %.1f ms", a.Answered, b.Answered, a.Latency.Mean, b.Latency.Mean)
		if got < want/2 || got > 2*want {
			t.Errorf("%.1f times as many HEADs went to the one that is %.1f times as fast", got, want)
		}
	})
}
