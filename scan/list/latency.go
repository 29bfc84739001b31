package list

import (
	"sync"
	"time"
)

// latencyWindow is the time after which a latency is forgotten, twice it at most.
const latencyWindow = time.Second

// fastest is the least latency of the LISTs of the last one to two latencyWindows. The least one has hardly any wait
// for this machine's CPU in it. It may be used concurrently. Its zero value knows no latency.
type fastest struct {
	mu              sync.Mutex
	began           time.Time // of the current window
	current, before time.Duration
}

// observe adds the latency of a LIST that was answered at a time.
func (f *fastest) observe(latency time.Duration, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at.Sub(f.began) >= latencyWindow {
		f.before, f.current, f.began = f.current, latency, at
	}
	f.current = min(f.current, latency)
}

// latency returns the least latency, 0 if none is known.
func (f *fastest) latency() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before == 0 {
		return f.current
	}
	return min(f.before, f.current)
}
