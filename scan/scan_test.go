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

// A scan prints every object with metadata once, with correct metadata, for every shape of keys.
func TestEveryShape(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		cfg.Workers = 16
		for _, shape := range s3sim.Shapes() {
			if cfg.Engine == engine.SDK && shape != s3sim.Nasty {
				continue // the SDK is slow, and Nasty includes the kinds of keys of the other shapes
			}
			t.Run(string(shape), func(t *testing.T) {
				server, url := simtest.Start(t, s3sim.Options{Objects: fewerIfShort(3_333), Shape: shape})
				r := run(t.Context(), t, open(t, url), cfg)
				if r.err != nil {
					t.Fatal(r.err)
				}
				expectAllPrinted(t, server, r.lines)
				heads := r.stats.Heads - r.stats.Requests["head"]["lost"] // the SDK leaves a connection that it doubts
				if r.stats.Listed != fewerIfShort(3_333) || heads != fewerIfShort(3_333) || r.stats.Failed != 0 {
					t.Errorf("got %+v, want %d listed and HEADs, none failed", r.stats, fewerIfShort(3_333))
				}
			})
		}
	})
}

// A scan prints every object, for fewer and for more objects than workers, and around the size of one page.
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
					t.Fatalf("%d objects, %d workers, pipeline %d: got %+v, error %v; want all listed",
						objects, workers, pipeline, r.stats, r.err)
				}
				expectAllPrinted(t, server, r.lines)
			}
		}
	}
}

// With All the scan also prints objects without metadata.
func TestAllPrintsObjectsWithoutMetadata(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 2_000})
		cfg.All = true
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Emitted != 2_000 || r.stats.WithoutMetadata != 0 {
			t.Fatalf("got %+v, error %v; want 2,000 emitted", r.stats, r.err)
		}
		checkLines(t, server, r.lines)
	})
}

// The lines of a page are in the order of keys, even if some HEADs are retried and answered late.
func TestPageLinesInKeyOrder(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := simtest.Start(
			t,
			s3sim.Options{Objects: 1_000, Faults: []s3sim.Fault{{Kind: s3sim.Fault503Empty, Rate: 0.05}}},
		)
		cfg.Workers = 64
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || !slices.IsSorted(r.lines) {
			t.Errorf("got sorted %v, error %v; want sorted lines", slices.IsSorted(r.lines), r.err)
		}
	})
}

// A scan of a Range prints the keys after Range.After through Range.Through; a scan of a Prefix those with the prefix.
func TestRangeAndPrefix(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 5_000})
		ks := server.Keyspace()
		cfg.All = true
		part := cfg
		part.Range = list.Range{After: string(ks.Key(99)), Through: string(ks.Key(2_500))}
		r := run(t.Context(), t, open(t, url), part)
		if r.err != nil || len(r.lines) != 2_401 {
			t.Fatalf("Range: got %d lines, error %v; want 2,401 lines", len(r.lines), r.err)
		}
		keys := checkLines(t, server, r.lines)
		if keys[string(ks.Key(99))] || !keys[string(ks.Key(100))] || !keys[string(ks.Key(2_500))] ||
			keys[string(ks.Key(2_501))] {
			t.Error("got other keys at the ends of the Range, want (After, Through]")
		}
		prefix := string(ks.Key(1_234))
		cfg.Prefix = prefix[:len(prefix)-2]
		r = run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || len(r.lines) != 100 {
			t.Fatalf("Prefix: got %d lines, error %v; want 100 lines", len(r.lines), r.err)
		}
	})
}

// A run whose context ends returns its cause as the error, is incomplete, and its outcomes add up.
func TestContextEndsRun(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := simtest.Start(t, s3sim.Options{Objects: 6_000})
		cause := errors.New("enough")
		for _, after := range []int{0, 1, 5} { // pages: before the first one, at the first one, before the last one
			ctx, cancel := context.WithCancelCause(t.Context())
			if after == 0 {
				cancel(cause)
			}
			cfg.Store, cfg.Sink, cfg.All = open(t, url), &hookSink{atPage: after, hook: func() { cancel(cause) }}, true
			stats, err := newScan(t, cfg).Run(ctx)
			if !errors.Is(err, cause) || stats.Complete || !stats.Balanced() {
				t.Errorf("after %d pages: got %+v, error %v; want an incomplete run", after, stats.Outcomes, err)
			}
		}
	})
}

// An error of the Sink ends the run with an OutputError. The page that was not written does not count.
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
		t.Errorf("got %+v, error %v; want 2,000 listed and an OutputError", stats.Outcomes, err)
	}
}
