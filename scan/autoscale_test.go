package scan

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

// slowSink sleeps for perPage at each Commit, and discards the page.
type slowSink struct {
	discard
	perPage time.Duration
}

func (s slowSink) Commit(*list.Page, []Chunk) error {
	time.Sleep(s.perPage)
	return nil
}

// answersAfter returns a store that answers every HEAD after the same latency, at any concurrency.
func answersAfter(latency time.Duration) func(string, int) simulatedAnswer {
	return func(string, int) simulatedAnswer { return simulatedAnswer{after: latency} }
}

// pageTime is the time of a LIST in which the workers run out of keys.
const pageTime = 150 * time.Millisecond

// Stats.LimitedBy names the slowest part of the run. The pool grows only if that part is the store.
func TestLimitedBy(t *testing.T) {
	for name, c := range map[string]struct {
		sim       *simulation
		cfg       Config
		limitedBy string
		grows     bool
	}{
		"store": {
			sim:       &simulation{keys: 60_000, answer: answersAfter(20 * time.Millisecond)},
			limitedBy: "store", grows: true,
		},
		"fixed workers": {
			sim: &simulation{keys: 10_000, answer: answersAfter(20 * time.Millisecond)},
			cfg: Config{Workers: 16}, limitedBy: "store",
		},
		"listing": {
			sim:       &simulation{keys: 12_000, listLatency: pageTime, answer: answersAfter(time.Millisecond)},
			limitedBy: "listing",
		},
		"listing, fixed workers": {
			sim: &simulation{keys: 12_000, listLatency: pageTime, answer: answersAfter(time.Millisecond)},
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
					t.Fatalf("got limited by %s (%s), %+v, error %v; want limited by %s",
						stats.LimitedBy, stats.LimitedByReason, stats.Outcomes, err, c.limitedBy)
				}
				if grown := stats.Workers > 32; grown != c.grows || stats.InFlight != stats.Workers {
					t.Errorf("got %d workers at the end, %d in flight, history %v; want more than 32 workers: %v",
						stats.Workers, stats.InFlight, stats.WorkersHistory, c.grows)
				}
				if c.cfg.Rate > 0 && stats.HeadsPerSecond > 1.05*c.cfg.Rate {
					t.Errorf("got %.0f HEADs per second, want at most %.0f", stats.HeadsPerSecond, c.cfg.Rate)
				}
				expectHistory(t, c.sim, c.cfg, stats)
			})
		})
	}
}

// A short run starts only the workers of the initial pool size.
func TestShortRunStartsInitialWorkersOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulation{keys: 500}
		stats, _, err := sim.run(t, t.Context(), Config{})
		if err != nil || sim.sessions.Load() != 32 || stats.Workers != 32 {
			t.Errorf("got %d sessions, %d workers, error %v; want 32 of each", sim.sessions.Load(), stats.Workers, err)
		}
	})
}

// Workers pull batches from a shared queue: a worker whose HEADs take ten times as long gets a tenth of the objects.
func TestSlowWorkerGetsFewerObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulation{keys: 11_000, sessionLatency: []time.Duration{time.Millisecond, 10 * time.Millisecond}}
		_, took, err := sim.run(t, t.Context(), Config{Workers: 2})
		// Together the two workers send 1,100 HEADs per second. The slow worker may send the last batch.
		if least := 10 * time.Second; err != nil || took < least || took > least+time.Second {
			t.Errorf("got %v, error %v; want %v to %v", took, err, least, least+time.Second)
		}
	})
}

// expectHistory checks the history of the pool: it starts with 32 workers, is in the order of time, and the number of
// sessions fits the largest size in it. A pool of a fixed size has no history.
func expectHistory(t *testing.T, sim *simulation, cfg Config, stats metrics.Stats) {
	t.Helper()
	history := stats.WorkersHistory
	if cfg.Workers != WorkersAuto {
		if len(history) > 0 || sim.sessions.Load() != int64(cfg.Workers) {
			t.Errorf("got %d sessions, history %v; want %d sessions, no history",
				sim.sessions.Load(), history, cfg.Workers)
		}
		return
	}
	if len(history) < 2 || history[0].Workers != 32 || history[0].HeadsPerSecond <= 0 ||
		!slices.IsSortedFunc(history, func(a, b metrics.Step) int { return int(1e6 * (a.Seconds - b.Seconds)) }) {
		t.Fatalf("got history %v, want two or more steps in the order of time, from 32 workers", history)
	}
	largest := slices.MaxFunc(history, func(a, b metrics.Step) int { return a.Workers - b.Workers }).Workers
	if n := sim.sessions.Load(); n < int64(largest) || n > int64(4*largest) {
		t.Errorf("got %d sessions, want %d to %d", n, largest, 4*largest)
	}
}
