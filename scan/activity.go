package scan

import (
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/metrics"
	"headcount/scan/pace"
)

// activity is what the workers of a pool do, for the autoscaler. It may be used concurrently.
type activity struct {
	began   time.Time // of the run
	idle    idleTime
	answers atomic.Int64         // HEADs that were answered since began
	latency atomic.Int64         // ns, of all of them together
	cpuTime func() time.Duration // of this process so far
}

// poolSample is the activity up to one moment.
type poolSample struct {
	at            time.Duration // since the run began
	answers       int64
	latency, idle time.Duration // of all HEADs, of all workers together
	cpu           time.Duration
}

func processCPUTime() time.Duration {
	cpu, _ := metrics.Usage()
	return cpu
}

func (a *activity) now() poolSample {
	at := time.Since(a.began)
	return poolSample{
		at: at, answers: a.answers.Load(), latency: time.Duration(a.latency.Load()), idle: a.idle.total(at), cpu: a.cpuTime(),
	}
}

// delta returns what so many workers did since an earlier sample.
func (s poolSample) delta(before poolSample, workers int) pace.Window {
	w := pace.Window{Elapsed: s.at - before.at, Answers: s.answers - before.answers}
	if w.Answers > 0 {
		w.Latency = (s.latency - before.latency) / time.Duration(w.Answers)
	}
	w.Idle = min(1, float64(s.idle-before.idle)/max(1, float64(w.Elapsed)*float64(workers)))
	return w
}

// idleTime adds up the times in which workers have no batch. The zero value is ready. Its methods may be called
// concurrently; times are since the run began.
type idleTime struct {
	mu   sync.Mutex
	idle int
	past time.Duration // sum of all ends less the sum of all starts, so far
}

func (t *idleTime) enter(at time.Duration) {
	t.mu.Lock()
	t.idle++
	t.past -= at
	t.mu.Unlock()
}

func (t *idleTime) leave(at time.Duration) {
	t.mu.Lock()
	t.idle--
	t.past += at
	t.mu.Unlock()
}

// total returns the time that all workers together were idle by then.
func (t *idleTime) total(at time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.past + time.Duration(t.idle)*at
}

// count returns how many workers are idle now.
func (t *idleTime) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.idle
}
