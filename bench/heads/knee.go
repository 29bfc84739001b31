package heads

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

const (
	// kneeShare is the part of the most HEADs per second that the knee brings at least. Two Steps of the same number of workers differ by
	// some percent on a quiet machine; beyond the knee a store that is full gives latency for workers, and at 95 % it nearly is.
	kneeShare = 0.95

	// busyFrom is the share of the processors that a process gets at most while it shares them with little else.
	busyFrom = 0.85

	// riseMost is how much longer a HEAD may take with twice the workers for the store not to notice them. Where it is full, it takes twice
	// as long.
	riseMost = 1.2

	// slowedFrom is the part of the HEADs that are answered by 503 or 429 from which it is the store that limits, whatever else is seen:
	// it says so itself.
	slowedFrom = 0.01

	// partOf is the part of what the processors did that this process did at least, where it is said to be what kept them busy.
	partOf = 0.25

	// keptFrom is the part of the HEADs planned that are sent, and succeed, where a rate is kept.
	keptFrom = 0.99
)

// What can limit a Step.
const (
	byStore   = "store"
	byCPU     = "cpu"
	byRate    = "rate"
	byWorkers = "workers"
	byMachine = "machine"
)

// findKnee returns nil where there is none to be found: for a rate, and for one number of workers.
func findKnee(r *Report) *Knee {
	if r.Loop != Closed {
		return nil
	}
	steps := byWorkersOf(r.Steps)
	if len(steps) < 2 {
		return nil
	}
	most := slices.MaxFunc(steps, func(a, b *Step) int { return cmp.Compare(a.HeadsPerSecond, b.HeadsPerSecond) })
	at := slices.IndexFunc(steps, func(s *Step) bool { return s.HeadsPerSecond >= kneeShare*most.HeadsPerSecond })
	knee, last := steps[at], steps[len(steps)-1]
	k := &Knee{Workers: knee.Workers, HeadsPerSecond: knee.HeadsPerSecond}
	if knee == last {
		k.Why = fmt.Sprintf("%s bring %s HEADs/s, the most of all, and nothing shows that more would not bring more",
			number(knee.Workers, "worker"), perSecond(knee.HeadsPerSecond))
	} else {
		k.Why = fmt.Sprintf("%s bring %s HEADs/s at a p99 of %s ms; %d bring %s at %s ms",
			number(knee.Workers, "worker"), perSecond(knee.HeadsPerSecond), short(knee.Latency.P99),
			last.Workers, perSecond(last.HeadsPerSecond), short(last.Latency.P99))
		if knee != most {
			k.Why += fmt.Sprintf("; the most is %s, at %d", perSecond(most.HeadsPerSecond), most.Workers)
		}
	}
	return k
}

// byWorkersOf are those Steps that had any success, in ascending order of their workers.
func byWorkersOf(steps []Step) []*Step {
	var sorted []*Step
	for i := range steps {
		if steps[i].Heads > 0 {
			sorted = append(sorted, &steps[i])
		}
	}
	slices.SortStableFunc(sorted, func(a, b *Step) int { return cmp.Compare(a.Workers, b.Workers) })
	return sorted
}

// judge says of each Step what limited it. Those of a closed loop are compared with those of half as many workers, or of twice as many. An embedded store has
// its part in what the processors do.
func judge(steps []Step, isEmbedded bool) {
	for i := range steps {
		steps[i].LimitedBy, steps[i].LimitedWhy = byStore, "no HEAD succeeded"
	}
	sorted := byWorkersOf(steps)
	for i, s := range sorted {
		switch {
		case s.isSlowedDown():
		case s.Rate > 0:
			s.judgeOpen(isEmbedded)
		case s.cpuShare > busyFrom:
			s.limitedByCPU(isEmbedded)
		case i > 0:
			s.judgeClosed(halfOf(sorted[:i], s.Workers), s, isEmbedded)
		case len(sorted) > 1:
			s.judgeClosed(s, doubleOf(sorted[1:], s.Workers), isEmbedded)
		case s.machineShare > busyFrom:
			s.limitedByCPU(isEmbedded)
		default:
			s.LimitedBy = byStore
			s.LimitedWhy = fmt.Sprintf("%.0f HEADs were in flight on average, and half of them answered within %s ms; a sweep would tell whether more bring more",
				s.InFlight, short(s.Latency.P50))
		}
	}
}

// halfOf is the Step with the most workers up to half of so many, or the one with the fewest: beside one with hardly fewer, nothing rises.
func halfOf(fewer []*Step, workers int) *Step {
	at := 0
	for i, s := range fewer {
		if 2*s.Workers <= workers {
			at = i
		}
	}
	return fewer[at]
}

// doubleOf is the Step with the fewest workers from twice so many on, or the one with the most.
func doubleOf(more []*Step, workers int) *Step {
	for _, s := range more {
		if s.Workers >= 2*workers {
			return s
		}
	}
	return more[len(more)-1]
}

// isSlowedDown says whether the store refused HEADs to have fewer of them, and notes it.
func (s *Step) isSlowedDown() bool {
	refused := s.Statuses[strconv.Itoa(http.StatusServiceUnavailable)] + s.Statuses[strconv.Itoa(http.StatusTooManyRequests)]
	share := float64(refused) / float64(s.Heads+s.Errors)
	if !(share > slowedFrom) {
		return false
	}
	s.LimitedBy = byStore
	s.LimitedWhy = fmt.Sprintf("it answered %s %% of the HEADs by 503 or 429, to be sent fewer", figureText(100*share))
	return true
}

// limitedByCPU says that the processors were busy, with this process or with others.
func (s *Step) limitedByCPU(isEmbedded bool) {
	if s.cpuShare <= busyFrom && s.cpuShare < partOf*s.machineShare && !isEmbedded {
		s.LimitedBy = byMachine
		s.LimitedWhy = fmt.Sprintf("the processors were busy by %.0f %%, and this process had %.0f %% of them", 100*s.machineShare, 100*s.cpuShare)
		return
	}
	s.LimitedBy = byCPU
	s.LimitedWhy = fmt.Sprintf("this process used %.0f %% of the processors", 100*s.cpuShare)
	if s.machineShare > 0 {
		s.LimitedWhy += fmt.Sprintf(", all together %.0f %%", 100*s.machineShare)
		if isEmbedded {
			s.LimitedWhy += ", the store among them"
		}
	}
}

// judgeClosed compares a Step with few workers with one with many, of which s is one.
func (s *Step) judgeClosed(few, many *Step, isEmbedded bool) {
	how := "nearly as fast as"
	switch isSlower := many.Latency.P50 > riseMost*few.Latency.P50; {
	case !isSlower:
		s.LimitedBy = byWorkers
	case s.machineShare > busyFrom: // others keep it busy, or the store does
		s.limitedByCPU(isEmbedded)
		return
	default:
		s.LimitedBy, how = byStore, "more slowly than"
	}
	s.LimitedWhy = fmt.Sprintf("%d workers are answered %s %d: p50 %s ms and %s ms",
		many.Workers, how, few.Workers, short(many.Latency.P50), short(few.Latency.P50))
}

// judgeOpen says whether the rate was kept, and else why not.
func (s *Step) judgeOpen(isEmbedded bool) {
	planned := float64(s.Heads + s.Errors + s.Late)
	switch {
	case float64(s.Heads) >= keptFrom*planned:
		s.LimitedBy = byRate
		s.LimitedWhy = fmt.Sprintf("of %s HEADs planned, %s succeeded", thousands(planned), thousands(float64(s.Heads)))
	case max(s.cpuShare, s.machineShare) > busyFrom:
		s.limitedByCPU(isEmbedded)
	case s.Late > 0 && s.Connections >= s.Workers:
		s.LimitedBy = byWorkers
		s.LimitedWhy = fmt.Sprintf("all %s were waiting for answers, and %s HEADs were not sent", number(s.Connections, "connection"), thousands(float64(s.Late)))
	default:
		s.LimitedBy = byStore
		s.LimitedWhy = fmt.Sprintf("of %s HEADs planned, %s succeeded, and %s were not sent", thousands(planned), thousands(float64(s.Heads)), thousands(float64(s.Late)))
	}
}
