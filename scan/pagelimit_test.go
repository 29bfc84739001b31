package scan_test

import (
	"context"
	"errors"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/list"
)

// MaxPages returns the pages of the workers' batches, plus as many pages that are ready and 24 that wait for an object.
// With many listers it returns one page for each lister instead of the ready and the waiting pages.
func TestMaxPages(t *testing.T) {
	for _, c := range []struct{ workers, listers, want int }{
		{1, 0, 1 + 1 + 24}, // the batches have 64 keys of one page
		{1, 1, 1 + 1 + 24},
		{1, 64, 1 + 64},
		{256, 1, 3 + 3 + 24}, // 2,048 keys
		{256, 64, 3 + 64},
		{1024, 1, 9 + 9 + 24}, // 8,192 keys
		{1024, 64, 9 + 64},
		{4096, 64, 33 + 64}, // 32,768 keys
	} {
		if got := scan.MaxPages(c.workers, c.listers); got != c.want {
			t.Errorf("%d workers and %d listers: got %d pages, want %d", c.workers, c.listers, got, c.want)
		}
	}
}

// Even if the listers are much faster than the workers, at most MaxPages pages are in flight.
func TestPagesInFlight(t *testing.T) {
	t.Parallel()
	const workers, listers = 4, 32
	_, url := simtest.Start(t, s3sim.Options{Objects: 100_000})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	sink := &inFlightSink{commits: 5, onLast: func() { cancel(enough) }}
	sink.scan = newScan(t, scan.Config{
		Store: open(t, url), Sink: sink, Engine: engine.Direct, All: true, Workers: workers, Listers: listers,
	})
	if _, err := sink.scan.Run(ctx); !errors.Is(err, enough) {
		t.Fatalf("got error %v, want %v", err, enough)
	}
	if limit := scan.MaxPages(workers, listers) * 1000; sink.maxInFlight > limit {
		t.Errorf("got %d objects in flight, want at most %d", sink.maxInFlight, limit)
	}
}

// inFlightSink records at each Commit how many objects are in flight, including those of that page. At the last of the
// given number of commits it calls onLast.
type inFlightSink struct {
	unsynced
	scan        *scan.Scan
	commits     int // until onLast
	onLast      func()
	committed   int
	maxInFlight int // objects
}

type countChunk struct{ records int }

func (c *countChunk) Add(*scan.Record) { c.records++ }

func (s *inFlightSink) NewChunk() scan.Chunk { return new(countChunk) }

func (s *inFlightSink) Commit(_ *list.Page, chunks []scan.Chunk) error {
	s.maxInFlight = max(s.maxInFlight, int(s.scan.Progress().Listed)-s.committed)
	for _, c := range chunks {
		s.committed += c.(*countChunk).records
	}
	if s.commits--; s.commits == 0 {
		s.onLast()
	}
	return nil
}
