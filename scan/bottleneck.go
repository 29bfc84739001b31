package scan

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"headcount/scan/pace"
)

// bottleneck is what a run could not be faster for.
type bottleneck uint8

const (
	byStore   bottleneck = iota // workers waited for its answers, or it refused what is too much
	byCPU                       // this machine's
	byListing                   // workers had nothing to ask for
	byOutput                    // the same, since the pages that are done were not written yet
	byRate                      // the user's
	bottlenecks
)

// name is what the Stats call it.
func (b bottleneck) name() string {
	return [bottlenecks]string{"store", "cpu", "listing", "output", "rate"}[b]
}

// cpuFrom is the share of the processors that a process gets at most while it shares them with little else.
const cpuFrom = 0.85

// limitOf says what limited the run in a window in which the process took so much CPU time.
func (s *Scan) limitOf(seen pace.Window, cpu time.Duration) bottleneck {
	switch {
	case seen.RateLimited() && s.cfg.Rate > 0 && seen.Rate >= s.cfg.Rate:
		return byRate
	case seen.RateLimited():
		return byStore
	case cpuShare(seen, cpu) > cpuFrom:
		return byCPU
	case seen.Starved() && len(s.finished) > 0 && len(s.pageSem) == cap(s.pageSem): // the lister waits for the committer
		return byOutput
	case seen.Starved():
		return byListing
	}
	return byStore
}

// cpuShare is the part of the processors that the process may use, and used.
func cpuShare(seen pace.Window, cpu time.Duration) float64 {
	return cpu.Seconds() / max(seen.Elapsed.Seconds(), 1e-6) / float64(runtime.GOMAXPROCS(0))
}

// weights are what limited the run of late: seconds, the less the longer ago.
type weights struct {
	by              [bottlenecks]float64
	took, cpu, idle float64 // of all: CPU and idleness are shares, times took
}

// weightsLast is how long what was seen is of weight.
const weightsLast = 30 * time.Second

func (w *weights) add(by bottleneck, seen pace.Window, cpu time.Duration) {
	took := seen.Elapsed.Seconds()
	decay := math.Exp(-took / weightsLast.Seconds())
	for i := range w.by {
		w.by[i] *= decay
	}
	w.by[by] += took
	w.took = w.took*decay + took
	w.cpu = w.cpu*decay + cpuShare(seen, cpu)*took
	w.idle = w.idle*decay + seen.Idle*took
}

// verdict is what limited the run most, and what that was seen by.
func (w *weights) verdict() (by, why string) {
	most := byStore
	for l := range bottlenecks {
		if w.by[l] > w.by[most] {
			most = l
		}
	}
	took := max(w.took, 1e-6)
	return most.name(), fmt.Sprintf("%.0f %% of the time: CPU %.0f %% of %d cores, workers without work %.0f %%",
		100*w.by[most]/took, 100*w.cpu/took, runtime.GOMAXPROCS(0), 100*w.idle/took)
}

// Step is a part of a run in which there was one number of workers.
type Step struct {
	Seconds        float64 `json:"seconds"` // from the begin of the run to the end of the part
	Workers        int     `json:"workers"`
	HeadsPerSecond float64 `json:"heads_per_second"`
}

// path is how the number of workers went. Where it has become long, it is thinned out.
type path struct {
	kept  []Step
	every int // one of so many steps is kept
	seen  int
	last  Step
}

// pathMax is how many Steps are kept, and the last.
const pathMax = 64

func (p *path) add(step Step) {
	p.last = step
	p.every = max(1, p.every)
	if p.seen++; (p.seen-1)%p.every != 0 {
		return
	}
	if p.kept = append(p.kept, step); len(p.kept) < pathMax {
		return
	}
	p.every *= 2
	for i := range pathMax / 2 {
		p.kept[i] = p.kept[2*i]
	}
	p.kept = p.kept[:pathMax/2]
}

// steps are those that are kept, and the last, in the order of time.
func (p *path) steps() []Step {
	steps := append([]Step(nil), p.kept...)
	if n := len(steps); n > 0 && steps[n-1] != p.last {
		steps = append(steps, p.last)
	}
	return steps
}
