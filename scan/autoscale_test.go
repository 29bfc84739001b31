package scan

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

// slowSink takes a time to commit a page, and keeps nothing.
type slowSink struct {
	discard
	perPage time.Duration
}

func (s slowSink) Commit(*list.Page, []Chunk) error {
	time.Sleep(s.perPage)
	return nil
}

// answersAfter is a store that answers every HEAD after the same time, however many there are at once.
func answersAfter(latency time.Duration) func(string, int) simulatedAnswer {
	return func(string, int) simulatedAnswer { return simulatedAnswer{after: latency} }
}

// A run is limited by its slowest part. The pool grows only if that part is the store.
func TestLimitedBy(t *testing.T) {
	for name, c := range map[string]struct {
		sim       *simulation
		cfg       Config
		limitedBy string
		grows     bool
	}{
		"store": {
			sim: &simulation{keys: 60_000, answer: answersAfter(20 * time.Millisecond)}, limitedBy: "store", grows: true,
		},
		"fixed workers": {
			sim: &simulation{keys: 10_000, answer: answersAfter(20 * time.Millisecond)},
			cfg: Config{Workers: 16}, limitedBy: "store",
		},
		"listing": {
			sim:       &simulation{keys: 12_000, listLatency: 150 * time.Millisecond, answer: answersAfter(time.Millisecond)},
			limitedBy: "listing",
		},
		"listing, fixed workers": {
			sim: &simulation{keys: 12_000, listLatency: 150 * time.Millisecond, answer: answersAfter(time.Millisecond)},
			cfg: Config{Workers: 16}, limitedBy: "listing",
		},
		"output": {
			sim: &simulation{keys: 100_000, answer: answersAfter(time.Millisecond)},
			cfg: Config{Sink: slowSink{perPage: 200 * time.Millisecond}}, limitedBy: "output",
		},
		"rate": {
			sim: &simulation{keys: 5_000, answer: answersAfter(5 * time.Millisecond)},
			cfg: Config{Rate: 200}, limitedBy: "rate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stats, _, err := c.sim.run(t, t.Context(), c.cfg)
				if err != nil || stats.Listed != int64(c.sim.keys) || stats.LimitedBy != c.limitedBy {
					t.Fatalf("%v; %+v, limited by %s: %s", err, stats.Outcomes, stats.LimitedBy, stats.LimitedByReason)
				}
				if grown := stats.Workers > 32; grown != c.grows || stats.InFlight != stats.Workers {
					t.Errorf("%d workers at the end, %d in flight; %v", stats.Workers, stats.InFlight, stats.WorkersHistory)
				}
				if c.cfg.Rate > 0 && stats.HeadsPerSecond > 1.05*c.cfg.Rate {
					t.Errorf("%.0f HEADs per second of %.0f", stats.HeadsPerSecond, c.cfg.Rate)
				}
				expectHistory(t, c.sim, c.cfg, stats)
			})
		})
	}
}

// A short run starts the workers of the first size, and no more.
func TestShortRunStartsInitialWorkersOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulation{keys: 500}
		stats, _, err := sim.run(t, t.Context(), Config{})
		if err != nil || sim.sessions.Load() != 32 || stats.Workers != 32 {
			t.Errorf("%d sessions, %d workers, %v", sim.sessions.Load(), stats.Workers, err)
		}
	})
}

// Workers take batches as they need them: the worker whose HEADs take ten times as long gets a tenth of the objects.
func TestSlowWorkerGetsFewerObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulation{keys: 11_000, sessionLatency: []time.Duration{time.Millisecond, 10 * time.Millisecond}}
		_, took, err := sim.run(t, t.Context(), Config{Workers: 2})
		// Together the two send 1,100 HEADs per second. The slow one may have a batch at the end.
		if least := 10 * time.Second; err != nil || took < least || took > least+time.Second {
			t.Errorf("%v after %v, want %v", err, took, least)
		}
	})
}

// expectHistory wants the history of a pool that starts with 32 workers, in the order of time, and as many sessions as
// the largest size that was tried. A pool of a fixed size has no history.
func expectHistory(t *testing.T, sim *simulation, cfg Config, stats metrics.Stats) {
	t.Helper()
	history := stats.WorkersHistory
	if cfg.Workers != WorkersAuto {
		if len(history) > 0 || sim.sessions.Load() != int64(cfg.Workers) {
			t.Errorf("%d sessions for %d workers, history %v", sim.sessions.Load(), cfg.Workers, history)
		}
		return
	}
	if len(history) < 2 || history[0].Workers != 32 || history[0].HeadsPerSecond <= 0 ||
		!slices.IsSortedFunc(history, func(a, b metrics.Step) int { return int(1e6 * (a.Seconds - b.Seconds)) }) {
		t.Fatalf("history %v", history)
	}
	largest := slices.MaxFunc(history, func(a, b metrics.Step) int { return a.Workers - b.Workers }).Workers
	if n := sim.sessions.Load(); n < int64(largest) || n > int64(4*largest) {
		t.Errorf("%d sessions, and at most %d workers in the history", n, largest)
	}
}
