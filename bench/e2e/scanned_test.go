package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"unicode/utf8"
)

// headcountBinary is the path of the built program.
type headcountBinary string

// scanned is the result of a scan.
type scanned struct {
	records  []record
	failures []failure
	stats    account
	code     int
	stdout   string
	stderr   string

	descriptors int // the largest number of open ones that was seen, on Linux
}

// record is a line of output with all members that these servers can fill.
type record struct {
	Key          *string           `json:"key"`
	KeyB64       []byte            `json:"key_b64"`
	Metadata     map[string]string `json:"metadata"`
	MetadataB64  map[string][]byte `json:"metadata_b64"`
	Size         *int              `json:"size"`
	ETag         *string           `json:"etag"`
	ContentType  *string           `json:"content_type"`
	LastModified *time.Time        `json:"last_modified"`
	StorageClass *string           `json:"storage_class"`
	Encryption   *string           `json:"encryption_status"`
	VersionID    *string           `json:"version_id"`
	IsLatest     *bool             `json:"is_latest"`
	DeleteMarker bool              `json:"delete_marker"`
	Tags         map[string]string `json:"tags"`
	Changed      bool              `json:"changed"`
	Prefix       bool              `json:"prefix"`
	MissingMeta  int               `json:"missing_meta"`
}

// failure is a line of --errors.
type failure struct {
	ETag      string `json:"etag"`
	Size      *int64 `json:"size"`
	Written   string `json:"last_modified"`
	ListedKey string `json:"listed_key"`
	ListedB64 []byte `json:"listed_key_b64"`
	Key       string `json:"key"`
	KeyB64    []byte `json:"key_b64"`
	Status    int    `json:"status"`
	Class     string `json:"class"`
	Attempts  int    `json:"attempts"`
	RequestID string `json:"request_id"`
	Error     string `json:"error"`
}

// account is the part of --stats that these tests check.
type account struct {
	Complete                                                bool
	Listed, Emitted, Filtered, Gone, Failed, Heads, Changed int
	WithoutMetadata                                         int                       `json:"without_metadata"`
	Requests, Retries                                       map[string]map[string]int // by operation and status
	Engine                                                  string
}

func (a account) balanced() bool {
	return a.Listed == a.Emitted+a.WithoutMetadata+a.Filtered+a.Gone+a.Failed
}

// scanWait ends a scan that hangs. The slowest takes three seconds on an idle machine.
const scanWait = 5 * time.Minute

// scan runs the command scan.
func (h headcountBinary) scan(t *testing.T, server *s3Server, bucket, prefix string, args ...string) scanned {
	return h.read(t, server, "scan", bucket, prefix, args...)
}

// read runs scan or list as a user would, with an environment of credentials only.
func (h headcountBinary) read(t *testing.T, server *s3Server, name, bucket, prefix string, args ...string) scanned {
	folder := t.TempDir()
	stats, failures := filepath.Join(folder, "stats.json"), filepath.Join(folder, "errors.jsonl")
	args = append([]string{
		name, "--endpoint-url", server.url, "--stats", stats, "--errors", failures, "--no-progress",
	}, args...)
	ctx, cancel := context.WithTimeout(untilDeadline(t), scanWait)
	defer cancel()
	command := exec.CommandContext(ctx, string(h), append(args, "s3://"+bucket+"/"+prefix)...)
	command.Env = environment(folder)
	if server.accessKey != "" {
		command.Env = append(command.Env, "AWS_ACCESS_KEY_ID="+server.accessKey, "AWS_SECRET_ACCESS_KEY="+server.secret)
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	peak := descriptorsOf(command.Process.Pid)
	err := command.Wait()
	descriptors := peak()
	if err != nil && (ctx.Err() != nil || !errors.As(err, new(*exec.ExitError))) {
		t.Fatalf("%v (%v)\n%s", err, context.Cause(ctx), stderr.Bytes())
	}
	got := scanned{code: command.ProcessState.ExitCode(), stderr: stderr.String(), descriptors: descriptors}
	got.stdout = stdout.String()
	got.records = readLines[record](t, stdout.Bytes())
	got.failures = readLines[failure](t, readFile(t, failures))
	if text := readFile(t, stats); text != nil {
		if err := json.Unmarshal(text, &got.stats); err != nil {
			t.Fatalf("stats: %v", err)
		}
	}
	return got
}

// descriptorsEvery is short compared with a scan, and long compared with reading the folder.
const descriptorsEvery = 20 * time.Millisecond

// descriptorsOf counts the open descriptors of a process until peak is called, which returns the largest count. It is 0
// where /proc does not exist.
func descriptorsOf(pid int) (peak func() int) {
	over, most := make(chan struct{}), make(chan int, 1)
	go func() {
		tick := time.NewTicker(descriptorsEvery)
		defer tick.Stop()
		seen := 0
		for {
			if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
				seen = max(seen, len(open))
			}
			select {
			case <-tick.C:
			case <-over:
				most <- seen
				return
			}
		}
	}()
	return func() int { close(over); return <-most }
}

// readFile returns nil if there is no file: a run that was refused leaves none.
func readFile(t *testing.T, name string) []byte {
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return text
}

// readLines reads lines of JSON that have no other members than T.
func readLines[T any](t *testing.T, text []byte) []T {
	var values []T
	if !utf8.Valid(text) {
		t.Error("the lines are not UTF-8") // the decoder would replace invalid bytes silently
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		t.Error("the last line has no end")
	}
	for line := range bytes.Lines(text) {
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		var value T
		if err := decoder.Decode(&value); err != nil {
			t.Fatalf("%v in the line %q", err, line)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			t.Fatalf("more than one value in the line %q", line)
		}
		values = append(values, value)
	}
	return values
}

// key returns the key's bytes.
func (r *record) key() string {
	if r.Key != nil {
		return *r.Key
	}
	return string(r.KeyB64)
}

// metadata returns the metadata with the bytes of all values.
func (r *record) metadata() map[string]string {
	all := maps.Clone(r.Metadata)
	for name, value := range r.MetadataB64 {
		all[name] = string(value)
	}
	return all
}

const complaintsMax = 20 // enough to see a pattern

// wantRecords compares every record with its object. With allFields the records are of --fields all, and the objects
// were put after began.
func (got scanned) wantRecords(t *testing.T, want []object, all, allFields bool, began time.Time) {
	complaints := 0
	complain := func(format string, args ...any) {
		if complaints++; complaints <= complaintsMax {
			t.Errorf(format, args...)
		}
	}
	missing := map[string]object{}
	for _, o := range want {
		if all || len(o.metadata) > 0 {
			missing[o.key] = o
		}
	}
	for i := range got.records {
		r := &got.records[i]
		o, wanted := missing[r.key()]
		if !wanted {
			complain("the record of %q is unexpected or repeated", r.key())
			continue
		}
		delete(missing, r.key())
		for _, wrong := range r.differences(o, allFields, began) {
			complain("%q: %s", r.key(), wrong)
		}
	}
	for key := range missing {
		complain("the record of %q is missing", key)
	}
	if complaints > complaintsMax {
		t.Errorf("%d further errors", complaints-complaintsMax)
	}
}

// differences describes how the record differs from o.
func (r *record) differences(o object, allFields bool, began time.Time) []string {
	var wrong []string
	check := func(right bool, format string, args ...any) {
		if !right {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	isText := utf8.ValidString(o.key)
	check((r.Key != nil) == isText && (r.KeyB64 != nil) != isText, "key and key_b64 are confused")
	check(r.Metadata != nil, "no metadata at all")
	metadata, wantMetadata := r.metadata(), normalized(o.metadata)
	check(maps.Equal(metadata, wantMetadata), "metadata %q, want %q", metadata, wantMetadata)
	for name, value := range r.MetadataB64 {
		check(!utf8.Valid(value), "%s is UTF-8 and encoded as base64", name)
	}
	if !allFields {
		check(r.Size == nil && r.ETag == nil && r.ContentType == nil &&
			r.LastModified == nil && r.StorageClass == nil && r.VersionID == nil, "unrequested fields")
		return wrong
	}
	check(r.Size != nil && *r.Size == len(o.body), "size %s, want %d", shown(r.Size), len(o.body))
	check(r.ETag != nil && *r.ETag == o.etag(), "etag %s, want %s", shown(r.ETag), o.etag())
	check(r.ContentType != nil && *r.ContentType == o.contentType,
		"content_type %s, want %s", shown(r.ContentType), o.contentType)
	// A store may round to seconds.
	earliest, latest := began.Truncate(time.Second), time.Now().Add(time.Second)
	check(r.LastModified != nil && !r.LastModified.Before(earliest) && !r.LastModified.After(latest),
		"last_modified %s, put after %s", shown(r.LastModified), began)
	return wrong
}

// shown returns the value at p as text, or "absent".
func shown[T any](p *T) string {
	if p == nil {
		return "absent"
	}
	return fmt.Sprint(*p)
}

// wantLost checks the counts and the exit code of a scan of listed keys, of which those in lost belong to no object.
func (got scanned) wantLost(t *testing.T, listed int, lost []string) {
	var failed []string
	for _, failure := range got.failures {
		if failure.Class != "lossy_key" {
			t.Errorf("%+v: want the class lossy_key", failure)
		}
		failed = append(failed, failure.Key)
	}
	slices.Sort(failed)
	if !slices.Equal(failed, lost) {
		t.Errorf("failed are %q, want %q", failed, lost)
	}
	s := got.stats
	if got.code != exitFailures || !s.Complete || !s.balanced() || s.Listed != listed || s.Failed != len(lost) {
		t.Errorf("exit %d, %+v\n%s", got.code, s, got.stderr)
	}
}

// wantComplete checks the counts and the exit code of a scan without failures, and that it sent one HEAD per object.
func (got scanned) wantComplete(t *testing.T, want []object, all bool) {
	account := account{Complete: true, Listed: len(want), Emitted: len(want), Heads: len(want), Engine: "direct"}
	for _, o := range want {
		if !all && len(o.metadata) == 0 {
			account.Emitted--
			account.WithoutMetadata++
		}
	}
	requests, retries := got.stats.Requests, got.stats.Retries
	got.stats.Requests, got.stats.Retries = nil, nil
	if fmt.Sprint(got.stats) != fmt.Sprint(account) || !got.stats.balanced() {
		t.Errorf("stats %+v, want %+v", got.stats, account)
	}
	if requests["head"]["200"] != len(want) || len(retries["head"])+len(retries["list"]) > 0 {
		t.Errorf("requests %v, retries %v; want %d HEADs with 200 and no retry", requests, retries, len(want))
	}
	if len(got.failures) > 0 || got.code != exitComplete {
		t.Errorf("exit %d, failures %v\n%s", got.code, got.failures, got.stderr)
	}
}
