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

// outlasting is more objects than can be in flight: what happens at the second page happens to them.
const manyObjects = 30_000

// What ends a run by the store's word.
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
		t.Fatalf("%v", err)
	}
	if stats.Gone > 0 || stats.Failed > 0 || stats.Listed == 0 || !stats.Balanced() {
		t.Errorf("%+v", stats.Outcomes)
	}
}

// A store that refuses everything from some moment on ends the run, but only after the user's patience.
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
	var refused *list.StoreError // where it was a LIST whose patience ended first
	if !errors.As(err, &unavailable) && !errors.As(err, &refused) {
		t.Fatalf("%v", err)
	}
	if took := time.Since(began); took < cfg.RetryFor {
		t.Errorf("it took %v", took)
	}
	if stats.Failed > 0 || stats.Gone > 0 {
		t.Errorf("an outage failed objects: %+v", stats.Outcomes)
	}
}

// A store that refuses HEADs for a moment, and is well when the canary comes, has not deleted its objects. A moment is
// a hundred HEADs, each the first one for its object: so no object is refused twice, however slow the machine is.
func TestBriefRefusals(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, status := range []int{403, 404, 400} {
			t.Run(fmt.Sprint(status), func(t *testing.T) { testBriefRefusals(t, cfg, status) })
		}
	})
}

func testBriefRefusals(t *testing.T, cfg scan.Config, status int) {
	var heads, refused atomic.Int64
	var asked sync.Map // keys
	server, url := startWithHandler(t, s3sim.Options{Objects: 2_000}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodHead {
			return false
		}
		_, again := asked.LoadOrStore(r.URL.Path, true)
		hiccup := heads.Add(1) >= 500 && !again && refused.Add(1) <= 100
		if hiccup {
			w.WriteHeader(status)
		}
		return hiccup
	})
	r := run(t.Context(), t, open(t, url), cfg)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
	}
	if n := r.stats.Requests["head"][fmt.Sprint(status)]; n != 100 {
		t.Errorf("%d HEADs met the hiccup", n)
	}
	expectAllPrinted(t, server, r.lines)
}

// A store that accepts connections and never answers a HEAD ends the run.
func TestUnansweredHeadsEndRun(t *testing.T) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := startWithHandler(t, s3sim.Options{Objects: 500}, func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead {
				select {
				case <-r.Context().Done():
				case <-over: // net/http does not see the end of a connection while another request waits on it
				}
			}
			return r.Method == http.MethodHead
		})
		cfg.Store, cfg.Sink, cfg.Workers = open(t, url), &hookSink{}, 1
		cfg.RetryFor, cfg.Timeout = time.Second, 400*time.Millisecond
		stats, err := newScan(t, cfg).Run(t.Context())
		var unavailable *fault.UnavailableError
		if !errors.As(err, &unavailable) || stats.Listed != 0 {
			t.Errorf("%+v, %v", stats.Outcomes, err)
		}
	})
}
