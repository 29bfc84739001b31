package scan_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// Half of the workers start at the slow one of two endpoints. Most of them move to the fast endpoint: at the end of the
// test at most a quarter of all workers send HEADs to the slow one.
func TestWorkersLeaveSlowEndpoint(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		const (
			workers = 16
			few     = workers / 4
			inARow  = 100 // HEADs to the slow endpoint with at most few in flight there
		)
		var (
			inFlight, belowFew atomic.Int64
			enough             = errors.New("enough")
			ctx, cancel        = context.WithCancelCause(t.Context())
		)
		defer time.AfterFunc(time.Minute, func() { cancel(errors.New("the workers stay at the slow endpoint")) }).Stop()
		_, slow := startWithHandler(t, s3sim.Options{Objects: 1_000_000}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodHead {
				return false
			}
			if inFlight.Add(1) > few {
				belowFew.Store(0)
			} else if belowFew.Add(1) == inARow {
				cancel(enough)
			}
			time.Sleep(20 * time.Millisecond)
			inFlight.Add(-1)
			return false
		})
		_, fast := simtest.Start(t, s3sim.Options{Objects: 1_000_000, Latency: time.Millisecond})
		cfg.Store, cfg.Sink, cfg.Workers = open(t, fast, slow), &hookSink{}, workers
		if _, err := newScan(t, cfg).Run(ctx); !errors.Is(err, enough) {
			t.Errorf("got error %v, want %v", err, enough)
		}
	})
}

// One of two endpoints refuses every request. No object fails, and the failing endpoint gets at most half of the HEADs.
func TestOneEndpointRefusesEverything(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, code := range []string{"AccessDenied", "SlowDown"} {
			for _, first := range []bool{true, false} {
				t.Run(code+map[bool]string{true: " at the first", false: " at the second"}[first], func(t *testing.T) {
					testOneEndpointRefuses(t, cfg, code, first)
				})
			}
		}
	})
}

func testOneEndpointRefuses(t *testing.T, cfg scan.Config, code string, first bool) {
	options := s3sim.Options{Objects: 2_000, Latency: 2 * time.Millisecond}
	healthy, healthyURL := simtest.Start(t, options)
	options.Latency = 0
	failing, failingURL := simtest.Start(t, options)
	if err := failing.Refuse(code); err != nil {
		t.Fatal(err)
	}
	urls := []string{healthyURL, failingURL}
	if first {
		urls = []string{failingURL, healthyURL}
	}
	cfg.Workers = 16
	r := run(t.Context(), t, open(t, urls...), cfg)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("got %+v, error %v; want no failed or gone object", r.stats.Outcomes, r.err)
	}
	expectAllPrinted(t, healthy, r.lines)
	if n := failing.Counts().Heads; n == 0 || n > options.Objects/2 {
		t.Errorf("got %d HEADs at the failing endpoint, want 1 to %d", n, options.Objects/2)
	}
}

// serveAgain serves the same bucket at another port too, and returns its URL.
func serveAgain(t *testing.T, server *s3sim.Server) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }() // until Start closes the server
	return "http://" + l.Addr().String()
}

// If all endpoints refuse an object, the refusal is the object's Outcome.
func TestRefusalsByAllEndpoints(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		options := s3sim.Options{Objects: fewerIfShort(2000), Denied: 0.1, Gone: 0.1, Latency: time.Millisecond}
		server, one := simtest.Start(t, options)
		other := serveAgain(t, server)
		want := map[s3sim.HeadState]int64{}
		for i := range server.Keyspace().Len() {
			want[server.HeadState(server.Keyspace().Key(i))]++
		}
		r := run(t.Context(), t, open(t, one, other), cfg)
		if r.err != nil || r.stats.Failed != want[s3sim.HeadDenied] || r.stats.Gone != want[s3sim.HeadGone] {
			t.Errorf("got %+v, error %v; want %v", r.stats.Outcomes, r.err, want)
		}
	})
}
