package metrics

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"headcount/scan/pace"
)

// Bottleneck is the part that kept a run from being faster.
type Bottleneck uint8

// The Bottlenecks. String returns how Stats.LimitedBy names them.
const (
	BottleneckStore   Bottleneck = iota // workers waited for answers, or the store answered 429 or 503
	BottleneckCPU                       // this machine's processors were busy
	BottleneckListing                   // workers waited for keys
	BottleneckOutput                    // workers waited for keys, since finished pages were not written yet
	BottleneckRate                      // the user's limit of requests per second
	bottlenecks
)

// String returns one word.
func (b Bottleneck) String() string {
	return [bottlenecks]string{"store", "cpu", "listing", "output", "rate"}[b]
}

// cpuBoundShare is the least share of the processors' time with which a run counts as limited by the CPU. A process
// that runs beside a few others hardly gets more.
const cpuBoundShare = 0.85

// ClassifyBottleneck returns the Bottleneck of a run during one window. cpu is the CPU time of the process in the
// window. rate is the user's limit of requests per second, 0 for none. outputBehind is set if the listing waits for
// pages to be written.
func ClassifyBottleneck(w pace.Window, cpu time.Duration, rate float64, outputBehind bool) Bottleneck {
	switch {
	case w.RateLimited() && rate > 0 && w.Rate >= rate:
		return BottleneckRate
	case w.RateLimited():
		return BottleneckStore
	case cpuShare(w, cpu) > cpuBoundShare:
		return BottleneckCPU
	case w.Starved() && outputBehind:
		return BottleneckOutput
	case w.Starved():
		return BottleneckListing
	}
	return BottleneckStore
}

// cpuShare returns the used share of the processors that the process may use.
func cpuShare(w pace.Window, cpu time.Duration) float64 {
	return cpu.Seconds() / max(w.Elapsed.Seconds(), 1e-6) / float64(runtime.GOMAXPROCS(0))
}

// BottleneckShares sums up the Bottlenecks of recent windows. The weight of a window is its length, and decays with its
// age. The zero value has seen no window. One goroutine uses it at a time.
type BottleneckShares struct {
	seconds            [bottlenecks]float64
	elapsed, cpu, idle float64 // over all windows: seconds, and the shares of CPU and idle workers times seconds
}

// shareDecay is the time in which the weight of a window falls to 1/e: half a minute spans several steps of the
// pool's size.
const shareDecay = 30 * time.Second

// Add adds a window with its Bottleneck and its CPU time.
func (s *BottleneckShares) Add(b Bottleneck, w pace.Window, cpu time.Duration) {
	elapsed := w.Elapsed.Seconds()
	decay := math.Exp(-elapsed / shareDecay.Seconds())
	for i := range s.seconds {
		s.seconds[i] *= decay
	}
	s.seconds[b] += elapsed
	s.elapsed = s.elapsed*decay + elapsed
	s.cpu = s.cpu*decay + cpuShare(w, cpu)*elapsed
	s.idle = s.idle*decay + w.Idle*elapsed
}

// Empty reports whether no window was added.
func (s *BottleneckShares) Empty() bool { return s.elapsed == 0 }

// Dominant returns the Bottleneck with the largest share, and the measurements behind it as a text for people.
func (s *BottleneckShares) Dominant() (b Bottleneck, reason string) {
	b = BottleneckStore
	for other := range bottlenecks {
		if s.seconds[other] > s.seconds[b] {
			b = other
		}
	}
	elapsed := max(s.elapsed, 1e-6)
	return b, fmt.Sprintf("%.0f %% of the time: CPU %.0f %% of %d cores, workers without work %.0f %%",
		100*s.seconds[b]/elapsed, 100*s.cpu/elapsed, runtime.GOMAXPROCS(0), 100*s.idle/elapsed)
}
