package scan

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/fault"
)

// A store that answers every HEAD with a failure ends the run after RetryFor, plus at most the interval of the checks.
// Neither a Retry-After nor slow answers delay the end. No object fails.
func TestUnavailableStoreEndsRun(t *testing.T) {
	const (
		retryFor   = 2 * time.Second
		timeout    = 400 * time.Millisecond
		answerTime = time.Millisecond // the same for all answers: no success arrives after the first failure
	)
	for name, failure := range map[string]simulatedAnswer{
		"500":                    {answerTime, http.StatusInternalServerError, ""},
		"503":                    {answerTime, http.StatusServiceUnavailable, ""},
		"Retry-After in seconds": {answerTime, http.StatusServiceUnavailable, "3600"},
		"Retry-After as a date":  {answerTime, http.StatusServiceUnavailable, "Fri, 31 Dec 2099 00:00:00 GMT"},
		"no answer":              {after: time.Hour},
		"late answers":           {300 * time.Millisecond, http.StatusInternalServerError, ""},
	} {
		for _, workers := range []int{1, 32} {
			for _, healthy := range []int64{0, 2_500} { // HEADs that succeed first
				if testing.Short() && (workers == 1 || healthy == 0) {
					continue // the race detector sees most with many workers that were healthy
				}
				t.Run(fmt.Sprintf("%s/%d/%d", name, workers, healthy), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var failed sync.Once
						var failing time.Time
						sim := simulation{keys: 10_000}
						sim.answer = func(string, int) simulatedAnswer {
							if sim.heads.Load() <= healthy {
								return simulatedAnswer{after: answerTime}
							}
							failed.Do(func() { failing = time.Now() })
							return failure
						}
						stats, _, err := sim.run(t, t.Context(), Config{
							Workers: workers, RetryFor: retryFor, Timeout: timeout,
						})
						var unavailable *fault.UnavailableError
						if !errors.As(err, &unavailable) || stats.Failed > 0 || stats.Gone > 0 || stats.Complete {
							t.Fatalf("got %+v, error %v; want an UnavailableError, no failed or gone object", stats.Outcomes, err)
						}
						// The scan learns of the first failure from its answer, or from its timeout.
						latest := retryFor + timeout + retryFor/10
						if took := time.Since(failing); took < retryFor || took > latest {
							t.Errorf("the run ended %v after the first failure, want %v to %v", took, retryFor, latest)
						}
					})
				})
			}
		}
	}
}

// No object fails because of a temporary outage, even if the outage lasts longer than MaxAttempts retries of an object.
// While the store answers 503 the limiter allows few HEADs.
func TestOutageFailsNoObject(t *testing.T) {
	for _, status := range []int{http.StatusInternalServerError, http.StatusServiceUnavailable} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const workers = 64
				var start sync.Once
				var end atomic.Int64
				sim := simulation{keys: 3_000}
				sim.answer = func(string, int) simulatedAnswer {
					if sim.heads.Load() >= 1_000 {
						start.Do(func() { end.Store(time.Now().Add(1900 * time.Millisecond).UnixNano()) })
					}
					if time.Now().UnixNano() < end.Load() {
						return simulatedAnswer{after: time.Millisecond, status: status}
					}
					return simulatedAnswer{after: time.Millisecond}
				}
				// Some HEADs succeed after the first failure. A failure after such a success counts as an attempt.
				stats, _, err := sim.run(t, t.Context(), Config{Workers: workers, MaxAttempts: 5, All: true})
				if err != nil || stats.Emitted != 3_000 {
					t.Errorf("got %+v, error %v; want 3,000 emitted", stats.Outcomes, err)
				}
				refused := stats.Requests["head"][fmt.Sprint(status)]
				if refused == 0 {
					t.Error("got no HEAD during the outage, want some")
				}
				// The limiter opens six times within two seconds; each time every worker sends at most one HEAD.
				if status == http.StatusServiceUnavailable && refused > 8*workers {
					t.Errorf("got %d refused HEADs, want at most %d", refused, 8*workers)
				}
			})
		})
	}
}

// A pause in which no HEAD is sent does not count as an outage, even right after a failed HEAD. Here the output of one
// page takes longer than RetryFor.
func TestPauseIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const retryFor = 500 * time.Millisecond
		var (
			mu      sync.Mutex
			last    time.Time
			longest time.Duration
		)
		sim := simulation{keys: 80_000}
		sim.answer = func(key string, n int) simulatedAnswer {
			mu.Lock()
			defer mu.Unlock()
			if gap := time.Since(last); !last.IsZero() {
				longest = max(longest, gap)
			}
			last = time.Now()
			a := simulatedAnswer{after: time.Millisecond}
			if n == 1 && crc32.ChecksumIEEE([]byte(key))%100 == 0 {
				a.status = http.StatusInternalServerError
			}
			return a
		}
		sink := slowSink{perPage: 900 * time.Millisecond}
		stats, _, err := sim.run(t, t.Context(), Config{Workers: 32, Sink: sink, RetryFor: retryFor, All: true})
		if err != nil || stats.Emitted != 80_000 || stats.Requests["head"]["500"] < 100 {
			t.Errorf("got %+v, requests %v, error %v; want 80,000 emitted and at least 100 HEADs with 500",
				stats.Outcomes, stats.Requests, err)
		}
		if longest <= retryFor {
			t.Errorf("the longest pause between HEADs was %v, want more than %v", longest, retryFor)
		}
	})
}

// The HEADs of some objects hang. Other workers steal the remaining objects of these batches, so that those do not wait
// for the timeout. The whole run takes one timeout, even if several objects of a batch hang.
func TestHangingHeadDelaysOnlyItsObject(t *testing.T) {
	for name, hanging := range map[string][]int{
		"one": {10}, "the last three": {997, 998, 999}, "every hundredth": every(100, 1000),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const timeout = 30 * time.Second
				hangs := map[string]bool{}
				for _, i := range hanging {
					hangs[simulatedKey(i)] = true
				}
				var lastOther atomic.Int64 // ns since start
				start := time.Now()
				sim := simulation{keys: 1_000, answer: func(key string, n int) simulatedAnswer {
					if n == 1 && hangs[key] {
						return simulatedAnswer{after: time.Hour}
					}
					if !hangs[key] {
						lastOther.Store(int64(time.Since(start)))
					}
					return simulatedAnswer{after: 10 * time.Millisecond}
				}}
				stats, took, err := sim.run(t, t.Context(), Config{Workers: 16, Timeout: timeout, All: true})
				if err != nil || stats.Emitted != 1_000 || stats.Requests["head"]["timeout"] != int64(len(hanging)) {
					t.Fatalf("got %+v, requests %v, error %v; want 1,000 emitted and %d timeouts",
						stats.Outcomes, stats.Requests, err, len(hanging))
				}
				// Workers are idle after 0.7 s. Each hanging object delays the next one of its batch by at most stalledAfter.
				if other := time.Duration(lastOther.Load()); other > 5*(stalledAfter+stealEvery) {
					t.Errorf("the last object that does not hang was answered after %v, want at most %v",
						other, 5*(stalledAfter+stealEvery))
				}
				if took < timeout || took > timeout+5*(stalledAfter+stealEvery) {
					t.Errorf("the run took %v, want %v to %v", took, timeout, timeout+5*(stalledAfter+stealEvery))
				}
			})
		})
	}
}

// every returns 0, step, 2*step, … below n.
func every(step, n int) []int {
	var numbers []int
	for i := 0; i < n; i += step {
		numbers = append(numbers, i)
	}
	return numbers
}

// The end of the context ends a run whose HEADs all hang or wait for a Retry-After of one hour.
func TestStalledRunEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(stopped) })
		sim := simulation{keys: 1_000, answer: func(key string, n int) simulatedAnswer {
			if key < simulatedKey(500) {
				return simulatedAnswer{after: time.Hour}
			}
			return simulatedAnswer{status: http.StatusServiceUnavailable, retryAfter: "3600"}
		}}
		_, took, err := sim.run(t, ctx, Config{Workers: 16, Timeout: 2 * time.Hour})
		if !errors.Is(err, stopped) || took != time.Minute {
			t.Errorf("got error %v after %v, want %v after one minute", err, took, stopped)
		}
	})
}
