package scan_test

import (
	"errors"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/checkpoint"
)

// positionSink returns the number of committed pages as its Position, and closeErr from Close.
type positionSink struct {
	hookSink
	calls    []string // of Sync and Close
	closeErr error
}

func (s *positionSink) Sync() (checkpoint.Position, error) {
	s.calls = append(s.calls, "sync")
	return checkpoint.Position{Bytes: int64(s.pages), Path: "o"}, nil
}

func (s *positionSink) Close() error {
	s.calls = append(s.calls, "close")
	return s.closeErr
}

// Each Checkpoint has the Position that the Sink's Sync returned. The last Checkpoint is saved after Close.
func TestCheckpointPositions(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 5_000})
	var sink positionSink
	var last *checkpoint.Checkpoint
	_, err := newScan(t, scan.Config{
		Store: open(t, url), Sink: &sink, CheckpointEvery: time.Millisecond,
		OnCheckpoint: func(c *checkpoint.Checkpoint) error {
			at, ok := c.Positions[checkpoint.PositionOutput]
			if !ok || at.Bytes != int64(sink.pages) || len(c.Positions) != 1 {
				t.Errorf("got Positions %v after %d pages, want that of the output with %[2]d bytes", c.Positions, sink.pages)
			}
			last = c
			sink.calls = append(sink.calls, "checkpoint")
			return nil
		},
	}).Run(t.Context())
	if err != nil || !last.Stats.Complete {
		t.Fatalf("got error %v, last Checkpoint %+v; want a complete run", err, last)
	}
	n := len(sink.calls)
	if n < 5 || sink.calls[n-1] != "checkpoint" || sink.calls[n-2] != "close" || sink.calls[n-3] != "sync" {
		t.Errorf("got calls %q, want sync, close, checkpoint at the end", sink.calls)
	}
}

// A run whose Sink fails to close is incomplete in its Stats and in every Checkpoint.
func TestSinkCloseError(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 2_000})
	full := errors.New("no space")
	stats, err := newScan(t, scan.Config{
		Store: open(t, url), Sink: &positionSink{closeErr: full},
		OnCheckpoint: func(c *checkpoint.Checkpoint) error {
			if c.Stats.Complete {
				t.Error("got a Checkpoint of a complete run, want incomplete")
			}
			return nil
		},
	}).Run(t.Context())
	if output := (*scan.OutputError)(nil); !errors.As(err, &output) || !errors.Is(err, full) {
		t.Errorf("got error %T: %v, want an OutputError with %v", err, err, full)
	}
	if stats.Complete || stats.Error == "" || !stats.Balanced() {
		t.Errorf("got %+v, want an incomplete run with an error", stats)
	}
}
