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

// Objects that fail again and again do not keep each other alive at the end of a run, where the store answers no other
// HEADs than those of the verifier. Failures that are alone do not count, and are fewer than MaxAttempts.
func TestLastObjectsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const objects, bad, attempts = 200, 10, 10
		sim := simulation{keys: objects, answer: func(key string, _ int) simulatedAnswer {
			if key < simulatedKey(bad) {
				return simulatedAnswer{after: time.Millisecond, status: http.StatusInternalServerError}
			}
			return simulatedAnswer{after: time.Millisecond}
		}}
		stats, took, err := sim.run(t, t.Context(), Config{Workers: 8, All: true, MaxAttempts: attempts})
		if err != nil || stats.Failed != bad {
			t.Errorf("got %+v, error %v; want %d failed", stats.Outcomes, err, bad)
		}
		for key, n := range sim.attempts {
			if key < simulatedKey(bad) && n >= 2*attempts {
				t.Errorf("%d HEADs for %s in %v, want fewer than %d", n, key, took, 2*attempts)
			}
		}
	})
}
