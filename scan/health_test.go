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

// A store that answers nothing but failures ends the run when the user's patience is over, within the interval of the
// checks, whatever the store asks for and however long its answers take. No object fails for it.
func TestUnavailableStoreEndsRun(t *testing.T) {
	const (
		patience   = 2 * time.Second
		timeout    = 400 * time.Millisecond
		answerTime = time.Millisecond // of all answers, so that no success comes after the first failure
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
			for _, healthy := range []int64{0, 2_500} { // HEADs that succeed before
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
							Workers: workers, RetryFor: patience, Timeout: timeout,
						})
						var unavailable *fault.UnavailableError
						if !errors.As(err, &unavailable) || stats.Failed > 0 || stats.Gone > 0 || stats.Complete {
							t.Fatalf("%+v, %v", stats.Outcomes, err)
						}
						// The first failure is known when its answer comes, or its timeout.
						most := patience + timeout + patience/10
						if took := time.Since(failing); took < patience || took > most {
							t.Errorf("it took %v", took)
						}
					})
				})
			}
		}
	}
}

// An outage that ends costs time and no object, even if it outlasts the attempts of an object. While the store answers
// 503 the limiter lets few HEADs through.
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
				// Some HEADs are still answered with success after the first failure: those count as attempts.
				stats, _, err := sim.run(t, t.Context(), Config{Workers: workers, MaxAttempts: 5, All: true})
				if err != nil || stats.Emitted != 3_000 {
					t.Errorf("%+v, %v", stats.Outcomes, err)
				}
				refused := stats.Requests["head"][fmt.Sprint(status)]
				if refused == 0 {
					t.Error("no HEAD met the outage")
				}
				// The limiter opens six times within two seconds; each time every worker sends one HEAD at most.
				if status == http.StatusServiceUnavailable && refused > 8*workers {
					t.Errorf("%d HEADs were refused", refused)
				}
			})
		})
	}
}

// A pause in which no HEAD is sent does not count as failing, even after a failure: here the output takes longer for
// one page than the user's patience.
func TestPauseIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience = 500 * time.Millisecond
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
		stats, _, err := sim.run(t, t.Context(), Config{Workers: 32, Sink: sink, RetryFor: patience, All: true})
		if err != nil || stats.Emitted != 80_000 || stats.Requests["head"]["500"] < 100 {
			t.Errorf("%v, %+v, %v", err, stats.Outcomes, stats.Requests)
		}
		if longest <= patience {
			t.Errorf("HEADs were sent all the time: the longest pause was %v", longest)
		}
	})
}

// The HEADs of some objects hang. The other objects of their batches do not wait for them: other workers take those
// over. All in all one timeout passes, whether hanging objects are alone or side by side.
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
					t.Fatalf("%v, %+v, %v", err, stats.Outcomes, stats.Requests)
				}
				// Workers are idle after 0.7 s. Each hanging object of a batch costs the next one stalledAfter at most.
				if other := time.Duration(lastOther.Load()); other > 5*(stalledAfter+stealEvery) {
					t.Errorf("the last object that does not hang was answered after %v", other)
				}
				if took < timeout || took > timeout+5*(stalledAfter+stealEvery) {
					t.Errorf("it took %v with a timeout of %v", took, timeout)
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

// The end of the context ends a run in which nothing moves: HEADs hang, and retries wait for an hour.
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
			t.Errorf("%v after %v", err, took)
		}
	})
}
