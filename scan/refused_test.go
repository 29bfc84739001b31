package scan_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// A run whose HEADs are all refused ends after some hundred of them. A bucket of no more than a page is scanned to its
// end. Neither costs a LIST, or a connection, for each refusal.
func TestEveryHeadRefused(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, objects := range []int64{200, 1_000, 20_000} {
			server, url := simtest.Start(t, s3sim.Options{Objects: objects, Denied: 1})
			r := run(t.Context(), t, open(t, url), cfg)
			counts := server.Counts()
			var refused *scan.RefusedError
			switch {
			case objects <= 1_000 && (r.err != nil || r.stats.Failed != objects || scan.HintIfAllRefused(&r.stats) == ""):
				t.Errorf("%d objects: got %+v, error %v; want all failed, with a hint", objects, r.stats.Outcomes, r.err)
			case objects > 1_000 && (!errors.As(r.err, &refused) || !strings.Contains(refused.Hint(), "s3:GetObject")):
				t.Errorf("%d objects: got %+v, error %v; want a RefusedError", objects, r.stats.Outcomes, r.err)
			}
			if counts.Heads > 2*objects || counts.Heads > 10_000 {
				t.Errorf("%d objects: got %d HEADs, want at most two for each and 10,000", objects, counts.Heads)
			}
			if canaries := counts.Lists; canaries > 100 {
				t.Errorf("%d objects: got %d LISTs, want at most 100", objects, canaries)
			}
			// One of each two HEADs for an object would have a connection of its own. How many share one is a matter of
			// how many wait when the canary answers.
			if counts.Connections > 32+counts.Heads/4 {
				t.Errorf("%d objects: got %d connections for %d HEADs", objects, counts.Connections, counts.Heads)
			}
		}
	})
}

// Objects that are refused beside others fail, in any number, and share the connections of their second HEADs.
func TestSomeHeadsRefused(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 3_000, Denied: 0.3})
		cfg.All = true
		r := run(t.Context(), t, open(t, url), cfg)
		want := headStates(server)
		if r.err != nil || r.stats.Failed != want[s3sim.HeadDenied] || r.stats.Emitted != want[s3sim.HeadOK] {
			t.Fatalf("got %+v, error %v; want those of %v", r.stats.Outcomes, r.err, want)
		}
		checkLines(t, server, r.lines)
		if scan.HintIfAllRefused(&r.stats) != "" {
			t.Error("got the hint of a run whose HEADs are all refused")
		}
		if c := server.Counts(); c.Connections > 100+want[s3sim.HeadDenied]/4 {
			t.Errorf("got %d connections for %d refused objects", c.Connections, want[s3sim.HeadDenied])
		}
	})
}

// A bucket whose first objects are refused, with different statuses or with an answer among them, is scanned to its
// end.
func TestFirstHeadsRefused(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]func(key string) int{
		"two statuses": func(key string) int { return 401 + 2*int(key[len(key)-1]%2) },
		"an answer": func(key string) int {
			if strings.HasSuffix(key, "050") {
				return http.StatusOK
			}
			return http.StatusForbidden
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, url := startWithHandler(t, s3sim.Options{Objects: 2_500}, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodHead || r.URL.Path > "/demo/obj-000000001000" {
					return false
				}
				code := status(r.URL.Path)
				if code != http.StatusOK {
					w.WriteHeader(code)
				}
				return code != http.StatusOK
			})
			r := run(t.Context(), t, open(t, url), scan.Config{Engine: "direct", Pipeline: 8, All: true})
			if r.err != nil || r.stats.Failed < 990 || r.stats.Emitted < 1_490 {
				t.Errorf("got %+v, error %v; want some 1,000 failed and 1,500 emitted", r.stats.Outcomes, r.err)
			}
		})
	}
}
