package metrics

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"headcount/scan/pace"
)

// What limits a run is told by what was seen.
func TestLimits(t *testing.T) {
	cpus := time.Duration(runtime.GOMAXPROCS(0)) * time.Second
	window := func(answers int64, idle, rate float64) pace.Window {
		return pace.Window{Elapsed: time.Second, Answers: answers, Latency: time.Millisecond, Idle: idle, Rate: rate}
	}
	for _, c := range []struct {
		what string
		rate float64 // the user's
		seen pace.Window
		cpu  time.Duration
		want string
	}{
		{"workers wait for answers", 0, window(1000, 0.05, 0), cpus / 2, "store"},
		{"the store refuses what is too much", 0, window(980, 0, 1000), cpus / 2, "store"},
		{"the store refuses before the user does", 5000, window(980, 0, 1000), cpus / 2, "store"},
		{"the user's limit", 1000, window(980, 0, 1000), cpus / 2, "rate"},
		{"far from the user's limit", 5000, window(980, 0, 5000), cpus / 2, "store"},
		{"no processor is left", 0, window(1000, 0.05, 0), cpus * 9 / 10, "cpu"},
		{"no processor is left to list, either", 0, window(1000, 0.5, 0), cpus * 9 / 10, "cpu"},
		{"workers have nothing to do", 0, window(1000, 0.5, 0), cpus / 2, "listing"},
	} {
		if got := ClassifyBottleneck(c.seen, c.cpu, c.rate, false).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// A path of any length is kept in bounds, from its begin to its end.
func TestPathIsThinnedOut(t *testing.T) {
	for _, n := range []int{1, 2, 63, 64, 65, 1000, 100_000} {
		var steps []Step
		for i := range n {
			steps = append(steps, Step{Seconds: float64(i), Workers: 1})
		}
		var history SizeHistory
		for _, step := range steps {
			history.Add(step)
		}
		kept := history.Steps()
		if len(kept) > 64 || len(kept) < min(n, 31) || kept[0].Seconds != 0 || kept[len(kept)-1].Seconds != float64(n-1) {
			t.Errorf("of %d steps %d are kept, from %v to %v", n, len(kept), kept[0], kept[len(kept)-1])
		}
		for i := 1; i < len(kept); i++ {
			if gap := kept[i].Seconds - kept[i-1].Seconds; gap <= 0 || gap > float64(n)/10+1 {
				t.Error(fmt.Sprint(n, kept))
			}
		}
	}
}
