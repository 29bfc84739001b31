package scan_test

import (
	"net/http"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/list"
)

// headStates counts the objects of a sim by the permanent result of their HEADs.
func headStates(server *s3sim.Server) map[s3sim.HeadState]int64 {
	count := map[s3sim.HeadState]int64{}
	ks := server.Keyspace()
	for i := range ks.Len() {
		count[server.HeadState(ks.Key(i))]++
	}
	return count
}

// An object whose HEAD is 404 is gone only if it is not listed any more. Otherwise it failed, by name. The objects of a
// page cost one more LIST together.
func TestStaleKeysFail(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 3_000, Gone: 0.1, Stale: 0.1})
		cfg.Listers, cfg.ListV1 = 1, cfg.Pipeline > 1
		r := run(t.Context(), t, open(t, url), cfg)
		want := headStates(server)
		if r.err != nil || r.stats.Failed != want[s3sim.HeadStale] || r.stats.Gone != want[s3sim.HeadGone] {
			t.Fatalf("got %+v, error %v; want those of %v", r.stats.Outcomes, r.err, want)
		}
		for _, e := range r.failed {
			if e.Class != fault.ListedNotFound || e.Status != http.StatusNotFound ||
				server.HeadState([]byte(e.Entry.Key)) != s3sim.HeadStale {
				t.Errorf("got %v of class %s, want a stale key", e, e.Class)
			}
		}
		if lists := server.Counts().Lists; lists > 60 {
			t.Errorf("got %d LISTs for %d objects that are not found, want a few for each page",
				lists, r.stats.Failed+r.stats.Gone)
		}
	})
}

// Known keys are asked for one by one. Where they may not be listed, what is not found is gone.
func TestStaleKnownKeysFail(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, mayList := range []bool{true, false} {
			server, url := startWithHandler(
				t, s3sim.Options{Objects: 300, Gone: 0.1, Stale: 0.1},
				func(w http.ResponseWriter, r *http.Request) bool {
					if mayList || r.Method == http.MethodHead {
						return false
					}
					w.WriteHeader(http.StatusForbidden)
					return true
				})
			var entries []list.Entry
			ks := server.Keyspace()
			for i := range ks.Len() {
				entries = append(entries, list.Entry{Key: string(ks.Key(i)), Size: -1})
			}
			cfg.Keys = list.NewKeys(entries)
			r := run(t.Context(), t, open(t, url), cfg)
			states := headStates(server)
			gone, failed := states[s3sim.HeadGone], states[s3sim.HeadStale]
			if !mayList {
				gone, failed = gone+failed, 0
			}
			if r.err != nil || r.stats.Failed != failed || r.stats.Gone != gone {
				t.Errorf("may list %v: got %+v, error %v; want %d gone, %d failed",
					mayList, r.stats.Outcomes, r.err, gone, failed)
			}
		}
	})
}
