//go:build unix

package cli

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/bench/scripttest"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
	"headcount/scan/metrics"
)

const killsDefault = 20

// kills is how often TestKilled kills each run. The kept runs have 500.
var kills = flag.Int("kills", killsDefault, "how often TestKilled kills each run")

// killedOptions returns a bucket whose scan takes some seconds, with objects of each outcome. With -short the bucket is
// smaller and slower: the race detector makes an object ten times as costly.
func killedOptions() s3sim.Options {
	o := s3sim.Options{
		Objects: 20_000, Shape: s3sim.Nasty, XMLSafe: true, Latency: 5 * time.Millisecond, DeleteMarked: 0.002, Denied: 0.002,
	}
	if testing.Short() {
		o.Objects, o.Latency = o.Objects/2, 2*o.Latency
	}
	return o
}

// resumed runs one command again and again, with --resume.
type resumed struct {
	t    *testing.T
	dir  string
	args []string
	env  []string
	log  bytes.Buffer

	stdout io.Writer // of the next start

	unlisted int64 // keys that are asked for, and that the server does not have
}

func newResumed(t *testing.T, url, output string) *resumed {
	t.Helper()
	r := &resumed{t: t, dir: t.TempDir()}
	r.args = []string{
		"scan", "--no-sign-request", "--endpoint-url", url, "--workers", "32", "--output", output,
		"--checkpoint", "checkpoint", "--resume", "--checkpoint-every", "40ms",
		"--errors", "errors", "--stats", "stats", "s3://demo",
	}
	r.env = environ(t)
	return r
}

func (r *resumed) start() *exec.Cmd {
	r.t.Helper()
	c := exec.CommandContext(r.t.Context(), "headcount", r.args...)
	c.Dir, c.Env, c.Stdout, c.Stderr = r.dir, r.env, r.stdout, &r.log
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

// records returns the uncompressed content of an output file.
func (r *resumed) records(name string) string {
	r.t.Helper()
	return r.linesOf(name, r.read(name))
}

// linesOf returns the records in the content of a file with a name, as lines of JSON.
func (r *resumed) linesOf(name string, content []byte) string {
	r.t.Helper()
	var in io.Reader = bytes.NewReader(content)
	var err error
	switch filepath.Ext(name) {
	case ".parquet":
		var lines []byte
		lines, err = scripttest.ParquetLines(content)
		in = bytes.NewReader(lines)
	case ".csv":
		in, err = csvLines(content)
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

// csvLines returns the rows of a CSV with one header as lines of JSON.
func csvLines(file []byte) (io.Reader, error) {
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	var lines bytes.Buffer
	for i, row := range rows {
		if isHeader := row[0] == "key" && row[1] == "metadata"; isHeader != (i == 0) {
			return nil, fmt.Errorf("row %d: %q", i, row)
		}
		if i > 0 {
			line, encodeErr := json.Marshal(map[string]any{"key": row[0], "metadata": json.RawMessage(row[1])})
			lines.Write(append(line, '\n'))
			err = cmp.Or(err, encodeErr)
		}
	}
	return &lines, err
}

// keysOf returns the keys of lines, and the lines. Each line must be whole.
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

// expectOnce compares records and failures with the objects of the server: each object once, with its own metadata.
func (r *resumed) expectOnce(server *s3sim.Server, output string) {
	r.t.Helper()
	keys, lines := keysOf(r.t, r.records(output))
	printed := map[string]bool{}
	for i, key := range keys {
		want := server.Object([]byte(key)).Metadata()
		got, _ := lines[i]["metadata"].(map[string]any)
		if id, ok := got["id"]; printed[key] || ok && id != want["id"] || ok != (len(want) > 0) {
			r.t.Fatalf("%q is printed twice, or with the metadata of another object: %v", key, lines[i])
		}
		printed[key] = true
	}
	failed := map[string]bool{}
	failures, _ := keysOf(r.t, string(r.read("errors")))
	for _, key := range failures {
		if failed[key] || server.HeadState([]byte(key)) != s3sim.HeadDenied {
			r.t.Fatalf("%q failed twice, or should not have failed", key)
		}
		failed[key] = true
	}
	ks := server.Keyspace()
	for i := range ks.Len() {
		key := ks.Key(i)
		o, state := server.Object(key), server.HeadState(key)
		if want := state == s3sim.HeadOK && (!o.WithoutMetadata() || o.MissingMeta() > 0); want != printed[string(key)] {
			r.t.Fatalf("%q, state %v: printed %v", key, state, !want)
		}
		if want := state == s3sim.HeadDenied; want != failed[string(key)] {
			r.t.Fatalf("%q, state %v: failed %v", key, state, !want)
		}
	}
	var stats metrics.Stats
	if err := json.Unmarshal(r.read("stats"), &stats); err != nil || !stats.Complete || stats.Listed != ks.Len()+r.unlisted ||
		stats.Emitted != int64(len(keys)) || stats.Failed != int64(len(failures)) || !stats.Balanced() {
		r.t.Errorf("%d records, %d failures, and the statistics %+v, %v", len(keys), len(failures), stats.Outcomes, err)
	}
}

// A scan may be killed at any time and as often as one likes: when it is complete, the file has each record once.
func TestKilled(t *testing.T) {
	for _, output := range []string{"o.jsonl", "o.jsonl.zst", "o.jsonl.gz", "o.csv", "o.parquet"} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			server, url := simtest.Start(t, killedOptions())
			seed := rand.Uint64()
			rng := rand.New(rand.NewPCG(seed, 1))
			t.Logf("seed %d", seed)
			most := *kills
			if testing.Short() { // for the race detector
				most = min(most, 2)
			}
			switch {
			case output == "o.jsonl.gz":
				most = max(1, most/4) // only the library differs from .zst
			case output == "o.csv" || output == "o.parquet":
				if *kills == killsDefault {
					most = min(most, 5) // package output tests the header, and the parts
				}
			}
			for killed := 0; killed < most; {
				r := newResumed(t, url, output)
				for code := -1; code == -1; {
					c := r.start()
					if killed < most {
						after := time.Duration(rng.Int64N(int64(500 * time.Millisecond)))
						timer := time.AfterFunc(after, func() { _ = c.Process.Kill() })
						defer timer.Stop()
					}
					_ = c.Wait() // ProcessState has the exit code
					if code = c.ProcessState.ExitCode(); code == -1 {
						killed++
					}
					r.expectWhole(output)
					if code != -1 && code != exit.Failures {
						t.Fatalf("exit code %d after %d kills\n%s", code, killed, r.log.String())
					}
				}
				r.expectOnce(server, output)
			}
		})
	}
}

// A scan of named keys may be killed as often as a scan of a bucket: each key has one record, one failure, or one line
// of --missing.
func TestKilledWithKeys(t *testing.T) {
	o := killedOptions()
	o.Objects, o.DeleteMarked = 6_000, 0.0005
	for _, output := range []string{"o.jsonl", "o.parquet"} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			server, url := simtest.Start(t, o)
			most := *kills / 5
			if testing.Short() {
				most = min(most, 2)
			}
			for killed := 0; killed < most; {
				r := newResumed(t, url, output)
				r.args = append(r.args[:len(r.args)-1], "--keys", "keys.zst", "--missing", "missing", "s3://demo")
				r.writeKeys(server, "keys.zst", "none/1", "none/2")
				for code := -1; code == -1; {
					c := r.start()
					if killed < most {
						timer := time.AfterFunc(rand.N(400*time.Millisecond), func() { _ = c.Process.Kill() })
						defer timer.Stop()
					}
					_ = c.Wait() // ProcessState has the exit code
					if code = c.ProcessState.ExitCode(); code == -1 {
						killed++
					} else if code != exit.Failures {
						t.Fatalf("exit code %d after %d kills\n%s", code, killed, r.log.String())
					}
				}
				r.expectOnce(server, output)
				r.expectMissing(server, "none/1", "none/2")
			}
		})
	}
}

// expectMissing compares the file of --missing with the keys that a server does not have, and those of others.
func (r *resumed) expectMissing(server *s3sim.Server, others ...string) {
	r.t.Helper()
	for i := range server.Keyspace().Len() {
		if key := server.Keyspace().Key(i); server.HeadState(key) == s3sim.HeadDeleteMarked {
			others = append(others, string(key))
		}
	}
	slices.Sort(others)
	missing, _ := keysOf(r.t, string(r.read("missing")))
	slices.Sort(missing)
	if !slices.Equal(missing, others) {
		r.t.Errorf("missing: %q, want %q", missing, others)
	}
}

// A scan of versions may be killed as often, also inside a key of many versions: each version, and each delete marker,
// has one record with its own metadata.
func TestKilledWithVersions(t *testing.T) {
	t.Parallel()
	server, url := simtest.Start(t, s3sim.Options{Objects: 300, Versions: 2_200, Latency: 5 * time.Millisecond})
	want := map[string]string{} // the ID in the metadata, by the key and the version
	ks := server.Keyspace()
	for i := range ks.Len() {
		for _, v := range server.Versions(ks.Key(i)) {
			want[string(ks.Key(i))+"@"+v.ID] = v.Metadata()["id"]
			if v.DeleteMarker {
				want[string(ks.Key(i))+"@"+v.ID] = "delete marker"
			}
		}
	}
	most := *kills / 4
	if testing.Short() {
		most = min(most, 2)
	}
	for killed := 0; killed < most; {
		r := newResumed(t, url, "o.jsonl")
		r.args = append(r.args[:len(r.args)-1], "--all-versions", "--all", "s3://demo")
		for code := -1; code == -1; {
			c := r.start()
			if killed < most {
				timer := time.AfterFunc(rand.N(500*time.Millisecond), func() { _ = c.Process.Kill() })
				defer timer.Stop()
			}
			_ = c.Wait() // ProcessState has the exit code
			if code = c.ProcessState.ExitCode(); code == -1 {
				killed++
			} else if code != 0 {
				t.Fatalf("exit code %d after %d kills\n%s", code, killed, r.log.String())
			}
		}
		got := map[string]bool{}
		_, lines := keysOf(t, r.records("o.jsonl"))
		for _, line := range lines {
			name := fmt.Sprintf("%v@%v", line["key"], line["version_id"])
			metadata, _ := line["metadata"].(map[string]any)
			id, _ := metadata["id"].(string)
			if line["delete_marker"] == true && metadata == nil {
				id = "delete marker"
			}
			if wantID, exists := want[name]; got[name] || !exists || id != wantID {
				t.Fatalf("%s is printed twice, or as another version: %v, want the ID %q", name, line, wantID)
			}
			got[name] = true
		}
		if len(got) != len(want) {
			t.Fatalf("%d versions, want %d\n%s", len(got), len(want), r.log.String())
		}
	}
}

// writeKeys writes the keys of a server, in an order of their own and with others, to a file of JSON lines.
func (r *resumed) writeKeys(server *s3sim.Server, name string, others ...string) {
	r.t.Helper()
	ks := server.Keyspace()
	for i := range ks.Len() {
		others = append(others, string(ks.Key(i)))
	}
	rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	var text bytes.Buffer
	w, err := zstd.NewWriter(&text)
	if err != nil {
		r.t.Fatal(err)
	}
	lines := json.NewEncoder(w)
	for _, key := range others {
		if err := lines.Encode(map[string]any{"key": key}); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, name), text.Bytes(), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.unlisted = int64(len(others)) - ks.Len()
}

// A run that starts over, without --resume, may be killed at any time too. Until it begins to write, the files are
// those of the run before; from then on, it can be resumed.
func TestKilledStartsOver(t *testing.T) {
	t.Parallel()
	o := killedOptions()
	o.Objects, o.Latency = 4_000, 2*time.Millisecond
	server, url := simtest.Start(t, o)
	other, otherURL := simtest.Start(t, s3sim.Options{Objects: 3_000})
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	for range rounds {
		r := newResumed(t, url, "o.jsonl")
		earlier := *r
		earlier.args = slices.Clone(r.args)
		earlier.args[slices.Index(r.args, url)] = otherURL
		c := earlier.start()
		if err := c.Wait(); err != nil { // every object of this store has its record
			t.Fatalf("%v\n%s", err, earlier.log.String())
		}
		before, checkpointBefore := r.read("o.jsonl"), r.read("checkpoint")
		startsOver := *r
		startsOver.args = slices.DeleteFunc(slices.Clone(r.args), func(arg string) bool { return arg == "--resume" })
		c = startsOver.start()
		time.AfterFunc(time.Duration(rand.Int64N(int64(200*time.Millisecond))), func() { _ = c.Process.Kill() })
		_ = c.Wait() // it may have been complete before
		if bytes.Equal(r.read("checkpoint"), checkpointBefore) {
			if !bytes.Equal(r.read("o.jsonl"), before) {
				t.Error("the output has changed, and the checkpoint has not")
			}
			earlier.completeWith(exit.Complete)
			earlier.expectOnce(other, "o.jsonl")
			continue
		}
		r.complete()
		r.expectOnce(server, "o.jsonl")
	}
}

// expectWhole compares a checkpoint with the output file. Up to the position of the checkpoint, the file has whole
// lines, and no key of a range that is still to be scanned.
func (r *resumed) expectWhole(output string) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "checkpoint"))
	if os.IsNotExist(err) {
		return // the run was killed before its first checkpoint
	}
	at, err := checkpoint.Decode(text)
	if err != nil {
		r.t.Fatal(err)
	}
	if ext := filepath.Ext(output); ext != ".jsonl" && ext != ".csv" {
		return
	}
	keys, _ := keysOf(r.t, r.linesOf(output, r.read(output)[:at.Positions["output"].Bytes]))
	if int64(len(keys)) != at.Stats.Emitted {
		r.t.Fatalf("%d records, and the checkpoint says %d", len(keys), at.Stats.Emitted)
	}
	for _, key := range keys {
		for _, rest := range at.Rest {
			if rest.Contains(key) {
				r.t.Fatalf("%q is printed, and the range %v would print it again", key, fmt.Sprint(rest))
			}
		}
	}
}

// begun waits for a checkpoint with progress.
func (r *resumed) begun() {
	r.t.Helper()
	for deadline := time.Now().Add(hangs); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(filepath.Join(r.dir, "checkpoint")) // there may be no checkpoint yet
		if at, err := checkpoint.Decode(text); err == nil && at.Stats.Listed > 0 {
			return
		}
	}
	r.t.Fatalf("there is no progress\n%s", r.log.String())
}

// complete runs the command to its end, with some failed objects.
func (r *resumed) complete() {
	r.t.Helper()
	r.completeWith(exit.Failures)
}

func (r *resumed) completeWith(want int) {
	r.t.Helper()
	c := r.start()
	_ = c.Wait() // ProcessState has the exit code
	if code := c.ProcessState.ExitCode(); code != want {
		r.t.Fatalf("exit code %d\n%s", code, r.log.String())
	}
}

// A signal leaves a run that can be resumed, and loses no committed page.
func TestStoppedIsResumable(t *testing.T) {
	server, url := simtest.Start(t, killedOptions())
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: exit.Interrupt, syscall.SIGTERM: exit.Terminate} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			r := newResumed(t, url, "o.jsonl")
			c := r.start()
			r.begun()
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait() // ProcessState has the exit code
			if code := c.ProcessState.ExitCode(); code != want {
				t.Fatalf("exit code %d, want %d\n%s", code, want, r.log.String())
			}
			const hint = "resumable: the same command with --resume continues from checkpoint"
			if !strings.Contains(r.log.String(), hint) {
				t.Errorf("%s", r.log.String())
			}
			r.expectWhole("o.jsonl")
			at, err := checkpoint.Decode(r.read("checkpoint"))
			size := int64(len(r.read("o.jsonl")))
			if position := at.Positions["output"].Bytes; err != nil || size != position || at.Stats.Error == "" {
				t.Errorf("the checkpoint has %d bytes of %d; %v, %s", position, size, err, at.Stats.Error)
			}
			r.complete()
			r.expectOnce(server, "o.jsonl")
		})
	}
}

// Standard output may have a record twice. It lacks only records that were in the pipe when the reader closed it.
func TestClosedPipeIsResumable(t *testing.T) {
	server, url := simtest.Start(t, killedOptions())
	r := newResumed(t, url, "-")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.stdout = writer
	c := r.start()
	writer.Close()
	first, err := io.ReadAll(io.LimitReader(reader, 100_000))
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	_ = c.Wait() // ProcessState has the exit code
	if code := c.ProcessState.ExitCode(); code != exit.Pipe {
		t.Fatalf("exit code %d\n%s", code, r.log.String())
	}
	var second bytes.Buffer
	r.stdout = &second
	r.complete()
	first = first[:bytes.LastIndexByte(first, '\n')+1] // the reader may have cut a line
	keys, _ := keysOf(t, string(first)+second.String())
	printed := map[string]bool{}
	for _, key := range keys {
		printed[key] = true
	}
	const pipeMax = (64 << 10) / 40 // records of the shortest kind in a pipe
	ks, missing := server.Keyspace(), 0
	for i := range ks.Len() {
		key := ks.Key(i)
		o := server.Object(key)
		want := server.HeadState(key) == s3sim.HeadOK && (!o.WithoutMetadata() || o.MissingMeta() > 0)
		switch is := printed[string(key)]; {
		case want && !is:
			missing++
		case is && !want:
			t.Fatalf("%q is printed", key)
		}
	}
	if missing > pipeMax || len(keys) < 1000 {
		t.Errorf("%d records are missing, of %d", missing, len(keys))
	}
}

// A full disk ends a run with an exit code of its own. With free space the run continues.
func TestFullDiskIsResumable(t *testing.T) {
	// A file system of that many KiB if the user may mount one, and otherwise a limit on the size of files.
	const script = `
		if [ "$1" = tmpfs ]; then mount -t tmpfs -o size=${2}k tmpfs full || exit 99; else ulimit -f $(($2 * 2)); fi
		shift 2
		headcount "$@"; code=$?
		[ $code = 5 ] || exit $code
		if mountpoint -q full; then mount -o remount,size=64m full; cp full/* .; fi
		exit 5`
	for output, kib := range map[string]string{"o.jsonl": "1024", "o.jsonl.zst": "256"} { // some pages
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			o := killedOptions()
			o.Objects, o.Latency = 15_000, 0
			server, url := simtest.Start(t, o)
			r := newResumed(t, url, "full/"+output)
			r.args = append(r.args, "--fields", "all") // many bytes
			if err := os.Mkdir(filepath.Join(r.dir, "full"), 0o777); err != nil {
				t.Fatal(err)
			}
			var code int
			for _, way := range [][]string{
				{"unshare", "-rm", "sh", "-c", script, "sh", "tmpfs", kib}, {"sh", "-c", script, "sh", "limit", kib},
			} {
				c := exec.CommandContext(t.Context(), way[0], append(way[1:], r.args...)...)
				c.Dir, c.Env, c.Stderr = r.dir, r.env, &r.log
				_ = c.Run() // ProcessState has the exit code
				if code = c.ProcessState.ExitCode(); code == exit.Output {
					break
				}
			}
			if code != exit.Output {
				t.Fatalf("exit code %d\n%s", code, r.log.String())
			}
			if _, err := os.Stat(filepath.Join(r.dir, output)); err == nil { // the content of the mounted file system
				if err := os.Rename(filepath.Join(r.dir, output), filepath.Join(r.dir, "full", output)); err != nil {
					t.Fatal(err)
				}
			}
			at, err := checkpoint.Decode(r.read("checkpoint"))
			if err != nil || at.Stats.Listed == 0 {
				t.Errorf("there is no progress: %+v, %v", at, err)
			}
			r.complete()
			r.expectOnce(server, "full/"+output)
		})
	}
}
