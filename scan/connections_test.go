package scan

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// simulatedConnections is a maximum of connections, which may change.
type simulatedConnections struct {
	failure error // of a connection above the maximum; nil: it is accepted and never served

	mu      sync.Mutex
	maximum int
	opened  int
	tries   int // that failed
}

func (c *simulatedConnections) open() (ok bool, failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened >= c.maximum {
		c.tries++
		return false, c.failure
	}
	c.opened++
	return true, nil
}

func (c *simulatedConnections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened--
}

func (c *simulatedConnections) set(maximum int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.maximum = maximum
}

// failedTries returns how many connections failed since the last call.
func (c *simulatedConnections) failedTries() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.tries
	c.tries = 0
	return n
}

// excessFailures are what becomes of a connection above a maximum.
func excessFailures() map[string]error {
	return map[string]error{
		"reset": &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
		"refused": &net.OpError{
			Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
		},
		"no descriptors": &net.OpError{
			Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE),
		},
		"not served": nil,
	}
}

// Where so many connections can be had and no more, a run is nearly as fast as that many workers: with the default
// number, and with a fixed number far above. No object fails, though one failed HEAD would be too many. The run tries
// to get more connections rarely.
func TestMaximumOfConnections(t *testing.T) {
	const (
		latency = 50 * time.Millisecond
		seconds = 20
	)
	for name, failure := range excessFailures() {
		for _, maximum := range []int{1, 8, 24, 100} {
			for _, workers := range []int{WorkersAuto, 256} {
				if testing.Short() && maximum != 24 {
					continue // simulated seconds of many workers are slow with the race detector
				}
				t.Run(fmt.Sprint(name, maximum, workers), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						sim := simulation{
							keys:        maximum * seconds * int(time.Second/latency),
							answer:      answersAfter(latency),
							connections: &simulatedConnections{failure: failure, maximum: maximum},
						}
						stats, took, err := sim.run(t, t.Context(), Config{Workers: workers, MaxAttempts: 1, All: true})
						if err != nil || stats.Emitted != int64(sim.keys) {
							t.Fatalf("got %+v, error %v; want all emitted", stats.Outcomes, err)
						}
						if longest := seconds * time.Second * 10 / 8; took > longest {
							t.Errorf("took %v, want at most %v; %v", took, longest, stats.WorkersHistory)
						}
						// At first each worker tries a few times. Then one tries after each pause.
						const tries = 4
						if n := sim.connections.failedTries(); n > connectTriesMax*(256-maximum)+connectTriesMax*tries*5 {
							t.Errorf("%d connections failed", n)
						}
						if rate := stats.RateLimit; rate != 0 {
							t.Errorf("the rate is limited to %.0f/s", rate)
						}
					})
				})
			}
		}
	}
}

// The number of workers fits the files that the process may open, and leaves some for other things.
func TestWorkersFitOpenFiles(t *testing.T) {
	for _, c := range []struct{ workers, depth, files, want int }{
		{WorkersAuto, 1, 0, WorkersAutoMax},
		{WorkersAuto, 8, 0, WorkersAutoMax / 8},
		{WorkersAuto, 1, 1024, 960},
		{WorkersAuto, 1, 64, 32},
		{WorkersAuto, 1, 1, 1},
		{256, 1, 0, 256},
		{256, 1, 1024, 256},
		{2000, 1, 1024, 960},
		{256, 1, 64, 32},
	} {
		cfg := Config{Workers: c.workers}
		if got := cfg.maxWorkers(c.depth, c.files); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// A run uses more connections soon after they can be had.
func TestMaximumOfConnectionsRises(t *testing.T) {
	const (
		latency = 50 * time.Millisecond
		first   = 10 * time.Second // 4 connections
		pause   = 8 * time.Second  // the longest in the first 10 s
		then    = 10 * time.Second // 64 connections
	)
	for _, workers := range []int{WorkersAuto, 128} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connections := &simulatedConnections{failure: excessFailures()["reset"], maximum: 4}
				sim := simulation{
					keys: int((4*first + 64*then) / latency), answer: answersAfter(latency), connections: connections,
				}
				time.AfterFunc(first, func() { connections.set(64) })
				stats, took, err := sim.run(t, t.Context(), Config{Workers: workers})
				if longest := first + pause + then*10/8; err != nil || took > longest {
					t.Errorf("got %+v, error %v after %v; want %v at most; %v", stats.Outcomes, err, took, longest,
						stats.WorkersHistory)
				}
			})
		})
	}
}

// After an outage the pool grows to its former size within a second of the store's first answer, though everything was
// listed before the outage. In the outage, one connection after the other is tried, with longer and longer pauses.
func TestPoolRecoversFromOutage(t *testing.T) {
	const (
		latency = 50 * time.Millisecond
		most    = 128 // connections
		healthy = 8 * time.Second
		outage  = 4 * time.Second
		after   = 5 * time.Second
	)
	for _, workers := range []int{WorkersAuto, most} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connections := &simulatedConnections{failure: excessFailures()["refused"], maximum: most}
				var ends atomic.Int64
				sim := simulation{keys: int(most * (healthy + after) / latency), connections: connections}
				sim.answer = func(string, int) simulatedAnswer {
					if time.Now().UnixNano() < ends.Load() {
						return simulatedAnswer{after: latency, status: connectionLost}
					}
					return simulatedAnswer{after: latency}
				}
				time.AfterFunc(healthy, func() {
					ends.Store(time.Now().Add(outage).UnixNano())
					connections.set(0)
					time.Sleep(200 * time.Millisecond)
					connections.failedTries()
					time.Sleep(outage - 200*time.Millisecond)
					if n := connections.failedTries(); n > 10*connectTriesMax {
						t.Errorf("%d connections were tried in the outage", n)
					}
					connections.set(most)
				})
				stats, took, err := sim.run(t, t.Context(), Config{Workers: workers, All: true})
				if err != nil || stats.Emitted != int64(sim.keys) {
					t.Errorf("got %+v, error %v; want all emitted", stats.Outcomes, err)
				}
				// Until the autoscaler has found the number of workers, the run is slower. The last pause of the outage may
				// begin just before its end, and takes up to outagePauseMax.
				if longest := healthy + outage + outage + after*10/8 + time.Second; took > longest {
					t.Errorf("took %v, want %v at most; %v", took, longest, stats.WorkersHistory)
				}
			})
		})
	}
}

// A worker that waits for the limiter does not wait for a connection: no HEAD is abandoned or counted before it is
// sent, and the pool is not narrowed. The limit may be the user's, or that of a store which answers 503.
func TestWaitForLimiterIsNoMissingConnection(t *testing.T) {
	for name, c := range map[string]struct {
		workers, keys int
		rate          float64
		storeRate     int // HEADs per second that the store answers; 0: any number
	}{
		"slow":     {workers: 64, keys: 300, rate: 8},
		"many":     {workers: 500, keys: 2_000, rate: 100},
		"SlowDown": {workers: 64, keys: 300, storeRate: 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				sim := simulation{keys: c.keys}
				start := time.Now()
				var second, answered atomic.Int64
				sim.answer = func(string, int) simulatedAnswer {
					if now := int64(time.Since(start) / time.Second); second.Swap(now) != now {
						answered.Store(0)
					}
					if c.storeRate > 0 && answered.Add(1) > int64(c.storeRate) {
						return simulatedAnswer{10 * time.Millisecond, http.StatusServiceUnavailable, ""}
					}
					return simulatedAnswer{after: 10 * time.Millisecond}
				}
				stats, _, err := sim.run(t, t.Context(), Config{
					Workers: c.workers, Rate: c.rate, RetryFor: time.Hour, MaxAttempts: 1_000, All: true,
					Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
				})
				if err != nil || stats.Emitted != int64(sim.keys) {
					t.Fatalf("got %+v, error %v; want all emitted", stats.Outcomes, err)
				}
				if stats.Heads != sim.heads.Load() || stats.Retries["head"]["timeout"] > 0 {
					t.Errorf("%d HEADs counted, of %d; sent again: %v", stats.Heads, sim.heads.Load(), stats.Retries["head"])
				}
				if log.Len() > 0 {
					t.Errorf("warnings:\n%s", &log)
				}
			})
		})
	}
}

// The first answer over a connection may come while the wait for it ends: the connection is used, and no object fails.
func TestAnswerBeatsAbandonment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers = 4
		var (
			s     *Scan
			times atomic.Int64
		)
		sim := simulation{keys: 1_000}
		sim.answer = func(string, int) simulatedAnswer {
			s.pool.members.mu.Lock()
			defer s.pool.members.mu.Unlock()
			for _, w := range s.pool.members.all {
				if w.connected && times.Load() < workers {
					times.Add(1)
					w.abandon(errAbandoned)
				}
			}
			return simulatedAnswer{after: 10 * time.Millisecond}
		}
		s = sim.newScan(t, Config{Workers: workers, MaxAttempts: 1, All: true})
		stats, err := s.Run(t.Context())
		if err != nil || stats.Emitted != int64(sim.keys) || times.Load() != workers {
			t.Errorf("got %+v after %d times, error %v; want all emitted", stats.Outcomes, times.Load(), err)
		}
		if most := s.pool.members.maximum(); most != 0 || stats.Requests["head"]["timeout"] > 0 {
			t.Errorf("%d connections are the maximum; requests %v", most, stats.Requests["head"])
		}
	})
}

// A worker that waits before it connects again hands on first what was answered.
func TestAnswersDoNotWaitForConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const before = 30 // answers before the connection is lost
		var (
			s       *Scan
			settled atomic.Int64
		)
		connections := &simulatedConnections{failure: excessFailures()["reset"], maximum: 1}
		sim := simulation{keys: 100, connections: connections, vouches: true}
		sim.answer = func(key string, n int) simulatedAnswer {
			if key != simulatedKey(before) || n > 1 {
				return simulatedAnswer{}
			}
			time.AfterFunc(connectPause/4, func() { settled.Store(s.progress.Settled.Load()) })
			return simulatedAnswer{status: connectionLost}
		}
		s = sim.newScan(t, Config{Workers: 1, All: true})
		stats, err := s.Run(t.Context())
		if err != nil || stats.Emitted != int64(sim.keys) || settled.Load() != before {
			t.Errorf("got %+v, error %v; %d were settled in the pause, want %d", stats.Outcomes, err, settled.Load(), before)
		}
	})
}
