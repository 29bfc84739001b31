package metrics

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"headcount/scan/pace"
)

// Bottleneck is what a run could not be faster for.
type Bottleneck uint8

const (
	BottleneckStore   Bottleneck = iota // workers waited for its answers, or it refused what is too much
	BottleneckCPU                       // this machine's
	BottleneckListing                   // workers had nothing to ask for
	BottleneckOutput                    // the same, since the pages that are done were not written yet
	BottleneckRate                      // the user's
	bottlenecks
)

// String is what the Stats call it.
func (b Bottleneck) String() string {
	return [bottlenecks]string{"store", "cpu", "listing", "output", "rate"}[b]
}

// cpuBoundShare is the share of the processors that a process gets at most while it shares them with little else.
const cpuBoundShare = 0.85

// ClassifyBottleneck says what limited the run in a window in which the process took so much CPU time. rate is the user's limit of requests per
// second, 0: none. isOutputBehind says that the listing waits for pages to be written.
func ClassifyBottleneck(seen pace.Window, cpu time.Duration, rate float64, isOutputBehind bool) Bottleneck {
	switch {
	case seen.RateLimited() && rate > 0 && seen.Rate >= rate:
		return BottleneckRate
	case seen.RateLimited():
		return BottleneckStore
	case cpuShare(seen, cpu) > cpuBoundShare:
		return BottleneckCPU
	case seen.Starved() && isOutputBehind:
		return BottleneckOutput
	case seen.Starved():
		return BottleneckListing
	}
	return BottleneckStore
}

// cpuShare is the part of the processors that the process may use, and used.
func cpuShare(seen pace.Window, cpu time.Duration) float64 {
	return cpu.Seconds() / max(seen.Elapsed.Seconds(), 1e-6) / float64(runtime.GOMAXPROCS(0))
}

// BottleneckShares are what limited the run of late: seconds, the less the longer ago.
type BottleneckShares struct {
	by              [bottlenecks]float64
	took, cpu, idle float64 // of all: CPU and idleness are shares, times took
}

// shareDecay is how long what was seen is of weight.
const shareDecay = 30 * time.Second

// Add adds a window.
func (w *BottleneckShares) Add(by Bottleneck, seen pace.Window, cpu time.Duration) {
	took := seen.Elapsed.Seconds()
	decay := math.Exp(-took / shareDecay.Seconds())
	for i := range w.by {
		w.by[i] *= decay
	}
	w.by[by] += took
	w.took = w.took*decay + took
	w.cpu = w.cpu*decay + cpuShare(seen, cpu)*took
	w.idle = w.idle*decay + seen.Idle*took
}

// IsEmpty says that there was no window.
func (w *BottleneckShares) IsEmpty() bool { return w.took == 0 }

// Dominant is what limited the run most, and what that was seen by.
func (w *BottleneckShares) Dominant() (by, why string) {
	most := BottleneckStore
	for l := range bottlenecks {
		if w.by[l] > w.by[most] {
			most = l
		}
	}
	took := max(w.took, 1e-6)
	return most.String(), fmt.Sprintf("%.0f %% of the time: CPU %.0f %% of %d cores, workers without work %.0f %%",
		100*w.by[most]/took, 100*w.cpu/took, runtime.GOMAXPROCS(0), 100*w.idle/took)
}

// Step is a part of a run in which there was one number of workers.
type Step struct {
	Seconds        float64 `json:"seconds"` // from the begin of the run to the end of the part
	Workers        int     `json:"workers"`
	HeadsPerSecond float64 `json:"heads_per_second"`
}

// SizeHistory is how the number of workers went. Where it has become long, it is thinned out.
type SizeHistory struct {
	kept  []Step
	every int // one of so many steps is kept
	seen  int
	last  Step
}

// stepsMax is how many Steps are kept, and the last.
const stepsMax = 64

// Add adds the next step.
func (p *SizeHistory) Add(step Step) {
	p.last = step
	p.every = max(1, p.every)
	if p.seen++; (p.seen-1)%p.every != 0 {
		return
	}
	if p.kept = append(p.kept, step); len(p.kept) < stepsMax {
		return
	}
	p.every *= 2
	for i := range stepsMax / 2 {
		p.kept[i] = p.kept[2*i]
	}
	p.kept = p.kept[:stepsMax/2]
}

// Steps are those that are kept, and the last, in the order of time.
func (p *SizeHistory) Steps() []Step {
	steps := append([]Step(nil), p.kept...)
	if n := len(steps); n > 0 && steps[n-1] != p.last {
		steps = append(steps, p.last)
	}
	return steps
}
