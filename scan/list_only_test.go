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

// A run that only lists sends no HEAD, hands out every object once, and balances.
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
			t.Errorf("%d objects: %+v, %v", objects, stats, err)
		}
		if stats.Heads != 0 || server.Counts().Heads != 0 {
			t.Errorf("%d objects: %d HEADs", objects, stats.Heads)
		}
		slices.Sort(keys)
		if different := len(slices.Compact(slices.Clone(keys))); int64(len(keys)) != objects || different != len(keys) {
			t.Errorf("%d objects: %d keys, %d different ones", objects, len(keys), different)
		}
	}
}

// What a store does wrong ends it as it ends every run, and what was handed out is what counts.
func TestListOnlyProtocolError(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 2_500, Quirk: s3sim.TruncatedNoToken})
	handed := 0
	stats, err := newScan(
		t,
		scan.Config{Store: open(t, url), ListOnly: func(p *list.Page) { handed += len(p.Entries) }},
	).Run(t.Context())
	if broken := (*list.ProtocolError)(nil); !errors.As(err, &broken) {
		t.Error(err)
	}
	if stats.Complete || !stats.Balanced() || stats.Listed != int64(handed) {
		t.Errorf("%d objects were handed out, and the account is %+v", handed, stats)
	}
}

// It stops as it does otherwise: what is listed after that is not handed out, and does not count.
func TestListOnlyCanceled(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 100_000})
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	handed := 0
	stats, err := newScan(t, scan.Config{Store: open(t, url), ListOnly: func(p *list.Page) {
		if handed += len(p.Entries); handed == 3_000 {
			cancel(stopped)
		}
	}}).Run(ctx)
	if !errors.Is(err, stopped) || stats.Complete || !stats.Balanced() || stats.Listed != int64(handed) ||
		handed == 100_000 {
		t.Errorf("%d objects were handed out, and the account is %+v; %v", handed, stats, err)
	}
}
