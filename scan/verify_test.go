package scan

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// One canary covers all refusals that are queued before it. Here a canary takes longer than all HEADs together: the
// first canary is sent for the first refusal, the second canary for all others. The same happens for the second
// refusals, which decide the Outcomes.
func TestOneCanaryForManyRefusals(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
		synctest.Test(t, func(t *testing.T) {
			const objects = 300
			sim := simulation{keys: objects, canaryLatency: time.Second, answer: func(string, int) simulatedAnswer {
				return simulatedAnswer{after: time.Millisecond, status: status}
			}}
			stats, took, err := sim.run(t, t.Context(), Config{Workers: 8})
			if err != nil || stats.Heads != 2*objects || stats.Failed+stats.Gone != objects {
				t.Errorf("got %+v, error %v; want %d HEADs and %d failed or gone", stats, err, 2*objects, objects)
			}
			if gone := status == http.StatusNotFound; gone != (stats.Gone == objects) {
				t.Errorf("status %d: got %+v, want all gone: %v", status, stats.Outcomes, gone)
			}
			if n := sim.canaries.Load(); n < 3 || n > 4 {
				t.Errorf("got %d canaries for %d refusals in %v, want 3 or 4", n, 2*objects, took)
			}
		})
	}
}
