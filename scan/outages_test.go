package scan_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
const outlasting = 30_000

// What ends a run by the store's word.
func TestFatal(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		for _, code := range []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"} {
			for _, as404 := range []bool{false, true} {
				if testing.Short() && code != "ExpiredToken" {
					continue
				}
				t.Run(fmt.Sprint(code, as404), func(t *testing.T) { testFatal(t, by, code, as404) })
			}
		}
	})
}

func testFatal(t *testing.T, by scan.Config, code string, as404 bool) {
	server, url := simtest.Start(t, s3sim.Options{Objects: outlasting, RefuseHead404: as404})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	by.Store, by.All = open(t, url), true
	by.Sink = &tripSink{after: 2, trip: func() {
		if err := server.Refuse(code); err != nil {
			t.Error(err)
		}
	}}
	stats, err := newScan(t, by).Run(ctx)
	var refused *list.StoreError
	if !errors.As(err, &refused) || refused.Code != code {
		t.Fatalf("%v", err)
	}
	if stats.Gone > 0 || stats.Failed > 0 || stats.Listed == 0 || !stats.Balanced() {
		t.Errorf("%+v", stats.Outcomes)
	}
}

// A store of which nothing is heard any more ends the run, but only after the user's patience.
func TestSilence(t *testing.T) { eachEngine(t, testSilence) }

func testSilence(t *testing.T, by scan.Config) {
	server, url := simtest.Start(t, s3sim.Options{Objects: outlasting})
	by.Store, by.All, by.RetryFor = open(t, url), true, 2*time.Second
	by.Sink = &tripSink{after: 2, trip: func() {
		if err := server.Refuse("SlowDown"); err != nil {
			t.Error(err)
		}
	}}
	began := time.Now()
	stats, err := newScan(t, by).Run(t.Context())
	var unavailable *fault.UnavailableError
	var refused *list.StoreError // where it was a LIST whose patience ended first
	if !errors.As(err, &unavailable) && !errors.As(err, &refused) {
		t.Fatalf("%v", err)
	}
	if took := time.Since(began); took < 2*time.Second || took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	if stats.Failed > 0 || stats.Gone > 0 {
		t.Errorf("an outage failed objects: %+v", stats.Outcomes)
	}
}

// An outage of any kind that ends costs nothing but time, even if it outlasts the tries of an object.
func TestOutage(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		for _, status := range []int{http.StatusInternalServerError, http.StatusServiceUnavailable} {
			t.Run(fmt.Sprint(status), func(t *testing.T) { testOutage(t, by, status) })
		}
	})
}

func testOutage(t *testing.T, by scan.Config, status int) {
	var heads, until atomic.Int64
	server, url := fronted(t, s3sim.Options{Objects: 3_000}, func(w http.ResponseWriter, r *http.Request) bool {
		if heads.Add(1) == 1_000 {
			until.Store(time.Now().Add(1900 * time.Millisecond).UnixNano())
		}
		out := time.Now().UnixNano() < until.Load()
		if out {
			w.WriteHeader(status)
		}
		return out
	})
	by.Workers, by.MaxAttempts = 64, 5 // some HEADs are still answered well after the first was not
	r := run(t.Context(), t, open(t, url), by)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
	}
	refused := r.stats.Requests["head"][fmt.Sprint(status)]
	if refused == 0 {
		t.Error("no HEAD met the outage")
	}
	// While it is throttled the gate opens six times within two seconds, and every worker sends what it may have in flight.
	if inFlight := int64(by.Workers * max(1, by.Pipeline)); status == http.StatusServiceUnavailable && refused > 8*inFlight {
		t.Errorf("%d HEADs were refused", refused)
	}
	expect(t, server, r.lines)
}

// A store that refuses everything for a moment, and is well when the canary flies, has not deleted its objects.
func TestAHiccupDeletesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, by scan.Config) {
		for _, status := range []int{403, 404, 400} {
			t.Run(fmt.Sprint(status), func(t *testing.T) { testHiccup(t, by, status) })
		}
	})
}

func testHiccup(t *testing.T, by scan.Config, status int) {
	var heads, until atomic.Int64
	server, url := fronted(t, s3sim.Options{Objects: 2_000}, func(w http.ResponseWriter, r *http.Request) bool {
		if heads.Add(1) == 500 {
			until.Store(time.Now().Add(50 * time.Millisecond).UnixNano())
		}
		hiccup := r.Method == http.MethodHead && time.Now().UnixNano() < until.Load()
		if hiccup {
			w.WriteHeader(status)
		}
		return hiccup
	})
	r := run(t.Context(), t, open(t, url), by)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
	}
	if r.stats.Requests["head"][fmt.Sprint(status)] == 0 {
		t.Error("no HEAD met the hiccup")
	}
	expect(t, server, r.lines)
}

// pausingSink does not write for a while, as a pipe does whose reader looks at what it has.
type pausingSink struct {
	tripSink
	pause time.Duration
}

func (s *pausingSink) Commit(page *list.Page, c []scan.Chunk) error {
	if s.pages == 1 {
		time.Sleep(s.pause)
	}
	return s.tripSink.Commit(page, c)
}

// A pause is not silence: what counts is how long HEADs have failed, and not since when none was sent.
func TestAPauseIsNoSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes many pages until nothing is sent any more")
	}
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 80_000, Faults: []s3sim.Fault{{Kind: s3sim.Fault500, Rate: 0.01}}})
	sink := &pausingSink{pause: 900 * time.Millisecond}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	sink.after, sink.trip = 60, func() { cancel(enough) }
	_, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true, RetryFor: 500 * time.Millisecond}).Run(ctx)
	if !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}

// The user's patience holds whatever the store asks for, and however long its answers take.
func TestPatienceHolds(t *testing.T) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	for name, answer := range map[string]http.HandlerFunc{
		"Retry-After in seconds": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"Retry-After as a date": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "Fri, 31 Dec 2099 00:00:00 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-over: // net/http does not notice the end of a connection on which another request waits
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, by scan.Config) { testPatience(t, by, answer) })
		})
	}
}

func testPatience(t *testing.T, by scan.Config, answer http.HandlerFunc) {
	_, url := fronted(t, s3sim.Options{Objects: 500}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead {
			answer(w, r)
		}
		return r.Method == http.MethodHead
	})
	by.Store, by.Sink, by.Workers, by.RetryFor, by.Timeout = open(t, url), &tripSink{}, 1, time.Second, 400*time.Millisecond
	began := time.Now()
	stats, err := newScan(t, by).Run(t.Context())
	var unavailable *fault.UnavailableError
	if !errors.As(err, &unavailable) || stats.Listed != 0 {
		t.Errorf("%+v, %v", stats.Outcomes, err)
	}
	if took := time.Since(began); took < time.Second || took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
