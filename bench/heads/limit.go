package heads

import (
	"fmt"
	"strconv"

	"headcount/output/console"
	"headcount/scan/fault"
)

const (
	// busyShare is the share of the processors from which they count as busy. A process that shares them with few
	// others hardly gets more.
	busyShare = 0.85

	// slowdownMax is the factor up to which the latency may grow with twice the workers before the store counts as the
	// limit. With a saturated store, latency doubles.
	slowdownMax = 1.2

	// throttledShare is the share of answers 503 or 429 from which the store counts as the limit, whatever the other
	// figures: the store itself says so.
	throttledShare = 0.01

	// ownShare is the least share of the busy processors that this process must use to count as the cause.
	ownShare = 0.25

	// rateKeptShare is the least share of the planned HEADs that must succeed for the rate to count as kept.
	rateKeptShare = 0.99
)

// The values of Step.LimitedBy.
const (
	limitStore   = "store"
	limitCPU     = "cpu"
	limitRate    = "rate"
	limitWorkers = "workers"
	limitMachine = "machine"
)

// setLimits sets the limit of each Step. In a closed loop it compares a Step with one of half or twice as many workers.
// The work of an embedded store counts as part of this machine's.
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
			s.LimitedWhy = fmt.Sprintf(
				"%.0f HEADs were in flight on average, and half of them were answered within %s ms; "+
					"a sweep shows whether more workers help",
				s.InFlight,
				formatMillis(s.Latency.P50),
			)
		}
	}
}

// stepOfHalf returns the Step with the most workers up to half as many, or the one with the fewest. Compared with
// nearly as many workers, the latency would hardly rise.
func stepOfHalf(fewer []*Step, workers int) *Step {
	at := 0
	for i, s := range fewer {
		if 2*s.Workers <= workers {
			at = i
		}
	}
	return fewer[at]
}

// stepOfTwice returns the Step with the fewest workers from twice as many on, or the one with the most.
func stepOfTwice(more []*Step, workers int) *Step {
	for _, s := range more {
		if s.Workers >= 2*workers {
			return s
		}
	}
	return more[len(more)-1]
}

// throttled reports whether the store throttled the HEADs, and sets the limit if so.
func (s *Step) throttled() bool {
	var refused int64
	for name, count := range s.Statuses {
		if status, err := strconv.Atoi(name); err == nil && fault.ThrottledStatus(status) {
			refused += count
		}
	}
	share := float64(refused) / float64(s.Heads+s.Errors)
	if !(share > throttledShare) {
		return false
	}
	s.LimitedBy = limitStore
	s.LimitedWhy = fmt.Sprintf("it answered 503 or 429, which ask for fewer requests, to %s %% of the HEADs",
		figureText(100*share))
	return true
}

// setProcessorLimit sets the limit of a Step during which the processors were busy, with this process or with others.
func (s *Step) setProcessorLimit(isEmbedded bool) {
	if s.cpuShare <= busyShare && s.cpuShare < ownShare*s.machineShare && !isEmbedded {
		s.LimitedBy = limitMachine
		s.LimitedWhy = fmt.Sprintf("the processors were %.0f %% busy, and this process used %.0f %% of them",
			100*s.machineShare, 100*s.cpuShare)
		return
	}
	s.LimitedBy = limitCPU
	s.LimitedWhy = fmt.Sprintf("this process used %.0f %% of the processors", 100*s.cpuShare)
	if s.machineShare > 0 {
		s.LimitedWhy += fmt.Sprintf(", all processes together %.0f %%", 100*s.machineShare)
		if isEmbedded {
			s.LimitedWhy += ", including the store"
		}
	}
}

// setClosedLimit compares a Step with few workers with one with many workers. s is one of the two.
func (s *Step) setClosedLimit(few, many *Step, isEmbedded bool) {
	how := "hardly more slowly than"
	switch isSlower := many.Latency.P50 > slowdownMax*few.Latency.P50; {
	case !isSlower:
		s.LimitedBy = limitWorkers
	case s.machineShare > busyShare: // with other processes, or with the embedded store
		s.setProcessorLimit(isEmbedded)
		return
	default:
		s.LimitedBy, how = limitStore, "more slowly than"
	}
	s.LimitedWhy = fmt.Sprintf("%d workers are answered %s %d: p50 %s ms and %s ms",
		many.Workers, how, few.Workers, formatMillis(many.Latency.P50), formatMillis(few.Latency.P50))
}

// setOpenLimit sets the limit of a Step in an open loop.
func (s *Step) setOpenLimit(isEmbedded bool) {
	planned := s.Heads + s.Errors + s.Unsent
	switch {
	case float64(s.Heads) >= rateKeptShare*float64(planned):
		s.LimitedBy = limitRate
		s.LimitedWhy = fmt.Sprintf("of %s HEADs planned, %s succeeded", console.Number(planned),
			console.Number(s.Heads))
	case max(s.cpuShare, s.machineShare) > busyShare:
		s.setProcessorLimit(isEmbedded)
	case s.Unsent > 0 && s.Connections >= s.Workers:
		s.LimitedBy = limitWorkers
		s.LimitedWhy = fmt.Sprintf("%s HEADs were not sent, since all %s were waiting for answers",
			console.Number(s.Unsent), console.Count(int64(s.Connections), "connection", "connections"))
	default:
		s.LimitedBy = limitStore
		s.LimitedWhy = fmt.Sprintf("of %s HEADs planned, %s succeeded, and %s were not sent", console.Number(planned),
			console.Number(s.Heads), console.Number(s.Unsent))
	}
}
