package scan_test

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/metrics"
)

// The number of workers grows where the store rewards it, and every object has its outcome whatever number was tried on the way.
func TestAutoWidens(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: most(20_000), Latency: 20 * time.Millisecond})
		r := run(t.Context(), t, open(t, url), by)
		if r.err != nil {
			t.Fatal(r.err)
		}
		expect(t, server, r.lines)
		depth := max(1, by.Pipeline)
		if r.stats.Workers*depth <= 32 || r.stats.InFlight != r.stats.Workers*depth {
			t.Errorf("%d workers at the end, %d in flight, path %v", r.stats.Workers, r.stats.InFlight, r.stats.WorkersHistory)
		}
		path := r.stats.WorkersHistory
		if len(path) < 2 || path[0].Workers*depth != 32 || path[0].HeadsPerSecond <= 0 ||
			!slices.IsSortedFunc(path, func(a, b metrics.Step) int { return int(a.Seconds*1e6) - int(b.Seconds*1e6) }) {
			t.Errorf("the path is %v", path)
		}
	})
}

// What is not rewarded is not opened: a worker begins when it is first needed.
func TestAutoOpensNoMoreThanItTries(t *testing.T) {
	server, url := simtest.Start(t, s3sim.Options{Objects: 500})
	r := run(t.Context(), t, open(t, url), scan.Config{Engine: engine.Direct})
	if n := server.Counts().Connections; r.err != nil || n > 32+2 {
		t.Errorf("%d connections for 500 objects, %v", n, r.err)
	}
}

// While the number is narrowed and widened, batches are taken from workers and given to others: none is lost, and none comes twice. The
// store's latency jumps between nothing and 40 ms.
func TestAutoLosesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		var asked atomic.Int64
		server, url := fronted(t, s3sim.Options{Objects: most(16_000)}, func(_ http.ResponseWriter, r *http.Request) bool {
			if n := asked.Add(1); r.Method == http.MethodHead && n/2000%2 == 0 {
				time.Sleep(40 * time.Millisecond)
			}
			return false
		})
		by.Pipeline = min(by.Pipeline, 2) // the front answers one at a time
		r := run(t.Context(), t, open(t, url), by)
		if r.err != nil {
			t.Fatal(r.err)
		}
		expect(t, server, r.lines)
	})
}

// The user's limit is never exceeded, whatever number is tried, and it is what the run is said to be limited by.
func TestAutoUnderALimit(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 600, Latency: 5 * time.Millisecond})
	r := run(t.Context(), t, open(t, url), scan.Config{Engine: engine.Direct, Rate: 200})
	if r.err != nil || r.stats.HeadsPerSecond > 210 {
		t.Errorf("%v, %.0f/s by %d workers", r.err, r.stats.HeadsPerSecond, r.stats.Workers)
	}
	isBusy := r.stats.HeadsPerSecond < 195 // the machine, with other things
	if !isBusy && (r.stats.LimitedBy != "rate" || r.stats.Workers > 32) {
		t.Errorf("%d workers, limited by %s: %s", r.stats.Workers, r.stats.LimitedBy, r.stats.LimitedByReason)
	}
}

// Where LISTs take long the workers have nothing to do, their number does not grow, and the listing is named. It is not run
// beside others, whose CPU time is the process's too.
func TestListingLimits(t *testing.T) {
	for _, workers := range []int{scan.WorkersAuto, 16} {
		_, url := simtest.Start(t, s3sim.Options{Objects: 12_000, ListLatency: 150 * time.Millisecond})
		r := run(t.Context(), t, open(t, url), scan.Config{Engine: engine.Direct, Workers: workers, Listers: 1})
		isBusy := r.stats.HeadsPerSecond < 5000 // the machine, with other things: by the LISTs alone there are 6,600
		if r.err != nil || !isBusy && (r.stats.LimitedBy != "listing" || r.stats.Workers > 32) {
			t.Errorf("%v, %d workers, limited by %s: %s", r.err, r.stats.Workers, r.stats.LimitedBy, r.stats.LimitedByReason)
		}
		if auto := workers == scan.WorkersAuto; auto == (len(r.stats.WorkersHistory) == 0) {
			t.Errorf("%d workers were asked for, and the path is %v", workers, r.stats.WorkersHistory)
		}
	}
}
