package heads

import (
	"strings"
	"testing"
)

// sweep returns a Report of Steps with these figures: workers, HEADs per second, p50, p99.
func sweep(figures ...[4]float64) *Report {
	r := &Report{Loop: Closed, Complete: true}
	for _, f := range figures {
		r.Steps = append(r.Steps, Step{
			Workers: int(f[0]), DurationSeconds: 10, HeadsPerSecond: f[1], Heads: int64(10 * f[1]), InFlight: f[0],
			Connections: int(f[0]),
			Latency:     Latency{P50: f[2], P90: f[2], P99: f[3], P999: f[3], Max: f[3]},
		})
	}
	return r
}

func TestKnee(t *testing.T) {
	for name, c := range map[string]struct {
		report *Report
		want   int    // 0: none
		why    string // is a part of Why
	}{
		"flat after 4": {sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 200, 1, 1}, [4]float64{4, 390, 1, 2},
			[4]float64{8, 400, 2, 5}), 4, "4 workers: 390 HEADs/s at a p99 of 2.00 ms; 8: 400 HEADs/s at 5.00 ms"},
		"the most before": {sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 94, 1, 1}, [4]float64{4, 90, 1, 2}), 1,
			"1 worker: 100 HEADs/s"},
		"a peak": {sweep([4]float64{1, 96, 1, 1}, [4]float64{2, 100, 1, 1}, [4]float64{4, 90, 1, 2}), 1,
			"the highest throughput is 100 HEADs/s, with 2"},
		"a bit too little": {sweep([4]float64{1, 94, 1, 1}, [4]float64{2, 100, 1, 1}, [4]float64{4, 90, 1, 2}), 2, ""},
		"rising": {sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 200, 1, 1}), 2,
			"more workers might have more"},
		"not in order": {sweep([4]float64{8, 400, 2, 5}, [4]float64{1, 100, 1, 1}, [4]float64{4, 390, 1, 2}), 4,
			"8: 400 HEADs/s"},
		"one": {sweep([4]float64{1, 100, 1, 1}), 0, ""},
		"no success last": {sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 150, 1, 1}, [4]float64{4, 0, 0, 0}), 2,
			"more workers might"},
		"one with success": {sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 0, 0, 0}), 0, ""},
		"none succeeded":   {sweep([4]float64{1, 0, 0, 0}, [4]float64{2, 0, 0, 0}), 0, ""},
		"a rate":           {&Report{Loop: Open, Steps: make([]Step, 2)}, 0, ""},
	} {
		k := findKnee(c.report)
		switch {
		case k == nil && c.want == 0:
		case k == nil || k.Workers != c.want || !strings.Contains(k.Why, c.why):
			t.Errorf("%s: %+v", name, k)
		}
	}
}

func TestSetLimits(t *testing.T) {
	busy := func(r *Report, at int, cpu, machine float64) []Step {
		r.Steps[at].cpuShare, r.Steps[at].machineShare = cpu, machine
		return r.Steps
	}
	open := func(heads, errors, late int64, connections int) []Step {
		return []Step{{Workers: 100, Rate: 100, DurationSeconds: 10, Heads: heads, Errors: errors, Unsent: late,
			Connections: connections}}
	}
	refused := func(steps []Step, status string, n int64) []Step {
		for i := range steps {
			steps[i].Errors, steps[i].Statuses = n, map[string]int64{"200": steps[i].Heads, status: n}
		}
		return steps
	}
	rises := func() *Report {
		return sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 200, 1.1, 1}, [4]float64{4, 210, 2.2, 2})
	}
	for name, c := range map[string]struct {
		steps []Step
		want  string
	}{
		"one":                    {sweep([4]float64{64, 100, 1, 1}).Steps, "store"},
		"one, on a busy machine": {busy(sweep([4]float64{64, 100, 1, 1}), 0, 0.4, 0.95), "cpu"},
		"a sweep":                {rises().Steps, "workers workers store"},
		"a little slower each time": {sweep([4]float64{4, 100, 1, 1}, [4]float64{5, 200, 1.15, 1},
			[4]float64{7, 210, 1.3, 2}, [4]float64{8, 210, 1.5, 2}, [4]float64{12, 210, 1.55, 2}).Steps,
			"store workers store store store"},
		"no success last":             {sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 0, 0, 0}).Steps, "store store"},
		"the machine is busy at last": {busy(rises(), 2, 0.4, 0.9), "workers workers cpu"},
		"by others":                   {busy(rises(), 0, 0.1, 0.9), "workers workers store"}, // the latency is the same
		"this process alone":          {busy(rises(), 0, 0.9, 0), "cpu workers store"},
		"kept":                        {open(995, 5, 0, 20), "rate"},
		"no more connections":         {open(900, 0, 100, 100), "workers"},
		"slow":                        {open(900, 100, 0, 99), "store"},
		"a busy machine":              {busy(&Report{Steps: open(900, 0, 100, 20)}, 0, 0.9, 0.9), "cpu"},
		"few planned, all kept":       {[]Step{{Workers: 1024, Rate: 0.7, DurationSeconds: 10, Heads: 6}}, "rate"},
		"slowed down": {refused(sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 200, 1, 1}).Steps, "503",
			30), "store store"},
		"slowed down, of a rate": {refused(busy(&Report{Steps: open(900, 0, 100, 100)}, 0, 0.9, 0.9), "429", 30),
			"store"},
		"hardly slowed down": {refused(sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 200, 1, 1}).Steps, "503",
			9), "workers workers"},
		"refused for other reasons": {refused(sweep([4]float64{1, 100, 1, 1}, [4]float64{2, 200, 1, 1}).Steps, "404",
			30), "workers workers"},
	} {
		setLimits(c.steps, true)
		var by []string
		for _, s := range c.steps {
			by = append(by, s.LimitedBy)
			if s.LimitedWhy == "" {
				t.Errorf("%s: nothing is said why", name)
			}
		}
		if got := strings.Join(by, " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// If other processes keep the machine busy, this process is not the limit. The part of an embedded store is unknown.
func TestBusyMachine(t *testing.T) {
	for cpu, want := range map[float64]string{0.03: "machine", 0.4: "cpu", 0.9: "cpu"} {
		r := sweep([4]float64{64, 100, 1, 1})
		r.Steps[0].cpuShare, r.Steps[0].machineShare = cpu, 0.95
		setLimits(r.Steps, false)
		if s := r.Steps[0]; s.LimitedBy != want || !strings.Contains(s.LimitedWhy, "95 %") {
			t.Errorf("%v: %s, %s", cpu, s.LimitedBy, s.LimitedWhy)
		}
		setLimits(r.Steps, true)
		if s := r.Steps[0]; s.LimitedBy != "cpu" {
			t.Errorf("%v, embedded: %s, %s", cpu, s.LimitedBy, s.LimitedWhy)
		}
	}
}
