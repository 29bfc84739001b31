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

// positionSink has a Position behind each page, and can fail to close.
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

// A Checkpoint has the Positions of the sinks that have one, and the last one is made when both are closed.
func TestCheckpointPositions(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 5_000})
	var sink positionSink
	var last *checkpoint.Checkpoint
	_, err := newScan(t, scan.Config{
		Store: open(t, url), Sink: &sink, CheckpointEvery: time.Millisecond,
		OnCheckpoint: func(c *checkpoint.Checkpoint) error {
			at, isSaid := c.Positions[checkpoint.PositionOutput]
			if !isSaid || at.Bytes != int64(sink.pages) || len(c.Positions) != 1 {
				t.Errorf("the Positions are %v after %d pages", c.Positions, sink.pages)
			}
			last = c
			sink.calls = append(sink.calls, "checkpoint")
			return nil
		},
	}).Run(t.Context())
	if err != nil || !last.Stats.Complete {
		t.Fatalf("%v, %+v", err, last)
	}
	n := len(sink.calls)
	if n < 5 || sink.calls[n-1] != "checkpoint" || sink.calls[n-2] != "close" || sink.calls[n-3] != "sync" {
		t.Errorf("the calls were %q", sink.calls)
	}
}

// A run whose Sink cannot be closed is not complete, and no Checkpoint says so.
func TestSinkCloseError(t *testing.T) {
	t.Parallel()
	_, url := simtest.Start(t, s3sim.Options{Objects: 2_000})
	full := errors.New("no space")
	stats, err := newScan(t, scan.Config{
		Store: open(t, url), Sink: &positionSink{closeErr: full},
		OnCheckpoint: func(c *checkpoint.Checkpoint) error {
			if c.Stats.Complete {
				t.Error("a checkpoint.Checkpoint says that the run is complete")
			}
			return nil
		},
	}).Run(t.Context())
	if output := (*scan.OutputError)(nil); !errors.As(err, &output) || !errors.Is(err, full) {
		t.Errorf("%T: %v", err, err)
	}
	if stats.Complete || stats.Error == "" || !stats.Balanced() {
		t.Errorf("%+v", stats)
	}
}
