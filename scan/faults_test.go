package scan_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
)

// With each kind of fault a scan prints the lines of a scan without faults, and sends at most a quarter more requests.
// No goroutine and no file descriptor leaks; for this check no other test may run at the same time.
func TestFaults(t *testing.T) {
	var (
		baselines = map[int64]baseline{} // by number of objects
		totals    faultTotals
		checkLeak = checkLeaks(t)
	)
	t.Run("group", func(t *testing.T) {
		for seed := range seeds() {
			for name, cfg := range engineConfigs() {
				if name != "direct" && seed > 0 {
					continue // the stages above the engines react to a fault; one seed is enough for others
				}
				for _, kind := range s3sim.FaultKinds() {
					objects := objectsForFault(cfg, kind, seed)
					if _, ok := baselines[objects]; !ok {
						baselines[objects] = scanBaseline(t, objects)
					}
					cfg, want := cfg, baselines[objects]
					t.Run(fmt.Sprint(name, " ", kind, " ", seed), func(t *testing.T) {
						t.Parallel()
						faults, requestRatio, took := testFault(t, cfg, kind, uint64(seed), want)
						totals.add(fmt.Sprint(name, " ", kind), faults, requestRatio, took)
					})
				}
			}
		}
	})
	checkLeak()
	totals.log(t)
}

// objectsForFault returns the number of objects of a run. A fault hits one answer in twenty: 400 of 8,000 objects,
// spread over the whole run.
func objectsForFault(cfg scan.Config, kind s3sim.FaultKind, seed int) int64 {
	switch {
	case kind == s3sim.Fault503RetryAfter, kind == s3sim.FaultRefuse:
		return fewerIfShort(500) // each fault delays all workers
	case cfg.Engine == engine.SDK, testing.Short():
		return fewerIfShort(1_000) // the SDK and the race detector are about ten times as slow
	case cfg.Pipeline > 1:
		return fewerIfShort(2_000)
	case seed == 0:
		return 8_000
	}
	return *faultObjects
}

// sendsSurplus reports whether a fault sends bytes that are no part of an answer, or look so.
func sendsSurplus(kind s3sim.FaultKind) bool {
	switch kind {
	case s3sim.FaultHeadBody, s3sim.FaultUnsolicited, s3sim.FaultGarbageStatus:
		return true
	}
	return false
}

// testFault returns the number of injected faults, the ratio of requests to those of the baseline, and the duration.
func testFault(
	t *testing.T,
	cfg scan.Config,
	kind s3sim.FaultKind,
	seed uint64,
	want baseline,
) (faults int64, ratio float64, took time.Duration) {
	cfg.Workers = 32
	hangs := kind == s3sim.FaultHang || kind == s3sim.FaultBytePerSecond
	if hangs { // only a timeout ends each of these faults
		cfg.Workers, cfg.Timeout = 256, time.Second
	}
	rate := 0.05
	if strings.HasPrefix(string(kind), "list-") {
		rate = 0.5 // with the few LISTs of a run, a rate of 0.05 could cause no fault
	}
	server, url := simtest.Start(t, s3sim.Options{
		Objects: want.objects, Seed: seed, Faults: []s3sim.Fault{{Kind: kind, Rate: rate}},
		RefuseFor: 100 * time.Millisecond,
	})
	began := time.Now()
	r := run(t.Context(), t, open(t, url), cfg)
	took = time.Since(began)
	r.expectSameAs(t, want)
	// Requests that were pipelined behind a fault are sent again. Their first sending is not counted here.
	sent := requestsSent(r.stats)
	if cfg.Pipeline > 1 {
		sent -= r.stats.Requests["head"]["lost"]
	}
	heads := r.stats.Heads
	if hangs { // on a busy machine requests without a fault time out too
		timeouts := r.stats.Requests["head"]["timeout"]
		sent, heads = sent-timeouts-r.stats.Requests["list"]["timeout"], heads-timeouts
	}
	most := want.requests * 5 / 4
	if kind == s3sim.FaultRefuse { // the last object of each connection that is cut is asked for again
		most = want.requests * 3 / 2
	}
	if sendsSurplus(kind) { // what was answered before the first surplus is asked for again: two batches of each worker
		most = 5 * want.requests / 2
	}
	if sent > most || heads > 5*r.stats.Listed/2 {
		t.Errorf("got %d requests, %d of them HEADs; want at most %d and %d; %v",
			sent, heads, most, 5*r.stats.Listed/2, r.stats.Requests)
	}
	return server.Counts().Faults[kind], float64(sent) / float64(want.requests), took
}

// One of two endpoints refuses connections. The scan prints every object, and the workers avoid that endpoint.
func TestUnreachableEndpoint(t *testing.T) {
	unreachable := httptest.NewServer(http.NotFoundHandler())
	unreachable.Close()
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, first := range []bool{true, false} {
			server, url := simtest.Start(t, s3sim.Options{Objects: 3_000})
			endpoints := []string{unreachable.URL, url}
			if !first {
				endpoints = []string{url, unreachable.URL}
			}
			r := run(t.Context(), t, open(t, endpoints...), cfg)
			if r.err != nil || r.stats.Failed != 0 {
				t.Fatalf("got %+v, error %v; want no failed object", r.stats.Outcomes, r.err)
			}
			expectAllPrinted(t, server, r.lines)
			// Workers that do not avoid the endpoint would send half of all HEADs there.
			if refused := r.stats.Requests["head"]["refused"]; refused > r.stats.Listed/2 {
				t.Errorf("got %d HEADs at the unreachable endpoint, want at most %d", refused, r.stats.Listed/2)
			}
		}
	})
}
