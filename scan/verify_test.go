package scan

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// One canary covers all refusals that wait. Here a canary takes longer than all HEADs: the first one is sent for the
// first refusal, the second one for all others. So it is again when the objects are refused for the second time, which
// is their Outcome.
func TestOneCanaryForManyRefusals(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
		synctest.Test(t, func(t *testing.T) {
			const objects = 300
			sim := simulation{keys: objects, canaryLatency: time.Second, answer: func(string, int) simulatedAnswer {
				return simulatedAnswer{after: time.Millisecond, status: status}
			}}
			stats, took, err := sim.run(t, t.Context(), Config{Workers: 8})
			if err != nil || stats.Heads != 2*objects || stats.Failed+stats.Gone != objects {
				t.Errorf("%+v, %v", stats, err)
			}
			if gone := status == http.StatusNotFound; gone != (stats.Gone == objects) {
				t.Errorf("%d: %+v", status, stats.Outcomes)
			}
			if n := sim.canaries.Load(); n < 3 || n > 4 {
				t.Errorf("%d canaries for %d refusals in %v", n, 2*objects, took)
			}
		})
	}
}
