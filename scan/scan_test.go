package scan_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/list"
)

func TestEveryShape(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		cfg.Workers = 16
		for _, shape := range s3sim.Shapes() {
			if cfg.Engine == engine.SDK && shape != s3sim.Nasty {
				continue // it is slow, and Nasty has what the others have
			}
			t.Run(string(shape), func(t *testing.T) {
				server, url := simtest.Start(t, s3sim.Options{Objects: fewerIfShort(3_333), Shape: shape})
				r := run(t.Context(), t, open(t, url), cfg)
				if r.err != nil {
					t.Fatal(r.err)
				}
				expectAllPrinted(t, server, r.lines)
				if r.stats.Listed != fewerIfShort(3_333) || r.stats.Heads != fewerIfShort(3_333) || r.stats.Failed != 0 {
					t.Errorf("%+v", r.stats)
				}
			})
		}
	})
}

func TestWorkerAndObjectCounts(t *testing.T) {
	t.Parallel()
	counts := []int64{0, 1, 999, 1000, 1001}
	if testing.Short() {
		counts = []int64{0, 1, 1001}
	}
	for _, objects := range counts {
		server, url := simtest.Start(t, s3sim.Options{Objects: objects})
		s := open(t, url)
		for _, workers := range []int{1, 3, 200} {
			for _, pipeline := range []int{1, 128} {
				r := run(t.Context(), t, s, scan.Config{Engine: engine.Direct, Pipeline: pipeline, Workers: workers})
				if r.err != nil || r.stats.Listed != objects {
					t.Fatalf("%d objects, %d workers, %d in flight: %+v, %v", objects, workers, pipeline, r.stats, r.err)
				}
				expectAllPrinted(t, server, r.lines)
			}
		}
	}
}

func TestAllPrintsObjectsWithoutMetadata(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 2_000})
		cfg.All = true
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Emitted != 2_000 || r.stats.WithoutMetadata != 0 {
			t.Fatalf("%+v, %v", r.stats, r.err)
		}
		checkLines(t, server, r.lines)
	})
}

func TestPageLinesInKeyOrder(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := simtest.Start(
			t,
			s3sim.Options{Objects: 1_000, Faults: []s3sim.Fault{{Kind: s3sim.Fault503Empty, Rate: 0.05}}},
		)
		cfg.Workers = 64
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || !slices.IsSorted(r.lines) {
			t.Errorf("sorted: %v, error: %v", slices.IsSorted(r.lines), r.err)
		}
	})
}

func TestRangeAndPrefix(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 5_000})
		ks := server.Keyspace()
		cfg.All = true
		part := cfg
		part.Range = list.Range{After: string(ks.Key(99)), Through: string(ks.Key(2_500))}
		r := run(t.Context(), t, open(t, url), part)
		if r.err != nil || len(r.lines) != 2_401 {
			t.Fatalf("%d lines, %v", len(r.lines), r.err)
		}
		keys := checkLines(t, server, r.lines)
		if keys[string(ks.Key(99))] || !keys[string(ks.Key(100))] || !keys[string(ks.Key(2_500))] ||
			keys[string(ks.Key(2_501))] {
			t.Error("the Range is (After, Through]")
		}
		prefix := string(ks.Key(1_234))
		cfg.Prefix = prefix[:len(prefix)-2]
		r = run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || len(r.lines) != 100 {
			t.Fatalf("%d lines, %v", len(r.lines), r.err)
		}
	})
}

func TestContextEndsRun(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := simtest.Start(t, s3sim.Options{Objects: 6_000})
		cause := errors.New("enough")
		for _, after := range []int{0, 1, 5} { // before the first page, at the first, before the last
			ctx, cancel := context.WithCancelCause(t.Context())
			if after == 0 {
				cancel(cause)
			}
			cfg.Store, cfg.Sink, cfg.All = open(t, url), &hookSink{atPage: after, hook: func() { cancel(cause) }}, true
			stats, err := newScan(t, cfg).Run(ctx)
			if !errors.Is(err, cause) || stats.Complete || !stats.Balanced() {
				t.Errorf("after %d pages: %+v, %v", after, stats.Outcomes, err)
			}
		}
	})
}

func TestOutputErrorEndsRun(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 20_000})
	full := errors.New("no space")
	stats, err := newScan(
		t,
		scan.Config{Store: open(t, url), Sink: &hookSink{atPage: 3, err: full}, All: true},
	).Run(t.Context())
	var failed *scan.OutputError
	if !errors.As(err, &failed) || !errors.Is(err, full) || stats.Listed != 2_000 {
		t.Errorf("%+v, %v: a page that was not written must not count", stats.Outcomes, err)
	}
}
