package metrics

// Step is a part of a run during which the number of workers did not change.
type Step struct {
	Seconds        float64 `json:"seconds"` // from the start of the run to the end of the part
	Workers        int     `json:"workers"`
	HeadsPerSecond float64 `json:"heads_per_second"`
}

// SizeHistory records the number of workers over a run of any length. It keeps every step at first; each time it is
// full, it drops every second one and from then on records half as often. The zero value is empty. One goroutine
// uses it at a time.
type SizeHistory struct {
	kept     []Step
	interval int // one of that many steps is kept
	added    int
	last     Step
}

// stepsMax is the number of steps that are kept, beside the last one: enough for a chart.
const stepsMax = 64

// Add adds the next step.
func (h *SizeHistory) Add(step Step) {
	h.last = step
	h.interval = max(1, h.interval)
	if h.added++; (h.added-1)%h.interval != 0 {
		return
	}
	if h.kept = append(h.kept, step); len(h.kept) < stepsMax {
		return
	}
	h.interval *= 2
	for i := range stepsMax / 2 {
		h.kept[i] = h.kept[2*i]
	}
	h.kept = h.kept[:stepsMax/2]
}

// Steps returns the kept steps and the last one, in the order of time.
func (h *SizeHistory) Steps() []Step {
	steps := append([]Step(nil), h.kept...)
	if n := len(steps); n > 0 && steps[n-1] != h.last {
		steps = append(steps, h.last)
	}
	return steps
}
