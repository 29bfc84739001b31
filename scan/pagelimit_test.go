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

// The pages that the workers and the listers may be at are no more than there have to be of each, and those that may
// wait.
func TestMaxPages(t *testing.T) {
	for _, c := range []struct{ workers, listers, want int }{
		{1, 0, 1 + 1 + 24}, // 64 keys of one page are asked for
		{1, 1, 1 + 1 + 24},
		{1, 64, 1 + 64},
		{256, 1, 3 + 3 + 24}, // 2,048 keys
		{256, 64, 3 + 64},
		{1024, 1, 9 + 9 + 24}, // 8,192 keys
		{1024, 64, 9 + 64},
		{4096, 64, 33 + 64}, // 32,768 keys
	} {
		if got := scan.MaxPages(c.workers, c.listers); got != c.want {
			t.Errorf("%d workers and %d listers: %d pages, want %d", c.workers, c.listers, got, c.want)
		}
	}
}

// However far the listers could be ahead of the workers, no more pages are in flight than that.
func TestPagesInFlight(t *testing.T) {
	t.Parallel()
	const workers, listers = 4, 32
	_, url := simtest.Start(t, s3sim.Options{Objects: 100_000})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	sink := &inFlightSink{commits: 5, trip: func() { cancel(enough) }}
	sink.scan = newScan(t, scan.Config{
		Store: open(t, url), Sink: sink, Engine: engine.Direct, All: true, Workers: workers, Listers: listers,
	})
	if _, err := sink.scan.Run(ctx); !errors.Is(err, enough) {
		t.Fatal(err)
	}
	if most := scan.MaxPages(workers, listers) * 1000; sink.most > most {
		t.Errorf("%d objects in flight, of %d that may be", sink.most, most)
	}
}

// roomSink looks at each commit how many objects are in flight, those included that are being committed, and calls trip
// after some.
type inFlightSink struct {
	unsynced
	scan      *scan.Scan
	commits   int
	trip      func()
	committed int
	most      int
}

type countChunk struct{ records int }

func (c *countChunk) Add(*scan.Record) { c.records++ }

func (s *inFlightSink) NewChunk() scan.Chunk { return new(countChunk) }

func (s *inFlightSink) Commit(_ *list.Page, chunks []scan.Chunk) error {
	s.most = max(s.most, int(s.scan.Progress().Listed)-s.committed)
	for _, c := range chunks {
		s.committed += c.(*countChunk).records
	}
	if s.commits--; s.commits == 0 {
		s.trip()
	}
	return nil
}
