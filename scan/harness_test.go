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

// testsAtOnce is more than the two cores of a small machine, since what most of these tests do is wait: for a retry,
// for a store that asked for it, for somebody's patience to end. With -short they are for the race detector, which
// leaves no core idle.
const parallelTests = 4

func TestMain(m *testing.M) {
	flag.Parse()
	if atOnce := flag.Lookup("test.parallel"); atOnce.Value.String() == atOnce.DefValue && !testing.Short() {
		if err := atOnce.Value.Set(strconv.Itoa(max(parallelTests, runtime.GOMAXPROCS(0)))); err != nil {
			panic(err)
		}
	}
	log.SetOutput(io.Discard) // net/http tells of every answer that nobody asked for, and here they are thousands
	goleak.VerifyTestMain(m)
}

// fronted puts a handler before a sim: what it does not answer itself goes on to the sim. It returns the handler's URL.
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
		on := r.Clone(r.Context())
		on.URL.Scheme, on.URL.Host, on.RequestURI = "http", strings.TrimPrefix(url, "http://"), ""
		response, err := transport.RoundTrip(on)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer response.Body.Close()
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body) // what is cut short the client notices
	}))
	t.Cleanup(func() { front.Close(); transport.CloseIdleConnections() })
	return server, front.URL
}

// open opens the bucket of a sim, or of anything else at these URLs.
func open(t testing.TB, urls ...string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Bucket: "demo", Endpoints: urls, Isolated: true, Connections: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// eachEngine runs a test once for each way to send HEADs, beside all other tests. What the test is given is a Config
// that says which way, and nothing else. With -short the slow twin has only TestFaults, which is not by this.
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

// eachEngineInTurn is eachEngine for a test that changes the environment, which none may beside others.
func forEachEngineSerially(t *testing.T, test func(t *testing.T, cfg scan.Config)) {
	t.Helper()
	for name, cfg := range engineConfigs() {
		t.Run(name, func(t *testing.T) { test(t, cfg) })
	}
}

// engines are the ways to send HEADs. The slow twin is among them: what a scan makes of a store must not depend on
// them.
func engineConfigs() map[string]scan.Config {
	return map[string]scan.Config{
		"direct":    {Engine: engine.Direct},
		"pipelined": {Engine: engine.Direct, Pipeline: 8},
		"sdk":       {Engine: engine.SDK},
	}
}

// most is n objects, or with -short, which the race detector slows down tenfold, a quarter of them.
func fewerIfShort(n int64) int64 {
	if testing.Short() {
		return n / 4
	}
	return n
}

// newScan prepares a run.
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

// result is what a run left behind.
type result struct {
	stats  metrics.Stats
	err    error
	lines  []string
	failed []*scan.ObjectError
}

// run scans with a Config of which Store, Sink and Failures are set here.
func run(ctx context.Context, t testing.TB, s *store.Store, cfg scan.Config) result {
	t.Helper()
	return runNamed(ctx, t, s, cfg, cfg.Engine)
}

// runNamed is run, for a run that ends with the engine of that name.
func runNamed(ctx context.Context, t testing.TB, s *store.Store, cfg scan.Config, engine string) result {
	t.Helper()
	var (
		text   bytes.Buffer
		failed []*scan.ObjectError
	)
	fields, err := field.Parse("key,metadata,etag")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Store, cfg.Sink = s, output.NewJSONLines(output.Stream(&text), fields)
	cfg.Failures = scan.FailureFunc(func(e *scan.ObjectError) error {
		failed = append(failed, e)
		return nil
	})
	stats, err := newScan(t, cfg).Run(ctx)
	if !stats.Balanced() {
		t.Errorf("the account does not balance: %+v", stats.Outcomes)
	}
	if stats.Engine != engine {
		t.Errorf("it was the engine %q, want %q", stats.Engine, engine)
	}
	var lines []string
	for line := range strings.Lines(text.String()) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	if int64(len(lines)) != stats.Emitted || int64(len(failed)) != stats.Failed {
		t.Errorf("%d lines, %d failures, and the account %+v", len(lines), len(failed), stats.Outcomes)
	}
	return result{stats, err, lines, failed}
}

// key is that of a line, from either of its forms.
func lineKey(t testing.TB, line string) string {
	t.Helper()
	var l struct {
		Key    *string `json:"key"`
		KeyB64 []byte  `json:"key_b64"`
	}
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	if l.Key != nil {
		return *l.Key
	}
	return string(l.KeyB64)
}

// checkLines holds every line against what the sim computes of its key, and against each other: each key once.
func checkLines(t testing.TB, server *s3sim.Server, lines []string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for _, line := range lines {
		k := lineKey(t, line)
		if seen[k] {
			t.Fatalf("twice: %q", k)
		}
		seen[k] = true
		if _, exists := server.Keyspace().Index([]byte(k)); !exists {
			t.Fatalf("there is no object %q", k)
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
			t.Fatalf("key %q has %v, want %v", k, l.Metadata, want)
		}
		if len(want) > 0 && l.Metadata["id"] != s3sim.ID([]byte(k)) {
			t.Fatalf("key %q has the metadata of another object", k)
		}
	}
	return seen
}

// expect holds the lines against all objects of the sim that carry metadata.
func expectAllPrinted(t testing.TB, server *s3sim.Server, lines []string) {
	t.Helper()
	seen := checkLines(t, server, lines)
	ks := server.Keyspace()
	for i := range ks.Len() {
		k := ks.Key(i)
		o := server.Object(k)
		if said := !o.WithoutMetadata() || o.MissingMeta() > 0; said != seen[string(k)] {
			t.Fatalf("key %q: it has metadata: %v, and it was printed: %v", k, said, seen[string(k)])
		}
	}
}

// unsynced is what the Sinks of these tests have in common: they keep nothing on disk.
type unsynced struct{}

func (unsynced) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (unsynced) Close() error                       { return nil }

// tripSink counts Records and calls trip once, after some pages.
type hookSink struct {
	unsynced
	mu    sync.Mutex
	pages int
	after int
	trip  func()
	err   error
}

type nullChunk struct{}

func (nullChunk) Add(*scan.Record) {}

func (s *hookSink) NewChunk() scan.Chunk { return nullChunk{} }

func (s *hookSink) Commit(*list.Page, []scan.Chunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages++; s.pages == s.after {
		if s.trip != nil {
			s.trip()
		}
		return s.err
	}
	return nil
}
