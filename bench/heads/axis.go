package heads

import (
	"math"
	"strconv"
	"strings"
)

// axis maps values to positions on a line of the page: low to from, high to to.
type axis struct {
	name      string
	low, high float64 // as scale returns them
	from, to  float64 // px; on a vertical axis from is greater
	scale     func(value float64) float64
	ticks     []tick
	gridLines bool // draw a grid line at each tick
}

// tick is a marked value of an axis. Its label is empty if there is no room for it.
type tick struct {
	value float64
	label string
}

// position returns the position of a value, and whether the value is on the axis.
func (a *axis) position(value float64) (px float64, on bool) {
	const slack = 1e-9 // for rounding errors at the ends
	v := a.scale(value)
	if !(v >= a.low-slack && v <= a.high+slack) || a.high <= a.low {
		return 0, false
	}
	return a.from + (v-a.low)/(a.high-a.low)*(a.to-a.from), true
}

func linear(v float64) float64 { return v }

// linearAxis goes from 0 to a round number of at least most, with about n ticks.
func linearAxis(name string, most float64, n int, label func(v float64) string) *axis {
	step := roundStep(most / float64(n))
	a := &axis{name: name, scale: linear, high: math.Ceil(most/step-1e-9) * step}
	a.high = max(a.high, step)
	for i := 0; float64(i)*step <= a.high+step/2; i++ {
		v := float64(i) * step
		a.ticks = append(a.ticks, tick{v, label(v)})
	}
	return a
}

// roundStep returns the least of … 0.1, 0.2, 0.5, 1, 2, 5, 10 … that is at least v; 1 for 0.
func roundStep(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*power >= v*(1-1e-9) {
			return digit * power
		}
	}
	return 10 * power
}

// rateLabel formats rates as 500, 20 k, 1.5 M.
func rateLabel(v float64) string {
	if !isMeasured(v) {
		return notMeasured
	}
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if v >= unit.size {
			return strconv.FormatFloat(v/unit.size, 'g', 4, 64) + unit.name
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// secondsLabel formats times as 10 s, 2 min or 1.5 h. The unit depends on the step between two ticks.
func secondsLabel(step, v float64) string {
	switch {
	case v == 0:
		return "0"
	case step >= 1800:
		return formatShort(v/3600) + " h"
	case step >= 60:
		return formatShort(v/60) + " min"
	}
	return formatShort(v) + " s"
}

// formatShort formats a number without rounding errors.
func formatShort(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// timeAxis ends at the end of the run: empty room behind it would look like a store that answers nothing.
func timeAxis(seconds float64, n int) *axis {
	step := seconds / float64(n)
	switch {
	case step > 3600:
		step = 3600 * roundStep(step/3600)
	case step > 10:
		for _, step = range []float64{15, 30, 60, 120, 300, 600, 900, 1800, 3600} {
			if step >= seconds/float64(n) {
				break
			}
		}
	default:
		step = roundStep(step)
	}
	a := &axis{name: "since the first step began", scale: linear, high: max(seconds, step/10)}
	for i := 0; float64(i)*step <= a.high; i++ {
		v := float64(i) * step
		a.ticks = append(a.ticks, tick{v, secondsLabel(step, v)})
	}
	return a
}

// log10Of is NaN, which is on no axis, for values that are not over 0.
func log10Of(v float64) float64 {
	if v <= 0 {
		return math.NaN()
	}
	return math.Log10(v)
}

// logAxis goes from a round number to a round number, around least and most, which must be over 0. An axis of up to two
// and a half decades has ticks at 1, 2 and 5.
func logAxis(name string, least, most float64, label func(v float64) string) *axis {
	digits := []float64{1, 2, 5}
	if math.Log10(most/least) > 2.5 {
		digits = digits[:1]
	}
	a := &axis{name: name, scale: log10Of}
	for power := math.Floor(math.Log10(least)); ; power++ {
		for _, digit := range digits {
			v := digit * math.Pow(10, power)
			a.ticks = append(a.ticks, tick{v, label(v)})
			if len(a.ticks) > 1 && a.ticks[1].value <= least*(1+1e-9) {
				a.ticks = a.ticks[1:]
			}
			if v >= most*(1-1e-9) && len(a.ticks) > 1 {
				a.low, a.high = math.Log10(a.ticks[0].value), math.Log10(v)
				return a
			}
		}
	}
}

// latencyLabel formats milliseconds as 200 µs, 5 ms, 10 s.
func latencyLabel(ms float64) string {
	switch {
	case ms >= 1000:
		return strconv.FormatFloat(ms/1000, 'g', 4, 64) + " s"
	case ms < 1:
		return formatShort(ms*1000) + " µs"
	}
	return formatShort(ms) + " ms"
}

// workersAxis has ticks at the powers of two, as the usual sweep has steps.
func workersAxis(least, most int) *axis {
	a := &axis{name: "workers", scale: func(v float64) float64 { return math.Log2(v) }}
	a.low, a.high = math.Log2(float64(least)), math.Log2(float64(most))
	for n := 1; n <= most && n > 0; n *= 2 {
		if n >= least {
			a.ticks = append(a.ticks, tick{float64(n), strconv.Itoa(n)})
		}
	}
	if len(a.ticks) < 2 {
		a.ticks = []tick{{float64(least), strconv.Itoa(least)}, {float64(most), strconv.Itoa(most)}}
	}
	return a
}

// ninesOf returns 0 for 0 %, 1 for 90 %, 2 for 99 %.
func ninesOf(share float64) float64 { return -math.Log10(1 - share) }

// ninesAxis shows shares of count latencies. Each further nine takes as much room as the last.
func ninesAxis(count float64) *axis {
	a := &axis{name: "share of the HEADs that took no longer", gridLines: true, scale: ninesOf,
		high: ninesOf(shareOfRank(count, count))}
	a.ticks = []tick{{0.5, "50 %"}}
	for nines := 1; float64(nines) <= a.high; nines++ {
		label := "90 %"
		if nines > 1 {
			label = "99." + strings.Repeat("9", nines-2)
			label = strings.TrimSuffix(label, ".") + " %"
		}
		a.ticks = append(a.ticks, tick{1 - math.Pow(10, -float64(nines)), label})
	}
	return a
}

// shareOfRank returns the share of count latencies up to a rank, less half a rank: 100 % is on no axis of nines.
func shareOfRank(rank, count float64) float64 {
	const most = 1 - 1e-9 // as many nines as have room, and never 100 % by rounding
	return min(max(0, rank-0.5)/count, most)
}

// hideLabels removes labels until the others have room. room returns the room that a label needs.
func (a *axis) hideLabels(room func(label string) float64) {
	for every := 1; every < len(a.ticks); every++ {
		if a.labelsFit(every, room) {
			for i := range a.ticks {
				if i%every != 0 {
					a.ticks[i].label = ""
				}
			}
			return
		}
	}
}

func (a *axis) labelsFit(every int, room func(label string) float64) bool {
	last := math.Inf(-1)
	for i := 0; i < len(a.ticks); i += every {
		at, _ := a.position(a.ticks[i].value)
		half := room(a.ticks[i].label) / 2
		if a.from > a.to {
			at = -at // a vertical axis
		}
		if at-half < last {
			return false
		}
		last = at + half
	}
	return true
}
