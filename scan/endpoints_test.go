package scan_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// Workers do not stay where it takes long: of those that began at the slow one of two endpoints, half of all, few are
// there in the end.
func TestWorkersLeaveSlowEndpoint(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		const (
			workers = 16
			few     = workers / 4
			inARow  = 100
		)
		var (
			here, low   atomic.Int64
			enough      = errors.New("enough")
			ctx, cancel = context.WithCancelCause(t.Context())
		)
		defer time.AfterFunc(time.Minute, func() { cancel(errors.New("they stay")) }).Stop()
		_, slow := startWithHandler(t, s3sim.Options{Objects: 1_000_000}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodHead {
				return false
			}
			if here.Add(1) > few {
				low.Store(0)
			} else if low.Add(1) == inARow {
				cancel(enough)
			}
			time.Sleep(20 * time.Millisecond)
			here.Add(-1)
			return false
		})
		_, fast := simtest.Start(t, s3sim.Options{Objects: 1_000_000, Latency: time.Millisecond})
		cfg.Store, cfg.Sink, cfg.Workers = open(t, fast, slow), &hookSink{}, workers
		if _, err := newScan(t, cfg).Run(ctx); !errors.Is(err, enough) {
			t.Errorf("%v", err)
		}
	})
}

// An endpoint that refuses everything, while another is well, fails no object, and is left alone.
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
	well, wellURL := simtest.Start(t, options)
	options.Latency = 0
	ill, illURL := simtest.Start(t, options)
	if err := ill.Refuse(code); err != nil {
		t.Fatal(err)
	}
	urls := []string{wellURL, illURL}
	if first {
		urls = []string{illURL, wellURL}
	}
	cfg.Workers = 16
	r := run(t.Context(), t, open(t, urls...), cfg)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
	}
	expectAllPrinted(t, well, r.lines)
	if n := ill.Counts().Heads; n == 0 || n > options.Objects/2 {
		t.Errorf("%d of %d objects were asked for where everything is refused", n, options.Objects)
	}
}

// Refusals that all endpoints share are meant for the objects.
func TestRefusalsByAllEndpoints(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		options := s3sim.Options{Objects: fewerIfShort(2000), Denied: 0.1, Gone: 0.1, Latency: time.Millisecond}
		server, one := simtest.Start(t, options)
		_, other := simtest.Start(t, options)
		want := map[s3sim.HeadState]int64{}
		for i := range server.Keyspace().Len() {
			want[server.HeadState(server.Keyspace().Key(i))]++
		}
		r := run(t.Context(), t, open(t, one, other), cfg)
		if r.err != nil || r.stats.Failed != want[s3sim.HeadDenied] || r.stats.Gone != want[s3sim.HeadGone] {
			t.Errorf("%+v, %v, want %v", r.stats.Outcomes, r.err, want)
		}
	})
}
