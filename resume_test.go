//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
)

// kills is how often TestKilled kills. Kept runs are of 500.
var kills = flag.Int("kills", 20, "how often each run of TestKilled is killed")

// killedOptions are of a bucket whose scan takes some seconds, with objects of each Outcome.
var killedOptions = s3sim.Options{Objects: 30_000, Shape: s3sim.Nasty, XMLSafe: true, Latency: 5 * time.Millisecond, Gone: 0.01, Denied: 0.01}

// resumed runs one command again and again.
type resumed struct {
	t    *testing.T
	dir  string
	args []string
	env  []string
	log  bytes.Buffer
}

func newResumed(t *testing.T, url, output string) *resumed {
	t.Helper()
	r := &resumed{t: t, dir: t.TempDir()}
	r.args = []string{
		"scan", "--no-sign-request", "--endpoint-url", url, "--workers", "32", "--output", output, "--checkpoint", "checkpoint", "--resume",
		"--checkpoint-every", "40ms", "--errors", "errors", "--stats", "stats", "s3://demo",
	}
	r.env = os.Environ()
	for name, value := range awsNothing(r.dir) {
		r.env = append(r.env, name+"="+value)
	}
	return r
}

func (r *resumed) start() *exec.Cmd {
	r.t.Helper()
	c := exec.CommandContext(r.t.Context(), "headcount", r.args...)
	c.Dir, c.Env, c.Stderr = r.dir, r.env, &r.log
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *resumed) read(name string) []byte {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatalf("%v\n%s", err, r.log.String())
	}
	return text
}

// records is what an output file holds, unpacked.
func (r *resumed) records(name string) string {
	r.t.Helper()
	var in io.Reader = bytes.NewReader(r.read(name))
	var err error
	switch filepath.Ext(name) {
	case ".gz":
		in, err = gzip.NewReader(in)
	case ".zst":
		in, err = zstd.NewReader(in)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// keysOf are the keys of lines, each of which must be whole.
func keysOf(t *testing.T, text string) (keys []string, lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%v: %q", err, line)
		}
		key, ok := l["key"].(string)
		if !ok {
			t.Fatalf("no key: %q", line)
		}
		keys, lines = append(keys, key), append(lines, l)
	}
	return keys, lines
}

// expectOnce holds records and failures against what the server has: each once, with its own metadata.
func (r *resumed) expectOnce(server *s3sim.Server, output string) {
	r.t.Helper()
	keys, lines := keysOf(r.t, r.records(output))
	printed := map[string]bool{}
	for i, key := range keys {
		want := server.Object([]byte(key)).Metadata()
		got, _ := lines[i]["metadata"].(map[string]any)
		if id, ok := got["id"]; printed[key] || ok && id != want["id"] || ok != (len(want) > 0) {
			r.t.Fatalf("%q is there twice, or with another object's metadata: %v", key, lines[i])
		}
		printed[key] = true
	}
	failed := map[string]bool{}
	failures, _ := keysOf(r.t, string(r.read("errors")))
	for _, key := range failures {
		if failed[key] || server.Fate([]byte(key)) != s3sim.FateDenied {
			r.t.Fatalf("%q failed twice, or not", key)
		}
		failed[key] = true
	}
	ks := server.Keyspace()
	for i := range ks.Len() {
		key := ks.Key(i)
		o, fate := server.Object(key), server.Fate(key)
		if want := fate == s3sim.Fine && (!o.Bare() || o.MissingMeta() > 0); want != printed[string(key)] {
			r.t.Fatalf("%q, fate %v: printed %v", key, fate, !want)
		}
		if want := fate == s3sim.FateDenied; want != failed[string(key)] {
			r.t.Fatalf("%q, fate %v: failed %v", key, fate, !want)
		}
	}
	var stats scan.Stats
	if err := json.Unmarshal(r.read("stats"), &stats); err != nil || !stats.Complete || stats.Listed != ks.Len() ||
		stats.Emitted != int64(len(keys)) || stats.Failed != int64(len(failures)) || !stats.Balanced() {
		r.t.Errorf("%d records, %d failures, and the account %+v, %v", len(keys), len(failures), stats.Outcomes, err)
	}
}

// However often a scan is killed, in the end each record is in the file once.
func TestKilled(t *testing.T) {
	for _, output := range []string{"o.jsonl", "o.jsonl.zst", "o.jsonl.gz"} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			server, url := simtest.Start(t, killedOptions)
			seed := rand.Uint64()
			rng := rand.New(rand.NewPCG(seed, 1))
			t.Logf("seed %d", seed)
			for killed := 0; killed < *kills; {
				r := newResumed(t, url, output)
				for code := -1; code == -1; {
					c := r.start()
					if killed < *kills {
						timer := time.AfterFunc(time.Duration(rng.Int64N(int64(500*time.Millisecond))), func() { _ = c.Process.Kill() })
						defer timer.Stop()
					}
					_ = c.Wait() // the exit code tells
					if code = c.ProcessState.ExitCode(); code == -1 {
						killed++
					}
					r.expectWhole(output)
					if code != -1 && code != exitFailures {
						t.Fatalf("exit code %d after %d kills\n%s", code, killed, r.log.String())
					}
				}
				r.expectOnce(server, output)
			}
		})
	}
}

// expectWhole holds a checkpoint against the file that it speaks of: up to its position that is whole, and nothing in it is of a Range that is
// still to be scanned.
func (r *resumed) expectWhole(output string) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "checkpoint"))
	if os.IsNotExist(err) {
		return // killed before anything was done
	}
	at, err := scan.DecodeCheckpoint(text)
	if err != nil {
		r.t.Fatal(err)
	}
	if filepath.Ext(output) != ".jsonl" {
		return
	}
	keys, _ := keysOf(r.t, string(r.read(output)[:at.Positions["output"].Bytes]))
	if int64(len(keys)) != at.Stats.Emitted {
		r.t.Fatalf("%d records, and the checkpoint says %d", len(keys), at.Stats.Emitted)
	}
	for _, key := range keys {
		for _, rest := range at.Rest {
			if rest.Contains(key) {
				r.t.Fatalf("%q is there, and would come again with %v", key, fmt.Sprint(rest))
			}
		}
	}
}
