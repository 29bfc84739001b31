package heads

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

const (
	// kneeShare is the part of the most HEADs per second that the knee brings at least. Two Steps of the same number of
	// workers differ by some percent on a quiet machine; beyond the knee a store that is full gives latency for
	// workers, and at 95 % it nearly is.
	kneeShare = 0.95

	// busyShare is the share of the processors that a process gets at most while it shares them with little else.
	busyShare = 0.85

	// slowdownMax is how much longer a HEAD may take with twice the workers for the store not to notice them. Where it
	// is full, it takes twice as long.
	slowdownMax = 1.2

	// throttledShare is the part of the HEADs that are answered by 503 or 429 from which it is the store that limits,
	// whatever else is seen: it says so itself.
	throttledShare = 0.01

	// ownShare is the part of what the processors did that this process did at least, where it is said to be what kept
	// them busy.
	ownShare = 0.25

	// rateKeptShare is the part of the HEADs planned that are sent, and succeed, where a rate is kept.
	rateKeptShare = 0.99
)

// What can limit a Step.
const (
	limitStore   = "store"
	limitCPU     = "cpu"
	limitRate    = "rate"
	limitWorkers = "workers"
	limitMachine = "machine"
)

// findKnee returns nil where there is none to be found: for a rate, and for one number of workers.
func findKnee(r *Report) *Knee {
	if r.Loop != Closed {
		return nil
	}
	steps := successfulByWorkers(r.Steps)
	if len(steps) < 2 {
		return nil
	}
	most := slices.MaxFunc(steps, func(a, b *Step) int { return cmp.Compare(a.HeadsPerSecond, b.HeadsPerSecond) })
	at := slices.IndexFunc(steps, func(s *Step) bool { return s.HeadsPerSecond >= kneeShare*most.HeadsPerSecond })
	knee, last := steps[at], steps[len(steps)-1]
	k := &Knee{Workers: knee.Workers, HeadsPerSecond: knee.HeadsPerSecond}
	if knee == last {
		k.Why = fmt.Sprintf("%s bring %s HEADs/s, the most of all, and nothing shows that more would not bring more",
			countOf(knee.Workers, "worker"), formatRate(knee.HeadsPerSecond))
	} else {
		k.Why = fmt.Sprintf("%s bring %s HEADs/s at a p99 of %s ms; %d bring %s at %s ms",
			countOf(knee.Workers, "worker"), formatRate(knee.HeadsPerSecond), formatMillis(knee.Latency.P99),
			last.Workers, formatRate(last.HeadsPerSecond), formatMillis(last.Latency.P99))
		if knee != most {
			k.Why += fmt.Sprintf("; the most is %s, at %d", formatRate(most.HeadsPerSecond), most.Workers)
		}
	}
	return k
}

// successfulByWorkers are those Steps that had any success, in ascending order of their workers.
func successfulByWorkers(steps []Step) []*Step {
	var sorted []*Step
	for i := range steps {
		if steps[i].Heads > 0 {
			sorted = append(sorted, &steps[i])
		}
	}
	slices.SortStableFunc(sorted, func(a, b *Step) int { return cmp.Compare(a.Workers, b.Workers) })
	return sorted
}

// setLimits says of each Step what limited it. Those of a closed loop are compared with those of half as many workers,
// or of twice as many. An embedded store has its part in what the processors do.
func setLimits(steps []Step, isEmbedded bool) {
	for i := range steps {
		steps[i].LimitedBy, steps[i].LimitedWhy = limitStore, "no HEAD succeeded"
	}
	sorted := successfulByWorkers(steps)
	for i, s := range sorted {
		switch {
		case s.throttled():
		case s.Rate > 0:
			s.setOpenLimit(isEmbedded)
		case s.cpuShare > busyShare:
			s.setProcessorLimit(isEmbedded)
		case i > 0:
			s.setClosedLimit(stepOfHalf(sorted[:i], s.Workers), s, isEmbedded)
		case len(sorted) > 1:
			s.setClosedLimit(s, stepOfTwice(sorted[1:], s.Workers), isEmbedded)
		case s.machineShare > busyShare:
			s.setProcessorLimit(isEmbedded)
		default:
			s.LimitedBy = limitStore
			s.LimitedWhy = fmt.Sprintf("%.0f HEADs were in flight on average, and half of them answered within %s ms; a sweep would tell whether more bring more",
				s.InFlight, formatMillis(s.Latency.P50))
		}
	}
}

// stepOfHalf is the Step with the most workers up to half of so many, or the one with the fewest: beside one with
// hardly fewer, nothing rises.
func stepOfHalf(fewer []*Step, workers int) *Step {
	at := 0
	for i, s := range fewer {
		if 2*s.Workers <= workers {
			at = i
		}
	}
	return fewer[at]
}

// stepOfTwice is the Step with the fewest workers from twice so many on, or the one with the most.
func stepOfTwice(more []*Step, workers int) *Step {
	for _, s := range more {
		if s.Workers >= 2*workers {
			return s
		}
	}
	return more[len(more)-1]
}

// throttled says whether the store refused HEADs to have fewer of them, and notes it.
func (s *Step) throttled() bool {
	refused := s.Statuses[strconv.Itoa(http.StatusServiceUnavailable)] + s.Statuses[strconv.Itoa(http.StatusTooManyRequests)]
	share := float64(refused) / float64(s.Heads+s.Errors)
	if !(share > throttledShare) {
		return false
	}
	s.LimitedBy = limitStore
	s.LimitedWhy = fmt.Sprintf("it answered %s %% of the HEADs by 503 or 429, to be sent fewer", figureText(100*share))
	return true
}

// setProcessorLimit says that the processors were busy, with this process or with others.
func (s *Step) setProcessorLimit(isEmbedded bool) {
	if s.cpuShare <= busyShare && s.cpuShare < ownShare*s.machineShare && !isEmbedded {
		s.LimitedBy = limitMachine
		s.LimitedWhy = fmt.Sprintf("the processors were busy by %.0f %%, and this process had %.0f %% of them", 100*s.machineShare, 100*s.cpuShare)
		return
	}
	s.LimitedBy = limitCPU
	s.LimitedWhy = fmt.Sprintf("this process used %.0f %% of the processors", 100*s.cpuShare)
	if s.machineShare > 0 {
		s.LimitedWhy += fmt.Sprintf(", all together %.0f %%", 100*s.machineShare)
		if isEmbedded {
			s.LimitedWhy += ", the store among them"
		}
	}
}

// setClosedLimit compares a Step with few workers with one with many, of which s is one.
func (s *Step) setClosedLimit(few, many *Step, isEmbedded bool) {
	how := "nearly as fast as"
	switch isSlower := many.Latency.P50 > slowdownMax*few.Latency.P50; {
	case !isSlower:
		s.LimitedBy = limitWorkers
	case s.machineShare > busyShare: // others keep it busy, or the store does
		s.setProcessorLimit(isEmbedded)
		return
	default:
		s.LimitedBy, how = limitStore, "more slowly than"
	}
	s.LimitedWhy = fmt.Sprintf("%d workers are answered %s %d: p50 %s ms and %s ms",
		many.Workers, how, few.Workers, formatMillis(many.Latency.P50), formatMillis(few.Latency.P50))
}

// setOpenLimit says whether the rate was kept, and else why not.
func (s *Step) setOpenLimit(isEmbedded bool) {
	planned := float64(s.Heads + s.Errors + s.Unsent)
	switch {
	case float64(s.Heads) >= rateKeptShare*planned:
		s.LimitedBy = limitRate
		s.LimitedWhy = fmt.Sprintf("of %s HEADs planned, %s succeeded", formatWhole(planned), formatWhole(float64(s.Heads)))
	case max(s.cpuShare, s.machineShare) > busyShare:
		s.setProcessorLimit(isEmbedded)
	case s.Unsent > 0 && s.Connections >= s.Workers:
		s.LimitedBy = limitWorkers
		s.LimitedWhy = fmt.Sprintf("all %s were waiting for answers, and %s HEADs were not sent", countOf(s.Connections, "connection"), formatWhole(float64(s.Unsent)))
	default:
		s.LimitedBy = limitStore
		s.LimitedWhy = fmt.Sprintf("of %s HEADs planned, %s succeeded, and %s were not sent", formatWhole(planned), formatWhole(float64(s.Heads)), formatWhole(float64(s.Unsent)))
	}
}
