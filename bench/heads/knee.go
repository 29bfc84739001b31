package heads

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	// kneeShare is the least share of the greatest throughput at the knee. On a quiet machine, two Steps with the same
	// number of workers differ by some percent. Beyond the knee the store is saturated, and more workers only add
	// latency; at 95 % it is nearly saturated.
	kneeShare = 0.95
)

// findKnee returns nil if there is no knee: for a rate, and for one number of workers.
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
		k.Why = fmt.Sprintf("%s have the highest throughput, %s HEADs/s; more workers might have more",
			workersText(knee.Workers), formatRate(knee.HeadsPerSecond))
	} else {
		k.Why = fmt.Sprintf("%s: %s HEADs/s at a p99 of %s ms; %d: %s HEADs/s at %s ms",
			workersText(knee.Workers), formatRate(knee.HeadsPerSecond), formatMillis(knee.Latency.P99),
			last.Workers, formatRate(last.HeadsPerSecond), formatMillis(last.Latency.P99))
		if knee != most {
			k.Why += fmt.Sprintf("; the highest throughput is %s HEADs/s, with %d", formatRate(most.HeadsPerSecond),
				most.Workers)
		}
	}
	return k
}

// successfulByWorkers returns the Steps in which a HEAD succeeded, in ascending order of their workers.
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
