package scan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/output"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/field"
	"headcount/scan/list"
	"headcount/scan/store"
)

// versionLine is the line of one version.
type versionLine struct {
	Key          string            `json:"key"`
	VersionID    string            `json:"version_id"`
	IsLatest     bool              `json:"is_latest"`
	DeleteMarker bool              `json:"delete_marker"`
	Metadata     map[string]string `json:"metadata"` // nil: none was said
}

// text returns the line in a form to compare.
func (l *versionLine) text() string {
	return fmt.Sprintf("%s@%s latest %v marker %v metadata %v %v", l.Key, l.VersionID, l.IsLatest, l.DeleteMarker,
		l.Metadata != nil, l.Metadata)
}

// wantVersions returns the lines of all versions of a server, in the order of the listing. heads says that the metadata
// are known.
func wantVersions(server *s3sim.Server, heads bool) (want []string) {
	ks := server.Keyspace()
	for i := range ks.Len() {
		for n, v := range server.Versions(ks.Key(i)) {
			l := versionLine{Key: string(ks.Key(i)), VersionID: v.ID, IsLatest: n == 0, DeleteMarker: v.DeleteMarker}
			if !v.DeleteMarker && heads {
				l.Metadata = v.Metadata()
				if l.Metadata == nil {
					l.Metadata = map[string]string{}
				}
			}
			want = append(want, l.text())
		}
	}
	return want
}

func versionFields(t *testing.T, names string) []field.Field {
	t.Helper()
	fields, err := field.Parse(names)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// versionTexts returns the lines of an output in the form of wantVersions.
func versionTexts(t *testing.T, output string) (texts []string) {
	t.Helper()
	for line := range strings.Lines(output) {
		var l versionLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, l.text())
	}
	return texts
}

// firstDifference returns the first texts in which two lists differ.
func firstDifference(got, want []string) (texts []string) {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return []string{got[i], want[i]}
		}
	}
	return nil
}

const versionFieldNames = "key,version_id,is_latest,delete_marker"

// Every version has one Record with its own metadata, and every delete marker has one without. Ordered Records are in
// the order of the listing: the newest version of a key first.
func TestVersions(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, o := range []s3sim.Options{
			{Objects: 40, Versions: 2_200}, {Objects: 400, Versions: 5, Shape: s3sim.Skewed}, {Objects: 100},
		} {
			server, url := simtest.Start(t, o)
			s := open(t, url)
			for _, ordered := range []bool{true, false} {
				var text bytes.Buffer
				cfg := cfg
				cfg.Store, cfg.Versions, cfg.All, cfg.Ordered = s, true, true, ordered
				cfg.Sink = output.NewJSONLines(output.Stream(t.Context(), &text), versionFields(t, versionFieldNames+",metadata"))
				stats, err := newScan(t, cfg).Run(t.Context())
				got, want := versionTexts(t, text.String()), wantVersions(server, true)
				if !ordered {
					slices.Sort(got)
					slices.Sort(want)
				}
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%d keys of up to %d versions: %v: %d versions, want %d; not the same: %q", o.Objects, o.Versions, err,
						len(got), len(want), firstDifference(got, want))
				}
				markers := int64(strings.Count(text.String(), `"delete_marker":true`))
				if stats.Heads != stats.Listed-markers || stats.Failed+stats.Gone > 0 || o.Versions > 0 && markers == 0 {
					t.Errorf("%+v: %d HEADs, %d delete markers, %+v", o, stats.Heads, markers, stats.Outcomes)
				}
			}
		}
	})
}

// runVersionsWithKills lists or scans versions in several runs, each killed after some pages, and returns the output.
func runVersionsWithKills(
	t *testing.T, s *store.Store, cfg scan.Config, names string, rng *rand.Rand,
) (text string, inside int) {
	t.Helper()
	const runsMax = 12
	var (
		out    bytes.Buffer
		saved  = initialCheckpoint(t, cfg.Range)
		length int
	)
	for runs := 1; ; runs++ {
		ctx, cancel := context.WithCancelCause(t.Context())
		cfg.Store, cfg.CheckpointEvery = s, time.Millisecond
		sink := &killedSink{
			Sink: output.NewJSONLines(output.Stream(t.Context(), &out), versionFields(t, names)),
			kill: func() { cancel(errKilled) },
		}
		if runs < runsMax {
			sink.pages = 1 + rng.IntN(4)
		}
		cfg.Sink = sink
		cfg.OnCheckpoint = func(c *checkpoint.Checkpoint) (err error) {
			if ctx.Err() == nil { // a killed run saves nothing
				length = out.Len()
				saved, err = c.Encode()
			}
			return err
		}
		_, err := newScan(t, cfg).Run(ctx)
		cancel(nil)
		if err == nil {
			return out.String(), inside
		} else if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if cfg.Resume, err = checkpoint.Decode(saved); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(cfg.Resume.Rest, func(rng list.Range) bool { return rng.AfterVersion != "" }) {
			inside++
		}
		out.Truncate(length)
	}
}

// Runs that are killed at any page, also inside a key, and resumed, hand out each version once. So does one with a
// limit, which ends at the first versions of the listing.
func TestResumeVersions(t *testing.T) {
	t.Parallel()
	const seed = 1 // arbitrary
	inside := 0
	for n := range fewerIfShort(20) {
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		o := s3sim.Options{Objects: 1 + rng.Int64N(900), Versions: 1 + rng.Int64N(9_000)}
		if rng.IntN(2) == 0 {
			o.Shape = s3sim.Deep
		}
		server, url := simtest.Start(t, o)
		want := wantVersions(server, false)
		cfg := scan.Config{Versions: true, NoHeads: true, Ordered: rng.IntN(2) == 0, Listers: 1 + rng.IntN(5)}
		if rng.IntN(3) == 0 {
			cfg.Limit, cfg.Ordered = 1+rng.Int64N(int64(len(want))), true
			want = want[:cfg.Limit]
		}
		text, insideKey := runVersionsWithKills(t, open(t, url), cfg, versionFieldNames, rng)
		inside += insideKey
		got := versionTexts(t, text)
		if !cfg.Ordered {
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, %+v, %+v: %d versions, want %d", n, o, cfg, len(got), len(want))
		}
	}
	if inside == 0 {
		t.Error("no run was resumed inside a key")
	}
}

// A filter chooses versions. A delete marker for which it cannot be evaluated is filtered, and fails nothing.
func TestFilterVersions(t *testing.T) {
	server, url := simtest.Start(t, s3sim.Options{Objects: 400, Versions: 9})
	failing := &scan.Filter{
		Listed: func(r *scan.Record) bool { return r.Details().IsLatest },
		Whole: func(r *scan.Record) (bool, error) {
			if _, said := r.Metadata(); !said {
				return true, errors.New("no metadata were said")
			}
			return true, nil
		},
	}
	var newest, markers int64
	for i := range server.Keyspace().Len() {
		newest++
		if server.Versions(server.Keyspace().Key(i))[0].DeleteMarker {
			markers++
		}
	}
	for _, c := range []struct {
		whole               func(*scan.Record) (bool, error)
		noHeads             bool
		wantHeads, wantRows int64
	}{
		{failing.Whole, false, newest - markers, newest - markers},
		{func(r *scan.Record) (bool, error) { return r.Details().DeleteMarker, nil }, true, 0, -1},
	} {
		cfg := scan.Config{Store: open(t, url), Versions: true, NoHeads: c.noHeads, Filter: &scan.Filter{Whole: c.whole}}
		if !c.noHeads {
			cfg.Filter.Listed = failing.Listed
		}
		stats, err := newScan(t, cfg).Run(t.Context())
		if err != nil || stats.Failed > 0 || stats.Heads != c.wantHeads || c.wantRows >= 0 && stats.Emitted != c.wantRows ||
			stats.Emitted == 0 {
			t.Errorf("%v: %d HEADs, want %d; %+v, want %d", err, stats.Heads, c.wantHeads, stats.Outcomes, c.wantRows)
		}
	}
}
