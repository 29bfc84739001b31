package scan_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// Every fate that an object can meet has its Outcome, and the right objects have it.
func TestOutcomes(t *testing.T) { forEachEngine(t, testOutcomes) }

func testOutcomes(t *testing.T, cfg scan.Config) {
	server, url := simtest.Start(
		t,
		s3sim.Options{Objects: 4_000, Gone: 0.05, DeleteMarked: 0.05, Denied: 0.05, Rewritten: 0.05},
	)
	cfg.All = true
	r := run(t.Context(), t, open(t, url), cfg)
	if r.err != nil {
		t.Fatal(r.err)
	}
	var gone, denied, rewritten int64
	ks := server.Keyspace()
	for i := range ks.Len() {
		switch server.HeadState(ks.Key(i)) {
		case s3sim.HeadGone, s3sim.HeadDeleteMarked:
			gone++
		case s3sim.HeadDenied:
			denied++
		case s3sim.HeadRewritten:
			rewritten++
		}
	}
	if gone == 0 || denied == 0 || rewritten == 0 {
		t.Fatal("no such fate")
	}
	if r.stats.Gone != gone || r.stats.Failed != denied || r.stats.Changed != rewritten {
		t.Errorf(
			"gone %d, failed %d, changed %d; want %d, %d, %d",
			r.stats.Gone,
			r.stats.Failed,
			r.stats.Changed,
			gone,
			denied,
			rewritten,
		)
	}
	checkLines(t, server, r.lines)
	for _, line := range r.lines {
		k := []byte(lineKey(t, line))
		if marked := strings.Contains(line, `"changed":true`); marked != (server.HeadState(k) == s3sim.HeadRewritten) {
			t.Errorf("changed is %v: %s", marked, line)
		}
	}
	for _, e := range r.failed {
		if server.HeadState([]byte(e.Entry.Key)) != s3sim.HeadDenied || e.Status != 403 || e.Class != "forbidden" ||
			e.RequestID == "" ||
			e.Attempts != 2 {
			t.Errorf("%+v", e)
		}
	}
}

// An object that always fails gets the outcome failed, and delays no other object, nor the end of the run.
func TestAlwaysFailingObjects(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 2_000, Broken500: 0.005})
		cfg.All, cfg.MaxAttempts = true, 5
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Failed == 0 {
			t.Fatalf("%+v, %v", r.stats, r.err)
		}
		checkLines(t, server, r.lines)
		for _, e := range r.failed {
			// Only failures with successes of other objects between them count: on a slow machine there may be more.
			if server.HeadState([]byte(e.Entry.Key)) != s3sim.HeadBroken500 || e.Status != 500 ||
				e.Class != "server_error" || e.Attempts < 5 || e.Attempts > 50 {
				t.Errorf("%v after %d attempts", e, e.Attempts)
			}
		}
	})
}

// A gateway that forbids HEAD has not deleted anything either.
func Test405WithoutDeleteMarkerFails(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := startWithHandler(t, s3sim.Options{Objects: 50}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
			}
			return r.Method == http.MethodHead
		})
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Failed != 50 {
			t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
		}
	})
}

// Refusals that the canary vouches for are answers: however many there are, they are no silence.
func TestRefusalsCountAsAnswers(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := simtest.Start(t, s3sim.Options{Objects: 1_000, Denied: 1, Latency: 20 * time.Millisecond})
		cfg.Workers, cfg.RetryFor = 16, 500*time.Millisecond
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Failed != 1_000 {
			t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
		}
	})
}
