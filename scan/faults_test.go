package scan_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head"
)

// Each fault: the exact result, and no more requests than it takes.
func TestFaults(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		for _, kind := range s3sim.FaultKinds() {
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				testFault(t, by, kind)
			})
		}
	})
}

func testFault(t *testing.T, by scan.Config, kind s3sim.FaultKind) {
	rate, objects := 0.05, most(2_000)
	if by.Engine == head.SDKName {
		objects /= 2 // each costs it ten times as much
	}
	by.Workers, by.Timeout = 32, 5*time.Second
	switch kind {
	case s3sim.FaultHang, s3sim.FaultBytePerSecond:
		rate, by.Timeout = 0.01, 300*time.Millisecond
	case s3sim.FaultRefuse:
		rate = 0.005
	}
	if strings.HasPrefix(string(kind), "list-") {
		rate = 0.9
	}
	server, url := simtest.Start(t, s3sim.Options{
		Objects: objects, Seed: 7, Faults: []s3sim.Fault{{Kind: kind, Rate: rate}}, RefuseFor: 200 * time.Millisecond,
	})
	r := run(t.Context(), t, open(t, url), by)
	if r.err != nil {
		t.Fatal(r.err)
	}
	expect(t, server, r.lines)
	if r.stats.Failed != 0 || r.stats.Gone != 0 || r.stats.Changed != 0 {
		t.Errorf("%+v", r.stats.Outcomes)
	}
	if server.Counts().Faults[kind] == 0 {
		t.Error("the fault was never played")
	}
	// What was pipelined behind a fault is sent again, and is lost only for the network.
	if heads := r.stats.Heads - r.stats.Requests["head"]["lost"]; heads > r.stats.Listed*5/4 || r.stats.Heads > 2*r.stats.Listed {
		t.Errorf("%d HEADs for %d objects", r.stats.Heads, r.stats.Listed)
	}
}

// One of two endpoints that is dead costs its share of speed, and no object.
func TestADeadEndpointIsLeftAlone(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	eachEngine(t, func(t *testing.T, by scan.Config) {
		for _, first := range []bool{true, false} {
			server, url := simtest.Start(t, s3sim.Options{Objects: 3_000})
			endpoints := []string{dead.URL, url}
			if !first {
				endpoints = []string{url, dead.URL}
			}
			r := run(t.Context(), t, open(t, endpoints...), by)
			if r.err != nil || r.stats.Failed != 0 {
				t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
			}
			expect(t, server, r.lines)
			if refused := r.stats.Requests["head"]["refused"]; refused > 200 {
				t.Errorf("%d HEADs went to it", refused)
			}
		}
	})
}
