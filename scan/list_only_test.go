package scan_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/list"
)

// A run with ListOnly sends no HEAD and passes every object to the callback once. Its outcomes add up.
func TestListOnly(t *testing.T) {
	t.Parallel()
	for _, objects := range []int64{0, 1, 2_500} {
		server, url := simtest.Start(t, s3sim.Options{Objects: objects})
		var keys []string
		stats, err := newScan(t, scan.Config{Store: open(t, url), ListOnly: func(p *list.Page) {
			for _, e := range p.Entries {
				keys = append(keys, e.Key)
			}
		}}).Run(t.Context())
		if err != nil || !stats.Complete || !stats.Balanced() || stats.Listed != objects || stats.Filtered != objects {
			t.Errorf("%d objects: got %+v, error %v; want all listed and filtered", objects, stats, err)
		}
		if stats.Heads != 0 || server.Counts().Heads != 0 {
			t.Errorf("%d objects: got %d HEADs, want 0", objects, stats.Heads)
		}
		slices.Sort(keys)
		if distinct := len(slices.Compact(slices.Clone(keys))); int64(len(keys)) != objects || distinct != len(keys) {
			t.Errorf("got %d keys, %d of them distinct; want %d", len(keys), distinct, objects)
		}
	}
}

// A protocol error of the store ends a run with ListOnly. Stats.Listed is the number of objects passed to the callback.
func TestListOnlyProtocolError(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 2_500, Quirk: s3sim.TruncatedNoToken})
	listed := 0
	stats, err := newScan(
		t,
		scan.Config{Store: open(t, url), ListOnly: func(p *list.Page) { listed += len(p.Entries) }},
	).Run(t.Context())
	if protocol := (*list.ProtocolError)(nil); !errors.As(err, &protocol) {
		t.Errorf("got error %v, want a ProtocolError", err)
	}
	if stats.Complete || !stats.Balanced() || stats.Listed != int64(listed) {
		t.Errorf("got %+v, want an incomplete run with %d listed", stats, listed)
	}
}

// The end of the context ends a run with ListOnly. Later pages are neither passed to the callback nor counted.
func TestListOnlyCanceled(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 100_000})
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	listed := 0
	stats, err := newScan(t, scan.Config{Store: open(t, url), ListOnly: func(p *list.Page) {
		if listed += len(p.Entries); listed == 3_000 {
			cancel(stopped)
		}
	}}).Run(ctx)
	if !errors.Is(err, stopped) || stats.Complete || !stats.Balanced() || stats.Listed != int64(listed) ||
		listed == 100_000 {
		t.Errorf("got %+v, error %v; want an incomplete run with %d listed", stats, err, listed)
	}
}
