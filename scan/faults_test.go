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

// Each fault, by many seeds: the lines of a run without it, no more requests than it takes, and nothing left behind.
// The test runs alone, since it counts what is left.
func TestFaults(t *testing.T) {
	var (
		without = map[int64]baseline{}
		costs   faultTotals
		nothing = checkLeaks(t)
	)
	t.Run("of", func(t *testing.T) {
		for seed := range seeds() {
			for name, cfg := range engineConfigs() {
				if name != "direct" && seed > 0 {
					continue // what is done about a fault is decided above the engines
				}
				for _, kind := range s3sim.FaultKinds() {
					objects := objectsForFault(cfg, kind, seed)
					if _, known := without[objects]; !known {
						without[objects] = scanBaseline(t, objects)
					}
					cfg, without := cfg, without[objects]
					t.Run(fmt.Sprint(name, " ", kind, " ", seed), func(t *testing.T) {
						t.Parallel()
						faults, requests, took := testFault(t, cfg, kind, uint64(seed), without)
						costs.add(fmt.Sprint(name, " ", kind), faults, requests, took)
					})
				}
			}
		}
	})
	nothing()
	costs.log(t)
}

// faultyObjects is how many a storm has. Of 8,000 objects 400 meet a fault of one answer in twenty, at any moment of
// a run.
func objectsForFault(cfg scan.Config, kind s3sim.FaultKind, seed int) int64 {
	switch {
	case kind == s3sim.Fault503RetryAfter, kind == s3sim.FaultRefuse:
		return fewerIfShort(500) // each lets all workers wait
	case cfg.Engine == engine.SDK, testing.Short():
		return fewerIfShort(1_000) // each costs it ten times as much, and the race detector too
	case cfg.Pipeline > 1:
		return fewerIfShort(2_000)
	case seed == 0:
		return 8_000
	}
	return *faultObjects
}

// testFault returns how often the fault was played, how many times the requests of a run without it there were, and how
// long it took.
func testFault(
	t *testing.T,
	cfg scan.Config,
	kind s3sim.FaultKind,
	seed uint64,
	without baseline,
) (faults int64, ratio float64, took time.Duration) {
	cfg.Workers = 32
	hangs := kind == s3sim.FaultHang || kind == s3sim.FaultBytePerSecond
	if hangs { // a timeout ends each of these faults
		cfg.Workers, cfg.Timeout = 256, time.Second
	}
	rate := 0.05
	if strings.HasPrefix(string(kind), "list-") {
		rate = 0.5 // there are so few LISTs that of one in twenty there might be none
	}
	server, url := simtest.Start(t, s3sim.Options{
		Objects: without.objects, Seed: seed, Faults: []s3sim.Fault{{Kind: kind, Rate: rate}},
		RefuseFor: 100 * time.Millisecond,
	})
	began := time.Now()
	r := run(t.Context(), t, open(t, url), cfg)
	took = time.Since(began)
	r.expectSameAs(t, without)
	// What was pipelined behind a fault is sent again, and is lost only for the network.
	sent := requestsSent(r.stats)
	if cfg.Pipeline > 1 {
		sent -= r.stats.Requests["head"]["lost"]
	}
	heads := r.stats.Heads
	if hangs { // on a busy machine other requests reach their timeout too
		timeouts := r.stats.Requests["head"]["timeout"]
		sent, heads = sent-timeouts-r.stats.Requests["list"]["timeout"], heads-timeouts
	}
	if sent > without.requests*5/4 || heads > 2*r.stats.Listed {
		t.Errorf("%d requests, and %d where nothing goes wrong; %v", sent, without.requests, r.stats.Requests)
	}
	return server.Counts().Faults[kind], float64(sent) / float64(without.requests), took
}

// One of two endpoints that is dead costs its share of speed, and no object.
func TestUnreachableEndpoint(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, first := range []bool{true, false} {
			server, url := simtest.Start(t, s3sim.Options{Objects: 3_000})
			endpoints := []string{dead.URL, url}
			if !first {
				endpoints = []string{url, dead.URL}
			}
			r := run(t.Context(), t, open(t, endpoints...), cfg)
			if r.err != nil || r.stats.Failed != 0 {
				t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
			}
			expectAllPrinted(t, server, r.lines)
			// Half of all HEADs go to an endpoint that is not left alone.
			if refused := r.stats.Requests["head"]["refused"]; refused > r.stats.Listed/2 {
				t.Errorf("%d HEADs went to it", refused)
			}
		}
	})
}
