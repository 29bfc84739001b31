package scan_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/list"
)

func TestEveryObjectOfEveryShape(t *testing.T) {
	for _, shape := range s3sim.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			server, url := sim(t, s3sim.Options{Objects: most(3_333), Shape: shape})
			r := run(t.Context(), t, open(t, url), scan.Config{Workers: 16})
			if r.err != nil {
				t.Fatal(r.err)
			}
			expect(t, server, r.lines)
			if r.stats.Listed != most(3_333) || r.stats.Heads != most(3_333) || r.stats.Failed != 0 {
				t.Errorf("%+v", r.stats)
			}
		})
	}
}

func TestAnyNumberOfWorkersAndObjects(t *testing.T) {
	for _, objects := range []int64{0, 1, 999, 1000, 1001} {
		server, url := sim(t, s3sim.Options{Objects: objects})
		s := open(t, url)
		for _, workers := range []int{1, 3, 200} {
			r := run(t.Context(), t, s, scan.Config{Workers: workers})
			if r.err != nil || r.stats.Listed != objects {
				t.Fatalf("%d objects, %d workers: %+v, %v", objects, workers, r.stats, r.err)
			}
			expect(t, server, r.lines)
		}
	}
}

func TestAllPrintsBareObjectsToo(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 2_000})
	r := run(t.Context(), t, open(t, url), scan.Config{All: true})
	if r.err != nil || r.stats.Emitted != 2_000 || r.stats.WithoutMetadata != 0 {
		t.Fatalf("%+v, %v", r.stats, r.err)
	}
	checkLines(t, server, r.lines)
}

func TestLinesOfAPageAreInKeyOrder(t *testing.T) {
	_, url := sim(t, s3sim.Options{Objects: 1_000, Faults: []s3sim.Fault{{Kind: s3sim.Fault503Empty, Rate: 0.05}}})
	r := run(t.Context(), t, open(t, url), scan.Config{Workers: 64})
	if r.err != nil || !slices.IsSorted(r.lines) {
		t.Errorf("sorted: %v, error: %v", slices.IsSorted(r.lines), r.err)
	}
}

func TestRangeAndPrefix(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 5_000})
	ks := server.Keyspace()
	cfg := scan.Config{All: true, Range: list.Range{After: string(ks.Key(99)), Through: string(ks.Key(2_500))}}
	r := run(t.Context(), t, open(t, url), cfg)
	if r.err != nil || len(r.lines) != 2_401 {
		t.Fatalf("%d lines, %v", len(r.lines), r.err)
	}
	keys := checkLines(t, server, r.lines)
	if keys[string(ks.Key(99))] || !keys[string(ks.Key(100))] || !keys[string(ks.Key(2_500))] || keys[string(ks.Key(2_501))] {
		t.Error("the Range is (After, Through]")
	}
	prefix := string(ks.Key(1_234))
	r = run(t.Context(), t, open(t, url), scan.Config{All: true, Prefix: prefix[:len(prefix)-2]})
	if r.err != nil || len(r.lines) != 100 {
		t.Fatalf("%d lines, %v", len(r.lines), r.err)
	}
}

func TestTheEndOfTheContextEndsTheRun(t *testing.T) {
	_, url := sim(t, s3sim.Options{Objects: 20_000})
	cause := errors.New("enough")
	for _, after := range []int{0, 1, 19} { // before the first page, at the first, before the last
		ctx, cancel := context.WithCancelCause(t.Context())
		if after == 0 {
			cancel(cause)
		}
		sink := &tripSink{after: after, trip: func() { cancel(cause) }}
		stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true}).Run(ctx)
		if !errors.Is(err, cause) || stats.Complete || !stats.Balanced() {
			t.Errorf("after %d pages: %+v, %v", after, stats.Outcomes, err)
		}
	}
}

func TestAnOutputThatFailsEndsTheRun(t *testing.T) {
	_, url := sim(t, s3sim.Options{Objects: 20_000})
	full := errors.New("no space")
	stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: &tripSink{after: 3, err: full}, All: true}).Run(t.Context())
	var failed *scan.OutputError
	if !errors.As(err, &failed) || !errors.Is(err, full) || stats.Listed != 2_000 {
		t.Errorf("%+v, %v: a page that was not written must not count", stats.Outcomes, err)
	}
}
