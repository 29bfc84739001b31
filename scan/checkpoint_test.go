package scan

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/checkpoint"
)

// groupingSink is a GroupingSink whose Sync is due when it is asked the second time, and then never more.
type groupingSink struct {
	discard
	asked int
}

func (s *groupingSink) SyncDue() bool {
	s.asked++
	return s.asked == 2
}

// A run with a GroupingSink saves a Checkpoint when its Sync is due, and when the run ends.
func TestCheckpointsOfGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var listed []int64
		sim := simulation{keys: 4_000, listLatency: 10 * time.Second}
		_, _, err := sim.run(t, t.Context(), Config{
			Workers: 16, CheckpointEvery: 8 * time.Second, Sink: new(groupingSink),
			OnCheckpoint: func(c *checkpoint.Checkpoint) error {
				listed = append(listed, c.Stats.Listed)
				return nil
			},
		})
		// Pages are committed after 10, 20 and 30 s. The Sink is asked after 16 and 24 s, and then after 32 s.
		if want := []int64{2_000, 4_000}; err != nil || !slices.Equal(listed, want) {
			t.Errorf("got checkpoints of %d objects, %v; want %d", listed, err, want)
		}
	})
}

// A run saves a Checkpoint when it starts, within CheckpointEvery after a page is committed, and when it ends. It saves
// none while no page is committed.
func TestCheckpointTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type saved struct {
			at       time.Duration
			listed   int64
			complete bool
		}
		var got []saved
		start := time.Now()
		sim := simulation{keys: 3_000, listLatency: 10 * time.Second}
		_, _, err := sim.run(t, t.Context(), Config{
			Workers: 16, CheckpointEvery: 3700 * time.Millisecond,
			OnCheckpoint: func(c *checkpoint.Checkpoint) error {
				got = append(got, saved{time.Since(start), c.Stats.Listed, c.Stats.Complete})
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		// Pages are committed after 10, 20 and 30 s, and the last one ends the run.
		want := []saved{
			{11_100 * time.Millisecond, 1_000, false},
			{22_200 * time.Millisecond, 2_000, false},
			{30 * time.Second, 3_000, true},
		}
		if len(got) != len(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("checkpoint %d: got %+v, want %+v", i, got[i], want[i])
			}
		}
	})
}
