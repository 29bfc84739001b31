package metrics

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"headcount/scan/pace"
)

func TestClassifyBottleneck(t *testing.T) {
	cpus := time.Duration(runtime.GOMAXPROCS(0)) * time.Second
	window := func(answers int64, idle, rate float64) pace.Window {
		return pace.Window{Elapsed: time.Second, Answers: answers, Latency: time.Millisecond, Idle: idle, Rate: rate}
	}
	for _, c := range []struct {
		name         string
		rate         float64 // the user's
		window       pace.Window
		cpu          time.Duration
		outputBehind bool
		want         Bottleneck
	}{
		{"workers wait for answers", 0, window(1000, 0.05, 0), cpus / 2, false, BottleneckStore},
		{"workers wait for answers, pages for the output", 0, window(1000, 0.05, 0), cpus / 2, true, BottleneckStore},
		{"the store throttles", 0, window(980, 0, 1000), cpus / 2, false, BottleneckStore},
		{"the store throttles more than the user", 5000, window(980, 0, 1000), cpus / 2, false, BottleneckStore},
		{"the user's rate", 1000, window(980, 0, 1000), cpus / 2, false, BottleneckRate},
		{"the user's rate, on busy processors", 1000, window(980, 0, 1000), cpus, false, BottleneckRate},
		{"far below the user's rate", 5000, window(980, 0, 5000), cpus / 2, false, BottleneckStore},
		{"the processors are busy", 0, window(1000, 0.05, 0), cpus * 9 / 10, false, BottleneckCPU},
		{"the processors are too busy to list", 0, window(1000, 0.5, 0), cpus * 9 / 10, false, BottleneckCPU},
		{"workers wait for keys", 0, window(1000, 0.5, 0), cpus / 2, false, BottleneckListing},
		{"workers wait for keys, the lister for the output", 0, window(1000, 0.5, 0), cpus / 2, true, BottleneckOutput},
	} {
		if got := ClassifyBottleneck(c.window, c.cpu, c.rate, c.outputBehind); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Of windows of equal length the more frequent Bottleneck dominates, of equal frequency the later one.
func TestDominantBottleneck(t *testing.T) {
	var shares BottleneckShares
	if !shares.Empty() {
		t.Error("the zero value is not empty")
	}
	add := func(b Bottleneck, seconds int, idle float64) {
		shares.Add(b, pace.Window{Elapsed: time.Duration(seconds) * time.Second, Idle: idle}, 0)
	}
	expect := func(want Bottleneck, reason string) {
		t.Helper()
		if got, why := shares.Dominant(); got != want || !strings.Contains(why, reason) || shares.Empty() {
			t.Errorf("%s (%s), want %s (%s)", got, why, want, reason)
		}
	}
	add(BottleneckListing, 10, 0.5)
	expect(BottleneckListing, "100 % of the time: CPU 0 %")
	expect(BottleneckListing, "workers without work 50 %")
	add(BottleneckStore, 5, 0)
	expect(BottleneckListing, "63 % of the time") // 10/e^(5/30) of 10/e^(5/30) + 5
	add(BottleneckStore, 10, 0)
	expect(BottleneckStore, "69 % of the time")
	for range 60 {
		add(BottleneckOutput, 1, 1)
	}
	expect(BottleneckOutput, "workers without work 9")
}

// A history of any length has at most stepsMax+1 steps, from the first to the last, and no large gap.
func TestSizeHistory(t *testing.T) {
	for _, n := range []int{1, 2, 63, 64, 65, 1000, 100_000} {
		var history SizeHistory
		for i := range n {
			history.Add(Step{Seconds: float64(i), Workers: 1})
		}
		steps := history.Steps()
		first, last := steps[0].Seconds, steps[len(steps)-1].Seconds
		if len(steps) > stepsMax || len(steps) < min(n, stepsMax/2-1) || first != 0 || last != float64(n-1) {
			t.Errorf("of %d steps %d are kept, from %v to %v", n, len(steps), first, last)
		}
		for i := 1; i < len(steps); i++ {
			if gap := steps[i].Seconds - steps[i-1].Seconds; gap <= 0 || gap > float64(n)/10+1 {
				t.Error(fmt.Sprint(n, steps))
			}
		}
	}
}
