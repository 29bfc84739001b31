package scan_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/list"
)

// manyObjects exceeds the number of objects in flight: a change of the store after the first page affects many objects.
const manyObjects = 30_000

// An error code that no retry can resolve ends the run, also if the store answers the HEADs with 404. No object fails.
func TestFatalStoreErrors(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, code := range []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"} {
			for _, as404 := range []bool{false, true} {
				if testing.Short() && code != "ExpiredToken" {
					continue
				}
				t.Run(fmt.Sprint(code, as404), func(t *testing.T) { testFatalStoreError(t, cfg, code, as404) })
			}
		}
	})
}

func testFatalStoreError(t *testing.T, cfg scan.Config, code string, as404 bool) {
	server, url := simtest.Start(t, s3sim.Options{Objects: manyObjects, RefuseHead404: as404})
	cfg.Store, cfg.All = open(t, url), true
	cfg.Sink = &hookSink{atPage: 1, hook: func() {
		if err := server.Refuse(code); err != nil {
			t.Error(err)
		}
	}}
	stats, err := newScan(t, cfg).Run(t.Context())
	var refused *list.StoreError
	if !errors.As(err, &refused) || refused.Code != code {
		t.Fatalf("got error %v, want a StoreError with code %s", err, code)
	}
	if stats.Gone > 0 || stats.Failed > 0 || stats.Listed == 0 || !stats.Balanced() {
		t.Errorf("got %+v, want some listed, and no gone or failed object", stats.Outcomes)
	}
}

// A store that answers every request with SlowDown after the first page ends the run, but not before RetryFor.
func TestThrottledStoreEndsRun(t *testing.T) { forEachEngine(t, testThrottledStoreEndsRun) }

func testThrottledStoreEndsRun(t *testing.T, cfg scan.Config) {
	server, url := simtest.Start(t, s3sim.Options{Objects: manyObjects})
	cfg.Store, cfg.All, cfg.RetryFor = open(t, url), true, time.Second
	cfg.Sink = &hookSink{atPage: 1, hook: func() {
		if err := server.Refuse("SlowDown"); err != nil {
			t.Error(err)
		}
	}}
	began := time.Now()
	stats, err := newScan(t, cfg).Run(t.Context())
	var unavailable *fault.UnavailableError
	var refused *list.StoreError // if RetryFor ends first for a LIST
	if !errors.As(err, &unavailable) && !errors.As(err, &refused) {
		t.Fatalf("got error %v, want an UnavailableError or a StoreError", err)
	}
	if took := time.Since(began); took < cfg.RetryFor {
		t.Errorf("the run took %v, want at least %v", took, cfg.RetryFor)
	}
	if stats.Failed > 0 || stats.Gone > 0 {
		t.Errorf("got %+v, want no failed or gone object", stats.Outcomes)
	}
}

// A store refuses a hundred HEADs and answers the canary. The canary shows that the store works, so each object gets
// another HEAD, and none is gone or failed. Only the first HEAD of an object is refused: no object is refused twice,
// on slow machines too.
func TestBriefRefusals(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, status := range []int{403, 404, 400} {
			t.Run(fmt.Sprint(status), func(t *testing.T) { testBriefRefusals(t, cfg, status) })
		}
	})
}

func testBriefRefusals(t *testing.T, cfg scan.Config, status int) {
	var heads, refused atomic.Int64
	var asked sync.Map // paths
	server, url := startWithHandler(t, s3sim.Options{Objects: 1_000}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodHead {
			return false
		}
		_, again := asked.LoadOrStore(r.URL.Path, true)
		refuse := heads.Add(1) >= 500 && !again && refused.Add(1) <= 100
		if refuse {
			w.WriteHeader(status)
		}
		return refuse
	})
	r := run(t.Context(), t, open(t, url), cfg)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("got %+v, error %v; want no failed or gone object", r.stats.Outcomes, r.err)
	}
	if n := r.stats.Requests["head"][fmt.Sprint(status)]; n != 100 {
		t.Errorf("got %d refused HEADs, want 100", n)
	}
	expectAllPrinted(t, server, r.lines)
}

// A store that accepts connections and never answers a HEAD ends the run.
func TestUnansweredHeadsEndRun(t *testing.T) {
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := startWithHandler(t, s3sim.Options{Objects: 500}, func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead {
				select {
				case <-r.Context().Done():
				case <-done: // net/http does not detect a closed connection while another request waits on it
				}
			}
			return r.Method == http.MethodHead
		})
		cfg.Store, cfg.Sink, cfg.Workers = open(t, url), &hookSink{}, 1
		cfg.RetryFor, cfg.Timeout = 2*time.Second, time.Second // a busy machine answers the LIST within them
		stats, err := newScan(t, cfg).Run(t.Context())
		var unavailable *fault.UnavailableError
		if !errors.As(err, &unavailable) || stats.Listed != 0 {
			t.Errorf("got %+v, error %v; want an UnavailableError, 0 listed", stats.Outcomes, err)
		}
	})
}
