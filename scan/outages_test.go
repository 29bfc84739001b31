package scan_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/list"
)

// What ends a run by the store's word.
func TestFatal(t *testing.T) {
	for _, c := range []struct{ code, want string }{
		{"InvalidAccessKeyId", "InvalidAccessKeyId"}, {"SignatureDoesNotMatch", "SignatureDoesNotMatch"}, {"ExpiredToken", "ExpiredToken"},
	} {
		for _, as404 := range []bool{false, true} {
			t.Run(fmt.Sprint(c.code, as404), func(t *testing.T) {
				server, url := sim(t, s3sim.Options{Objects: 100_000, RefuseHead404: as404})
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				sink := &tripSink{after: 2, trip: func() {
					if err := server.Refuse(c.code); err != nil {
						t.Error(err)
					}
				}}
				stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true}).Run(ctx)
				var refused *list.StoreError
				if !errors.As(err, &refused) || refused.Code != c.want {
					t.Fatalf("%v", err)
				}
				if stats.Gone > 0 || stats.Failed > 0 || stats.Listed == 0 || !stats.Balanced() {
					t.Errorf("%+v", stats.Outcomes)
				}
			})
		}
	}
}

// A store of which nothing is heard any more ends the run, but only after the user's patience.
func TestSilence(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 100_000})
	sink := &tripSink{after: 2, trip: func() {
		if err := server.Refuse("SlowDown"); err != nil {
			t.Error(err)
		}
	}}
	began := time.Now()
	stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true, RetryFor: 2 * time.Second}).Run(t.Context())
	var silence *scan.SilenceError
	var refused *list.StoreError // where it was a LIST whose patience ended first
	if !errors.As(err, &silence) && !errors.As(err, &refused) {
		t.Fatalf("%v", err)
	}
	if took := time.Since(began); took < 2*time.Second || took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	if stats.Failed > 0 || stats.Gone > 0 {
		t.Errorf("an outage failed objects: %+v", stats.Outcomes)
	}
}

// An outage that ends costs nothing but time.
func TestOutage(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 20_000})
	var once sync.Once
	ctx := t.Context()
	sink := &tripSink{after: 3, trip: func() {
		once.Do(func() {
			if err := server.Refuse("SlowDown"); err != nil {
				t.Error(err)
			}
			time.AfterFunc(time.Second, func() { _ = server.Refuse("") })
		})
	}}
	stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true}).Run(ctx)
	if err != nil || stats.Emitted != 20_000 {
		t.Errorf("%+v, %v", stats.Outcomes, err)
	}
	if stats.Requests["head"]["503"] == 0 || stats.Heads > 20_000*5/4 {
		t.Errorf("%d HEADs, by status %v", stats.Heads, stats.Requests["head"])
	}
}

// An outage of any kind that ends costs nothing but time, even if it outlasts the tries of an object.
func TestOutageOf500s(t *testing.T) {
	var began atomic.Int64
	server, url := fronted(t, s3sim.Options{Objects: 3_000}, func(w http.ResponseWriter, r *http.Request) bool {
		began.CompareAndSwap(0, time.Now().UnixNano())
		out := time.Since(time.Unix(0, began.Load()))
		if r.Method == http.MethodHead && out > 100*time.Millisecond && out < 2*time.Second {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	})
	// Two tries may fall beside a success at the beginning of the outage, and one at its end.
	r := run(t.Context(), t, open(t, url), scan.Config{TriesMax: 4})
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
	}
	expect(t, server, r.lines)
}

// A store that refuses everything for a moment, and is well when the canary flies, has not deleted its objects.
func TestAHiccupDeletesNothing(t *testing.T) {
	for _, status := range []int{403, 404, 400} {
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
		r := run(t.Context(), t, open(t, url), scan.Config{})
		if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
			t.Errorf("%d: %+v, %v", status, r.stats.Outcomes, r.err)
		}
		if r.stats.Requests["head"][fmt.Sprint(status)] == 0 {
			t.Errorf("%d: no HEAD met the hiccup", status)
		}
		expect(t, server, r.lines)
	}
}

// pausingSink does not write for a while, as a pipe does whose reader looks at what it has.
type pausingSink struct {
	tripSink
	pause time.Duration
}

func (s *pausingSink) Commit(c []scan.Chunk) error {
	if s.pages == 1 {
		time.Sleep(s.pause)
	}
	return s.tripSink.Commit(c)
}

// A pause is not silence: what counts is how long HEADs have failed, and not since when none was sent.
func TestAPauseIsNoSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes many pages until nothing is sent any more")
	}
	_, url := sim(t, s3sim.Options{Objects: 80_000, Faults: []s3sim.Fault{{Kind: s3sim.Fault500, Rate: 0.01}}})
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
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"Retry-After in seconds": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"Retry-After as a date": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "Fri, 31 Dec 2099 00:00:00 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, url := fronted(t, s3sim.Options{Objects: 500}, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodHead {
					answer(w, r)
				}
				return r.Method == http.MethodHead
			})
			began := time.Now()
			stats, err := newScan(t, scan.Config{
				Store: open(t, url), Sink: &tripSink{}, Workers: 1, RetryFor: time.Second, Timeout: 400 * time.Millisecond,
			}).Run(t.Context())
			var silence *scan.SilenceError
			if !errors.As(err, &silence) || stats.Listed != 0 {
				t.Errorf("%+v, %v", stats.Outcomes, err)
			}
			if took := time.Since(began); took < time.Second || took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
