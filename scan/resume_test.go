package scan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/output"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/store"
)

// errKilled ends a run after which the test saves no Checkpoint, as with kill -9.
var errKilled = errors.New("killed")

// killedSink calls kill at the last of the given number of pages.
type killedSink struct {
	scan.Sink
	pages int // until kill
	kill  func()
}

func (s *killedSink) Commit(page *list.Page, chunks []scan.Chunk) error {
	if s.pages--; s.pages == 0 {
		s.kill()
	}
	return s.Sink.Commit(page, chunks)
}

// runWithKills scans in several runs. It kills each run but the last after a random number of pages, and resumes from
// the last Checkpoint with the output cut to the length at that Checkpoint.
func runWithKills(t *testing.T, s *store.Store, cfg scan.Config, from *checkpoint.Checkpoint, rng *rand.Rand) result {
	t.Helper()
	var err error
	const runsMax = 8
	var (
		r      result
		text   bytes.Buffer
		saved  = initialCheckpoint(t, cfg.Range) // the last Checkpoint
		length int                               // of the output at that Checkpoint
	)
	if from != nil {
		if saved, err = from.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	for runs := 1; ; runs++ {
		ctx, cancel := context.WithCancelCause(t.Context())
		failed := r.failed
		cfg.Store, cfg.Resume, cfg.CheckpointEvery = s, from, time.Millisecond
		sink := &killedSink{Sink: output.NewJSONLines(output.Stream(t.Context(), &text), fieldsOf(t, &cfg)), kill: func() { cancel(errKilled) }}
		if runs < runsMax {
			sink.pages = 1 + rng.IntN(4)
		}
		cfg.Sink = sink
		cfg.Failures = scan.FailureFunc(func(e *scan.ObjectError) error {
			failed = append(failed, e)
			return nil
		})
		cfg.OnCheckpoint = func(c *checkpoint.Checkpoint) (err error) {
			if ctx.Err() != nil {
				return nil // a killed run saves nothing
			}
			length, r.failed = text.Len(), failed
			saved, err = c.Encode()
			return err
		}
		r.stats, r.err = newScan(t, cfg).Run(ctx)
		cancel(nil)
		if !errors.Is(r.err, errKilled) {
			r.failed = failed
			for line := range strings.Lines(text.String()) {
				r.lines = append(r.lines, strings.TrimSuffix(line, "\n"))
			}
			return r
		}
		if from, err = checkpoint.Decode(saved); err != nil {
			t.Fatal(err)
		}
		text.Truncate(length)
	}
}

// A scan in killed and resumed runs of a store with a quirk has the exact result, or ends with an error, in one Range
// and in eight.
func TestResumeWithQuirks(t *testing.T) {
	t.Parallel()
	quirks := append(s3sim.Quirks(), "")
	if testing.Short() { // the other quirks make neither more LISTs nor pages of other sizes
		quirks = []s3sim.Quirk{"", s3sim.TokensVoid, s3sim.MaxKeysIgnored, s3sim.KeysRepeated}
	}
	for _, quirk := range quirks {
		for _, shape := range []s3sim.Shape{s3sim.Flat, s3sim.Nasty} {
			for _, ranges := range []int64{1, 8} {
				if testing.Short() && (shape == s3sim.Flat || ranges == 1) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%d", quirk, shape, ranges), func(t *testing.T) {
					t.Parallel()
					testResumeWithQuirk(t, quirk, shape, ranges)
				})
			}
		}
	}
}

// printableKey returns the first printable ASCII key from index at on. Stores with every quirk list such a key exactly.
func printableKey(ks *s3sim.Keyspace, at int64) string {
	for ; ; at++ {
		if key := string(ks.Key(at)); !strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
			return key
		}
	}
}

func testResumeWithQuirk(t *testing.T, quirk s3sim.Quirk, shape s3sim.Shape, ranges int64) {
	exact := map[s3sim.Quirk]bool{
		"": true, s3sim.StartAfterInclusive: true, s3sim.StartAfterIgnored: true, s3sim.EndsEarly: true,
		s3sim.KeysRepeated: true, s3sim.MaxKeysIgnored: true, s3sim.TokensVoid: true, s3sim.EncodingNotEchoed: true,
		s3sim.EncodingEchoed: true,
	}[quirk]
	o := s3sim.Options{Objects: 4_800, Shape: shape, Quirk: quirk}
	if quirk == s3sim.TokensVoid && !testing.Short() {
		o.Objects = 9_600 // more tokens than it takes until one is void
	}
	if ranges > 1 {
		o.Denied = 0.0005 // a few objects, since each costs a second HEAD
	}
	server, url := simtest.Start(t, o)
	ks := server.Keyspace()
	from := &checkpoint.Checkpoint{}
	after := ""
	for i := range ranges {
		rng := list.Range{After: after}
		if i < ranges-1 {
			rng.Through = printableKey(ks, (i+1)*ks.Len()/ranges)
		}
		from.Rest = append(from.Rest, rng)
		after = rng.Through
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	cfg := scan.Config{Engine: engine.Direct, Workers: 16, All: true}
	r := runWithKills(t, open(t, url), cfg, from, rand.New(rand.NewPCG(seed, 1)))
	seen := checkLines(t, server, r.lines)
	if r.err != nil {
		if !errors.As(r.err, new(*list.ProtocolError)) || exact {
			t.Errorf("got error %T: %v, want none or, for some quirks, a ProtocolError", r.err, r.err)
		}
		return
	}
	if r.stats.Listed != ks.Len() || r.stats.Emitted != int64(len(r.lines)) || r.stats.Failed != int64(len(r.failed)) ||
		!r.stats.Balanced() {
		t.Errorf("got %d lines, %d failures, %+v; want %d objects",
			len(r.lines), len(r.failed), r.stats.Outcomes, ks.Len())
	}
	for _, e := range r.failed {
		if seen[e.Entry.Key] {
			t.Fatalf("key %q is printed and has failed, or has failed twice", e.Entry.Key)
		}
		seen[e.Entry.Key] = true
	}
	for i := range ks.Len() {
		if k := string(ks.Key(i)); !seen[k] && (exact && shape == s3sim.Flat || r.stats.Failed == 0) {
			t.Fatalf("key %q is neither printed nor failed", k)
		}
	}
}
