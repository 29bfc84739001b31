package scan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/output"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/field"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// parallelTests is the default of -parallel. It exceeds the two cores of a small machine because most of these tests
// wait: for a retry, for a Retry-After, or for a timeout. With -short the default of the go command applies, since the
// race detector keeps all cores busy.
const parallelTests = 4

func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue && !testing.Short() {
		if err := parallel.Value.Set(strconv.Itoa(max(parallelTests, runtime.GOMAXPROCS(0)))); err != nil {
			panic(err)
		}
	}
	log.SetOutput(io.Discard) // net/http logs each unsolicited response, and these tests cause thousands
	goleak.VerifyTestMain(m)
}

// startWithHandler starts a sim behind an HTTP handler, and returns the sim and the handler's URL. The handler forwards
// a request to the sim if answer returns false.
func startWithHandler(
	t *testing.T,
	o s3sim.Options,
	answer func(w http.ResponseWriter, r *http.Request) bool,
) (*s3sim.Server, string) {
	t.Helper()
	server, url := simtest.Start(t, o)
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer(w, r) {
			return
		}
		forwarded := r.Clone(r.Context())
		forwarded.URL.Scheme, forwarded.URL.Host, forwarded.RequestURI = "http", strings.TrimPrefix(url, "http://"), ""
		response, err := transport.RoundTrip(forwarded)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer response.Body.Close()
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body) // the client notices a truncated body
	}))
	t.Cleanup(func() { front.Close(); transport.CloseIdleConnections() })
	return server, front.URL
}

// open opens the bucket "demo" at these endpoints. The test closes it.
func open(t testing.TB, urls ...string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Bucket: "demo", Endpoints: urls, Isolated: true, Connections: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// forEachEngine runs a test in parallel for each engine, with a Config that sets only the engine. With -short it omits
// the SDK, the slow reference; TestFaults covers the SDK with -short too, without forEachEngine.
func forEachEngine(t *testing.T, test func(t *testing.T, cfg scan.Config)) {
	t.Helper()
	t.Parallel()
	for name, cfg := range engineConfigs() {
		if testing.Short() && cfg.Engine == engine.SDK {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, cfg)
		})
	}
}

// forEachEngineSerially runs a test for each engine, one after the other. It is for tests that set environment
// variables, which the testing package forbids in parallel tests.
func forEachEngineSerially(t *testing.T, test func(t *testing.T, cfg scan.Config)) {
	t.Helper()
	for name, cfg := range engineConfigs() {
		t.Run(name, func(t *testing.T) { test(t, cfg) })
	}
}

// engineConfigs returns a Config for each way to send HEADs. The slow reference, the SDK, is included: a scan's result
// must not depend on the engine.
func engineConfigs() map[string]scan.Config {
	return map[string]scan.Config{
		"direct":    {Engine: engine.Direct},
		"pipelined": {Engine: engine.Direct, Pipeline: 8},
		"sdk":       {Engine: engine.SDK},
	}
}

// fewerIfShort returns n, or a quarter of n with -short: the race detector makes a test about ten times as slow.
func fewerIfShort(n int64) int64 {
	if testing.Short() {
		return n / 4
	}
	return n
}

// newScan returns a Scan with four listers unless cfg sets another number.
func newScan(t testing.TB, cfg scan.Config) *scan.Scan {
	t.Helper()
	if cfg.Listers == 0 {
		cfg.Listers = 4
	}
	s, err := scan.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// result is the outcome of a run.
type result struct {
	stats  metrics.Stats
	err    error
	lines  []string // of the output, without newlines
	failed []*scan.ObjectError
}

// run scans a store. It sets Store, Sink and Failures of cfg, and checks that the outcomes add up.
func run(ctx context.Context, t testing.TB, s *store.Store, cfg scan.Config) result {
	t.Helper()
	return runNamed(ctx, t, s, cfg, cfg.Engine)
}

// runNamed does the same as run, and expects Stats.Engine to be engine.
func runNamed(ctx context.Context, t testing.TB, s *store.Store, cfg scan.Config, engine string) result {
	t.Helper()
	var (
		text   bytes.Buffer
		failed []*scan.ObjectError
	)
	cfg.Store, cfg.Sink = s, output.NewJSONLines(output.Stream(t.Context(), &text), fieldsOf(t, &cfg))
	cfg.Failures = scan.FailureFunc(func(e *scan.ObjectError) error {
		failed = append(failed, e)
		return nil
	})
	stats, err := newScan(t, cfg).Run(ctx)
	if !stats.Balanced() {
		t.Errorf("the outcomes do not add up: %+v", stats.Outcomes)
	}
	if stats.Engine != engine {
		t.Errorf("got engine %q, want %q", stats.Engine, engine)
	}
	var lines []string
	for line := range strings.Lines(text.String()) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	if int64(len(lines)) != stats.Emitted || int64(len(failed)) != stats.Failed {
		t.Errorf("got %d lines and %d failures, want those of %+v", len(lines), len(failed), stats.Outcomes)
	}
	return result{stats, err, lines, failed}
}

// fieldsOf returns the Fields that the tests print.
func fieldsOf(t testing.TB, cfg *scan.Config) []field.Field {
	t.Helper()
	names := "key,metadata,etag"
	for _, kind := range cfg.Lookups {
		names += "," + kind.String()
	}
	fields, err := field.Parse(names)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// lineKey returns the key of an output line, decoded from "key" or "key_b64".
func lineKey(t testing.TB, line string) string {
	t.Helper()
	var l struct {
		Key    *string `json:"key"`
		KeyB64 []byte  `json:"key_b64"`
	}
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		t.Fatalf("parse line %s: %v", line, err)
	}
	if l.Key != nil {
		return *l.Key
	}
	return string(l.KeyB64)
}

// checkLines checks that each key occurs once, and that each line has the metadata that the sim computes for its key.
// It returns the keys.
func checkLines(t testing.TB, server *s3sim.Server, lines []string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for _, line := range lines {
		k := lineKey(t, line)
		if seen[k] {
			t.Fatalf("key %q is printed twice", k)
		}
		seen[k] = true
		if _, exists := server.Keyspace().Index([]byte(k)); !exists {
			t.Fatalf("got key %q, and no object has this key", k)
		}
		var l struct {
			Metadata    map[string]string `json:"metadata"`
			MetadataB64 map[string][]byte `json:"metadata_b64"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		want := server.Object([]byte(k)).Metadata()
		for name, value := range l.MetadataB64 {
			l.Metadata[name] = string(value)
		}
		if fmt.Sprint(l.Metadata) != fmt.Sprint(want) {
			t.Fatalf("key %q: got metadata %v, want %v", k, l.Metadata, want)
		}
		if len(want) > 0 && l.Metadata["id"] != s3sim.ID([]byte(k)) {
			t.Fatalf("key %q: got the metadata of another object", k)
		}
	}
	return seen
}

// expectAllPrinted checks that the lines are those of all objects of the sim that have metadata, and of no others.
func expectAllPrinted(t testing.TB, server *s3sim.Server, lines []string) {
	t.Helper()
	seen := checkLines(t, server, lines)
	ks := server.Keyspace()
	for i := range ks.Len() {
		k := ks.Key(i)
		o := server.Object(k)
		if want := !o.WithoutMetadata() || o.MissingMeta() > 0; want != seen[string(k)] {
			t.Fatalf("key %q: printed: got %v, want %v", k, seen[string(k)], want)
		}
	}
}

// unsynced implements Sync and Close for Sinks that write nothing to disk.
type unsynced struct{}

func (unsynced) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (unsynced) Close() error                       { return nil }

// hookSink discards all Records. At the atPage-th Commit, counted from 1, it calls hook unless that is nil, and returns
// err.
type hookSink struct {
	unsynced
	mu     sync.Mutex
	pages  int // that were committed
	atPage int
	hook   func()
	err    error
}

type nullChunk struct{}

func (nullChunk) Add(*scan.Record) {}

func (s *hookSink) NewChunk() scan.Chunk { return nullChunk{} }

func (s *hookSink) Commit(*list.Page, []scan.Chunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages++; s.pages == s.atPage {
		if s.hook != nil {
			s.hook()
		}
		return s.err
	}
	return nil
}
