package scan_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// keySink records the keys of committed Records. Its failAt-th Commit, counted from 1, fails.
type keySink struct {
	unsynced
	keys   []string
	failAt int
}

var errFull = errors.New("no space")

type keyChunk struct{ keys []string }

func (c *keyChunk) Add(r *scan.Record) { c.keys = append(c.keys, r.Key()) }

func (s *keySink) NewChunk() scan.Chunk { return new(keyChunk) }

func (s *keySink) Commit(_ *list.Page, chunks []scan.Chunk) error {
	if s.failAt--; s.failAt == 0 {
		return errFull
	}
	for _, c := range chunks {
		s.keys = append(s.keys, c.(*keyChunk).keys...)
	}
	return nil
}

// snapshot is a Checkpoint with the numbers of keys and failures that had been written at its time. After a killed
// process, headcount truncates the files to these lengths.
type snapshot struct {
	checkpoint   []byte
	keys, failed int
}

// resumedRuns is a sequence of runs, and the output of them all. Each run resumes from a random snapshot of the last
// one.
type resumedRuns struct {
	rng       *rand.Rand
	sink      keySink
	failed    []string
	runs      int
	snapshots []snapshot // of the last run, and the one from which it resumed
}

var errStopped = errors.New("stopped")

// from returns the Checkpoint of a random snapshot of the last run, and truncates the output to this snapshot. It
// returns nil before the first run.
func (g *resumedRuns) from(t *testing.T) *checkpoint.Checkpoint {
	t.Helper()
	if len(g.snapshots) == 0 {
		g.snapshots = []snapshot{{checkpoint: initialCheckpoint(t, list.Range{})}}
		return nil
	}
	m := g.snapshots[g.rng.IntN(len(g.snapshots))]
	// A run that commits nothing saves nothing, and the next one resumes from the same Checkpoint.
	g.sink.keys, g.failed, g.snapshots = g.sink.keys[:m.keys], g.failed[:m.failed], []snapshot{m}
	from, err := checkpoint.Decode(m.checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	expectNoOverlap(t, g.sink.keys, from)
	return from
}

// initialCheckpoint returns the Checkpoint of a run that has committed nothing, as headcount saves it in Config.Begin.
func initialCheckpoint(t *testing.T, rng list.Range) []byte {
	t.Helper()
	text, err := (&checkpoint.Checkpoint{Rest: []list.Range{rng}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// run starts the next run. The first six runs end by an error of the sink or by their context, in turn.
func (g *resumedRuns) run(t *testing.T, cfg scan.Config) (metrics.Stats, error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	g.runs++
	endAt := 0 // the number of the Checkpoint at which the context ends
	switch {
	case g.runs > 6:
	case g.runs%2 == 1:
		g.sink.failAt = 1 + g.rng.IntN(4)
	default:
		// The first Checkpoint is the one from which the run resumes.
		g.sink.failAt, endAt = 0, 2+g.rng.IntN(g.runs-1)
	}
	cfg.Sink, cfg.Resume, cfg.CheckpointEvery = &g.sink, g.from(t), time.Millisecond
	cfg.Failures = scan.FailureFunc(func(e *scan.ObjectError) error {
		g.failed = append(g.failed, e.Entry.Key)
		return nil
	})
	cfg.OnCheckpoint = func(c *checkpoint.Checkpoint) error {
		text, err := c.Encode()
		g.snapshots = append(g.snapshots, snapshot{text, len(g.sink.keys), len(g.failed)})
		if len(g.snapshots) == endAt {
			cancel(errStopped)
		}
		return err
	}
	return newScan(t, cfg).Run(ctx)
}

// Resumed runs commit every key once, for every cause and time of the end of the runs before. TestKilled tests the same
// with processes and files, and takes half a minute.
func TestResumeAfterStops(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	g := resumedRuns{rng: rand.New(rand.NewPCG(seed, 1))}
	// A page with a denied object waits half a second for a second HEAD. Other pages are committed before it.
	server, url := simtest.Start(
		t,
		s3sim.Options{Objects: 8_000, Shape: s3sim.Nasty, XMLSafe: true, Denied: 0.0003, DeleteMarked: 0.01},
	)
	for {
		stats, err := g.run(t, scan.Config{Store: open(t, url), All: true, Workers: 16})
		if err == nil {
			expectEveryKeyOnce(t, server, &g, stats)
			return
		}
		if !errors.Is(err, errFull) && !errors.Is(err, errStopped) {
			t.Fatalf("got error %v, want %v or %v", err, errFull, errStopped)
		}
	}
}

// A run ends because the failures of a page cannot be written, after the page's Records were written. No Checkpoint
// counts these Records: a resumed run scans the page again.
func TestPartialPageIsNotSaved(t *testing.T) {
	t.Parallel()
	var sink keySink
	last := snapshot{checkpoint: initialCheckpoint(t, list.Range{})}
	_, url := simtest.Start(t, s3sim.Options{Objects: 3_000, Denied: 0.01})
	_, err := newScan(t, scan.Config{
		Store: open(t, url), All: true, Workers: 16, Sink: &sink, CheckpointEvery: time.Millisecond,
		Failures: scan.FailureFunc(func(*scan.ObjectError) error { return errFull }),
		OnCheckpoint: func(c *checkpoint.Checkpoint) (err error) {
			last.checkpoint, err = c.Encode()
			last.keys = len(sink.keys)
			return err
		},
	}).Run(t.Context())
	if !errors.Is(err, errFull) || len(sink.keys) == 0 {
		t.Fatalf("got error %v, %d records; want %v and some records", err, len(sink.keys), errFull)
	}
	at, err := checkpoint.Decode(last.checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	expectNoOverlap(t, sink.keys[:last.keys], at)
}

// expectNoOverlap checks that a Checkpoint counts all written keys, and that none is in a Range still to be scanned.
func expectNoOverlap(t *testing.T, keys []string, at *checkpoint.Checkpoint) {
	t.Helper()
	if at.Stats.Emitted != int64(len(keys)) {
		t.Fatalf("the checkpoint has %d records, want %d as written", at.Stats.Emitted, len(keys))
	}
	for _, key := range keys {
		for _, rest := range at.Rest {
			if rest.Contains(key) {
				t.Fatalf("key %q was written, and is in the Range %v still to be scanned", key, rest)
			}
		}
	}
}

// expectEveryKeyOnce checks that each object of the sim is written once, denied objects as failures and all other
// existing objects as keys, and that the Stats have these numbers.
func expectEveryKeyOnce(t *testing.T, server *s3sim.Server, g *resumedRuns, stats metrics.Stats) {
	t.Helper()
	times := map[string]int{}
	for _, key := range g.sink.keys {
		times[key]++
	}
	for _, key := range g.failed {
		times[key] -= 10 // a key that is written and has failed gets -9
	}
	ks := server.Keyspace()
	for i := range ks.Len() {
		key := ks.Key(i)
		want := map[s3sim.HeadState]int{s3sim.HeadOK: 1, s3sim.HeadDenied: -10}[server.HeadState(key)]
		if times[string(key)] != want {
			t.Errorf("key %q, state %v: got %d, want %d", key, server.HeadState(key), times[string(key)], want)
		}
	}
	if !stats.Complete || stats.Listed != ks.Len() || stats.Emitted != int64(len(g.sink.keys)) ||
		stats.Failed != int64(len(g.failed)) || !stats.Balanced() || stats.Runs < 1 || stats.Runs > g.runs {
		t.Errorf("got %+v in %d runs, complete %v; want %d records, %d failures, at most %d runs",
			stats.Outcomes, stats.Runs, stats.Complete, len(g.sink.keys), len(g.failed), g.runs)
	}
}
