package scan_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
)

// While the pool shrinks and grows, batches move between workers, and every object is printed once. The latency of the
// store alternates between 0 and 40 ms, so that the pool changes its size.
func TestPoolResizeKeepsEveryObject(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		var asked atomic.Int64
		options := s3sim.Options{Objects: fewerIfShort(8_000)}
		server, url := startWithHandler(t, options, func(_ http.ResponseWriter, r *http.Request) bool {
			if n := asked.Add(1); r.Method == http.MethodHead && n/1000%2 == 0 {
				time.Sleep(40 * time.Millisecond)
			}
			return false
		})
		cfg.Pipeline = min(cfg.Pipeline, 2) // net/http answers the requests of a connection one at a time
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil {
			t.Fatal(r.err)
		}
		expectAllPrinted(t, server, r.lines)
	})
}
