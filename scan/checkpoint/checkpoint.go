// Package checkpoint describes how far a run has come, in a form from which another run resumes.
//
//   - Checkpoint: the Ranges of keys that are not committed yet, the Stats of all that is, and the Positions of the
//     files.
//   - Position: a place in an output file, and what identifies the file.
//
// Encode and Decode convert a Checkpoint to a text and back. The text is protected by a hash: Decode rejects every
// text that Encode did not write.
package checkpoint

import (
	"errors"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

// Checkpoint is the state of a run between two committed pages.
type Checkpoint struct {
	// Parameters are the settings on which the result depends, by name: a run with others must not resume this one.
	Parameters map[string]string

	// Positions are the ends of the files that hold what is committed, by PositionOutput and the others.
	Positions map[string]Position

	Rest      []list.Range  // what is not committed, in the order of keys, without overlap; empty: the run is complete
	Stats     metrics.Stats // of what is committed, by this run and the runs that it resumed
	Latencies []byte        // of the HEADs in Stats, from metrics.Collector.EncodeLatencies
}

// Position is a place in a file, and what identifies the file. The zero Position means that there is no file.
type Position struct {
	Bytes int64  `json:"bytes"` // from the start of the file
	Tail  string `json:"tail"`  // a hash of the last bytes before the place
	Path  string `json:"path"`  // of the file, which identifies it if Bytes is 0
}

// The names of the sinks in Checkpoint.Positions: those of their flags.
const (
	PositionOutput  = "output"
	PositionErrors  = "errors"
	PositionMissing = "missing"
)

// check returns an error for a Checkpoint that no run can have made.
func (c *Checkpoint) check() error {
	for i, r := range c.Rest {
		empty := r.Through != "" && (r.Through < r.After || r.Through == r.After && r.AfterVersion == "")
		if empty || i > 0 && (c.Rest[i-1].Through == "" || c.Rest[i-1].Through > r.After) {
			return errors.New("its ranges overlap")
		}
	}
	for _, p := range c.Positions {
		if p.Bytes < 0 {
			return errors.New("a position is negative")
		}
	}
	if !c.Stats.Balanced() {
		return errors.New("its outcomes do not add up")
	}
	if c.Stats.Complete != (len(c.Rest) == 0) {
		return errors.New("it is complete and has ranges left, or neither")
	}
	return nil
}
