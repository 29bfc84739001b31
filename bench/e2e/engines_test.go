package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headcount/bench/pinned"
	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

// engineRuns are the ways to send HEADs. All must find the same.
func engineRuns() []corpusScan {
	return []corpusScan{
		{name: "sdk", args: []string{"--engine", "sdk"}},
		{name: "direct", args: []string{"--engine", "direct"}},
		{name: "direct", args: []string{"--engine", "direct", "--pipeline", "8"}},
	}
}

// testEngines puts the corpus without its bulk, and also objects that the server stores changed. It compares the
// engines: every byte of every line, and the counts.
func testEngines(t *testing.T, server *s3Server, headcount headcountBinary) {
	const bucket = "engines"
	var objects []object
	for _, o := range corpus() {
		if !strings.HasPrefix(o.key, "bulk/") && !strings.HasPrefix(o.key, "flat-") { // testCorpus scans those
			objects = append(objects, o)
		}
	}
	server.createBucket(t, bucket)
	for _, o := range objects {
		_ = server.putOne(t.Context(), bucket, o) // an object that the server refuses is absent
	}
	compareEngines(t, server, bucket, headcount)
}

// TestEnginesAgreeOnNastyObjects compares the engines on the Nasty shape of s3sim, with signatures.
func TestEnginesAgreeOnNastyObjects(t *testing.T) {
	headcount := headcountBinary(filepath.Join(t.TempDir(), "headcount"+pinned.ExeSuffix()))
	goBuild(t, root, string(headcount), ".")
	_, url := simtest.Start(t, s3sim.Options{
		Objects: 2_000, Shape: s3sim.Nasty, Credentials: s3sim.Credentials{AccessKey: "alice", SecretKey: "wonderland"},
		Stale: 0.01, DeleteMarked: 0.01, Denied: 0.01, Rewritten: 0.01,
	})
	compareEngines(t, newS3Server(url, "alice", "wonderland"), "demo", headcount)
}

// compareEngines scans a bucket with each engine and compares the results with those of the SDK.
func compareEngines(t *testing.T, server *s3Server, bucket string, headcount headcountBinary) {
	var reference scanned
	for i, run := range engineRuns() {
		got := headcount.scan(t, server, bucket, "", append(run.args, "--all", "--fields", "all", "--workers", "16")...)
		if got.stats.Engine != run.name || !got.stats.balanced() || !got.stats.Complete {
			t.Fatalf("%q: %+v\n%s", run.args, got.stats, got.stderr)
		}
		if i == 0 {
			reference = got
			if len(got.records) < 50 {
				t.Fatalf("only %d records to compare", len(got.records))
			}
			continue
		}
		if lines, want := sortedLines(got.stdout), sortedLines(reference.stdout); !slices.Equal(lines, want) {
			t.Errorf("%q prints other lines than the SDK: %s", run.args, firstDifference(lines, want))
		}
		if failed, want := failedKeys(got), failedKeys(reference); !slices.Equal(failed, want) {
			t.Errorf("%q fails %q, and the SDK %q", run.args, failed, want)
		}
		a, b := got.stats, reference.stats
		if a.Listed != b.Listed || a.Emitted != b.Emitted || a.WithoutMetadata != b.WithoutMetadata ||
			a.Gone != b.Gone || a.Changed != b.Changed {
			t.Errorf("%q counts %+v, and the SDK %+v", run.args, a, b)
		}
	}
}

func sortedLines(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return lines
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return "\n" + got[i] + want[i]
		}
	}
	return "one has more lines"
}

// failedKeys returns the keys of the objects that failed, each with its class.
func failedKeys(s scanned) []string {
	var keys []string
	for _, f := range s.failures {
		keys = append(keys, f.Key+string(f.KeyB64)+": "+f.Class)
	}
	slices.Sort(keys)
	return keys
}
