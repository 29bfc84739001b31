package scan

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Objects that are answered 503 with a long Retry-After for ever fail alone. They neither end the run nor stop the
// HEADs of the others, wherever in the bucket they are.
func TestObjectsThatAlwaysAskToWait(t *testing.T) {
	const objects = 2_500
	for _, first := range []int{0, 1_200, objects - 1} {
		for _, bad := range []int{1, 5} {
			for _, retryFor := range []time.Duration{15 * time.Minute, time.Minute} {
				t.Run(fmt.Sprint(first, bad, retryFor), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						start := time.Now()
						var lastOther atomic.Int64 // first HEAD of an object that is answered: ns since start
						waits := map[string]bool{}
						for i := range bad {
							waits[simulatedKey(max(0, min(first, objects-bad))+i)] = true
						}
						sim := simulation{keys: objects, answer: func(key string, n int) simulatedAnswer {
							if waits[key] {
								return simulatedAnswer{after: time.Millisecond, status: http.StatusServiceUnavailable, retryAfter: "3600"}
							}
							if n == 1 {
								lastOther.Store(int64(time.Since(start)))
							}
							return simulatedAnswer{after: time.Millisecond}
						}}
						var failed []*ObjectError
						stats, took, err := sim.run(t, t.Context(), Config{
							Workers: 16, All: true, RetryFor: retryFor,
							Failures: FailureFunc(func(e *ObjectError) error { failed = append(failed, e); return nil }),
						})
						if err != nil || stats.Emitted != int64(objects-bad) || len(failed) != bad {
							t.Fatalf("got %+v, error %v after %v; want %d failed", stats.Outcomes, err, took, bad)
						}
						for _, e := range failed {
							if !waits[e.Entry.Key] || e.Class != "throttled" {
								t.Errorf("got %v of class %s, want one of the objects that ask to wait", e, e.Class)
							}
						}
						if took > 10*time.Minute {
							t.Errorf("the run took %v, want at most 10 minutes", took)
						}
						if other := time.Duration(lastOther.Load()); other > 10*time.Second {
							t.Errorf("the others were answered after %v, want at most 10 s", other)
						}
					})
				})
			}
		}
	}
}
