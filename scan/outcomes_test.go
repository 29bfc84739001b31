package scan_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/fault"
)

// Deleted, forbidden and overwritten objects have the Outcomes gone, failed and changed, and no other object has them.
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
		t.Fatalf("the sim has %d gone, %d denied, %d rewritten objects, want some of each", gone, denied, rewritten)
	}
	if r.stats.Gone != gone || r.stats.Failed != denied || r.stats.Changed != rewritten {
		t.Errorf("got %d gone, %d failed, %d changed; want %d, %d, %d",
			r.stats.Gone, r.stats.Failed, r.stats.Changed, gone, denied, rewritten)
	}
	checkLines(t, server, r.lines)
	for _, line := range r.lines {
		k := []byte(lineKey(t, line))
		if marked := strings.Contains(line, `"changed":true`); marked != (server.HeadState(k) == s3sim.HeadRewritten) {
			t.Errorf("changed: got %v, want %v: %s", marked, !marked, line)
		}
	}
	for _, e := range r.failed {
		if server.HeadState([]byte(e.Entry.Key)) != s3sim.HeadDenied || e.Status != 403 || e.Class != "forbidden" ||
			e.RequestID == "" || e.Attempts != 2 {
			t.Errorf("got %+v, want a denied object with status 403, a request ID and 2 attempts", e)
		}
	}
}

// A 200 that is not about the listed object is asked for twice. Then the object failed by name: it is neither an object
// without metadata nor one that was overwritten.
func TestUnlikeAnswersFail(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 1_000, Unlike: 0.05, WebPage: 0.05, Rewritten: 0.05})
		want := map[s3sim.HeadState]int64{}
		ks := server.Keyspace()
		for i := range ks.Len() {
			want[server.HeadState(ks.Key(i))]++
		}
		for _, cfg.All = range []bool{false, true} {
			r := run(t.Context(), t, open(t, url), cfg)
			o := r.stats.Outcomes
			if unlike := want[s3sim.HeadUnlike] + want[s3sim.HeadWebPage]; r.err != nil || o.Failed != unlike {
				t.Errorf("got %+v, error %v; want %d failed", o, r.err, unlike)
			}
			if cfg.All && (o.WithoutMetadata != 0 || o.Changed != want[s3sim.HeadRewritten]) {
				t.Errorf("got %+v; want %d changed, and none without metadata", o, want[s3sim.HeadRewritten])
			}
			checkLines(t, server, r.lines)
			for _, e := range r.failed {
				class := map[s3sim.HeadState]fault.Class{
					s3sim.HeadUnlike: fault.UnlikeListing, s3sim.HeadWebPage: fault.NotAnObject,
				}[server.HeadState([]byte(e.Entry.Key))]
				if e.Class != class || e.Status != 200 || e.Attempts != 2 || e.Err == nil {
					t.Errorf("got %v (%s) after %d attempts, want %s after 2", e, e.Class, e.Attempts, class)
				}
			}
		}
	})
}

// An object whose HEADs always fail gets the Outcome failed after MaxAttempts. It delays neither other objects nor the
// end of the run.
func TestAlwaysFailingObjects(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 2_000, Broken500: 0.005})
		cfg.All, cfg.MaxAttempts = true, 5
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Failed == 0 {
			t.Fatalf("got %+v, error %v; want some failed objects", r.stats, r.err)
		}
		checkLines(t, server, r.lines)
		for _, e := range r.failed {
			// A failure counts if another object succeeded since the last one. A slow machine may send more HEADs.
			if server.HeadState([]byte(e.Entry.Key)) != s3sim.HeadBroken500 || e.Status != 500 ||
				e.Class != "server_error" || e.Attempts < 5 || e.Attempts > 50 {
				t.Errorf("got %v after %d attempts, want status 500 after 5 to 50 attempts", e, e.Attempts)
			}
		}
	})
}

// A 405 without the header of a delete marker, for example from a gateway that forbids HEAD, has the Outcome failed.
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
			t.Errorf("got %+v, error %v; want 50 failed", r.stats.Outcomes, r.err)
		}
	})
}

// Refusals that the canary confirms count as answers: a store that refuses every HEAD for longer than RetryFor does not
// end the run.
func TestRefusalsCountAsAnswers(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := simtest.Start(t, s3sim.Options{Objects: 1_000, Denied: 1, Latency: 20 * time.Millisecond})
		cfg.Workers, cfg.RetryFor = 16, 500*time.Millisecond
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Failed != 1_000 {
			t.Errorf("got %+v, error %v; want 1,000 failed", r.stats.Outcomes, r.err)
		}
	})
}
