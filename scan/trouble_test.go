package scan_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/list"
	"headcount/scan/store"
)

// fronted puts a handler before a sim: what it does not answer itself goes on to the sim. It returns the handler's URL.
func fronted(t *testing.T, o s3sim.Options, answer func(w http.ResponseWriter, r *http.Request) bool) (*s3sim.Server, string) {
	t.Helper()
	server, url := sim(t, o)
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer(w, r) {
			return
		}
		on := r.Clone(r.Context())
		on.URL.Scheme, on.URL.Host, on.RequestURI = "http", strings.TrimPrefix(url, "http://"), ""
		response, err := transport.RoundTrip(on)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer response.Body.Close()
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body) // what is cut short the client notices
	}))
	t.Cleanup(func() { front.Close(); transport.CloseIdleConnections() })
	return server, front.URL
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

// A gateway that forbids HEAD has not deleted anything either.
func TestA405WithoutAMarkerIsAFailure(t *testing.T) {
	_, url := fronted(t, s3sim.Options{Objects: 50}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
		return r.Method == http.MethodHead
	})
	r := run(t.Context(), t, open(t, url), scan.Config{})
	if r.err != nil || r.stats.Failed != 50 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
	}
}

// Refusals that the canary vouches for are answers: however many there are, they are no silence.
func TestRefusalsAreNoSilence(t *testing.T) {
	_, url := sim(t, s3sim.Options{Objects: 1_000, Denied: 1, Latency: 20 * time.Millisecond})
	r := run(t.Context(), t, open(t, url), scan.Config{Workers: 16, RetryFor: 500 * time.Millisecond})
	if r.err != nil || r.stats.Failed != 1_000 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
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

// A LIST that fails for good ends the run with an error, at its beginning and in its middle.
func TestALostListingIsNoShortOne(t *testing.T) {
	for _, after := range []int64{0, 2} {
		var lists atomic.Int64
		_, url := fronted(t, s3sim.Options{Objects: 5_000}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet && lists.Add(1) > after {
				panic(http.ErrAbortHandler)
			}
			return false
		})
		r := run(t.Context(), t, open(t, url), scan.Config{RetryFor: 500 * time.Millisecond})
		var sent *list.SendError
		if !errors.As(r.err, &sent) || r.stats.Complete {
			t.Errorf("after %d: %+v, %v", after, r.stats, r.err)
		}
	}
}

// One of two endpoints that is dead costs its share of speed, and no object.
func TestADeadEndpointIsLeftAlone(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for _, first := range []bool{true, false} {
		server, url := sim(t, s3sim.Options{Objects: 3_000})
		endpoints := []string{dead.URL, url}
		if !first {
			endpoints = []string{url, dead.URL}
		}
		s, err := store.Open(t.Context(), store.Config{Bucket: "demo", Endpoints: endpoints, Isolated: true, Connections: 64})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r := run(t.Context(), t, s, scan.Config{})
		if r.err != nil || r.stats.Failed != 0 {
			t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
		}
		expect(t, server, r.lines)
		if refused := r.stats.Requests["head"]["refused"]; refused > 200 {
			t.Errorf("%d HEADs went to it", refused)
		}
	}
}

// Credentials that are renewed in the middle of a run cost nothing: what was signed with the old ones is asked again.
func TestCredentialsAreRenewed(t *testing.T) {
	dir := t.TempDir()
	counter := filepath.Join(dir, "count")
	script := filepath.Join(dir, "credentials")
	text := fmt.Sprintf("#!/bin/sh\necho x >> %s\nn=$(wc -l < %s | tr -d ' ')\n"+
		`printf '{"Version":1,"AccessKeyId":"key%%s","SecretAccessKey":"s","SessionToken":"t","Expiration":"2099-01-01T00:00:00Z"}' "$n"`+"\n", counter, counter)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config")
	if err := os.WriteFile(config, []byte("[profile renewing]\nregion = us-east-1\ncredential_process = "+script+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var expired atomic.Bool
	var heads atomic.Int64
	server, url := fronted(t, s3sim.Options{Objects: 3_000}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead && heads.Add(1) == 1_000 {
			expired.Store(true)
		}
		if !expired.Load() || !strings.Contains(r.Header.Get("Authorization"), "Credential=key1/") {
			return false
		}
		time.Sleep(time.Duration(heads.Load()%5) * time.Millisecond) // so that some are answered after the renewal
		w.WriteHeader(http.StatusBadRequest)
		if r.Method == http.MethodGet {
			fmt.Fprint(w, "<Error><Code>ExpiredToken</Code></Error>")
		}
		return true
	})
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "none"))
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "")
	}
	s, err := store.Open(t.Context(), store.Config{Bucket: "demo", Profile: "renewing", Endpoints: []string{url}, Connections: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := run(t.Context(), t, s, scan.Config{})
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
	}
	if r.stats.Requests["head"]["400"] == 0 {
		t.Error("no HEAD met the expiry")
	}
	expect(t, server, r.lines)
}
