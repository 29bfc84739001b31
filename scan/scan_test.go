package scan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"headcount/bench/s3sim"
	"headcount/output"
	"headcount/scan"
	"headcount/scan/list"
	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sim serves a synthetic bucket until the test ends.
func sim(t testing.TB, o s3sim.Options) (*s3sim.Server, string) {
	t.Helper()
	server, err := s3sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return server, "http://" + l.Addr().String()
}

// open opens the bucket of a sim, or of anything else at url.
func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Bucket: "demo", Endpoints: []string{url}, Isolated: true, Connections: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// most is n objects, or with -short, which the race detector slows down tenfold, a quarter of them.
func most(n int64) int64 {
	if testing.Short() {
		return n / 4
	}
	return n
}

// newScan prepares a run.
func newScan(t testing.TB, cfg scan.Config) *scan.Scan {
	t.Helper()
	s, err := scan.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// result is what a run left behind.
type result struct {
	stats  scan.Stats
	err    error
	lines  []string
	failed []*scan.ObjectError
}

// run scans with a Config of which Store, Sink and Failed are set here.
func run(ctx context.Context, t testing.TB, s *store.Store, cfg scan.Config) result {
	t.Helper()
	var (
		text   bytes.Buffer
		failed []*scan.ObjectError
	)
	fields, err := output.ParseFields("key,metadata,etag")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Store, cfg.Sink = s, output.NewLines(&text, fields)
	cfg.Failed = func(e *scan.ObjectError) error {
		failed = append(failed, e)
		return nil
	}
	stats, err := newScan(t, cfg).Run(ctx)
	if !stats.Balanced() {
		t.Errorf("the account does not balance: %+v", stats.Outcomes)
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
func key(t testing.TB, line string) string {
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
		k := key(t, line)
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
func expect(t testing.TB, server *s3sim.Server, lines []string) {
	t.Helper()
	seen := checkLines(t, server, lines)
	ks := server.Keyspace()
	for i := range ks.Len() {
		k := ks.Key(i)
		o := server.Object(k)
		if said := !o.Bare() || o.MissingMeta() > 0; said != seen[string(k)] {
			t.Fatalf("key %q: it has metadata: %v, and it was printed: %v", k, said, seen[string(k)])
		}
	}
}

func TestEveryObjectOfEveryShape(t *testing.T) {
	for _, shape := range s3sim.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			server, url := sim(t, s3sim.Options{Objects: most(3_333), Shape: shape})
			r := run(t.Context(), t, open(t, url), scan.Config{Workers: 16})
			if r.err != nil {
				t.Fatal(r.err)
			}
			expect(t, server, r.lines)
			if r.stats.Listed != most(3_333) || r.stats.Heads != most(3_333) || r.stats.Failed != 0 {
				t.Errorf("%+v", r.stats)
			}
		})
	}
}

func TestAnyNumberOfWorkersAndObjects(t *testing.T) {
	for _, objects := range []int64{0, 1, 999, 1000, 1001} {
		server, url := sim(t, s3sim.Options{Objects: objects})
		s := open(t, url)
		for _, workers := range []int{1, 3, 200} {
			r := run(t.Context(), t, s, scan.Config{Workers: workers})
			if r.err != nil || r.stats.Listed != objects {
				t.Fatalf("%d objects, %d workers: %+v, %v", objects, workers, r.stats, r.err)
			}
			expect(t, server, r.lines)
		}
	}
}

func TestAllPrintsBareObjectsToo(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 2_000})
	r := run(t.Context(), t, open(t, url), scan.Config{All: true})
	if r.err != nil || r.stats.Emitted != 2_000 || r.stats.WithoutMetadata != 0 {
		t.Fatalf("%+v, %v", r.stats, r.err)
	}
	checkLines(t, server, r.lines)
}

func TestLinesOfAPageAreInKeyOrder(t *testing.T) {
	_, url := sim(t, s3sim.Options{Objects: 1_000, Faults: []s3sim.Fault{{Kind: s3sim.Fault503Empty, Rate: 0.05}}})
	r := run(t.Context(), t, open(t, url), scan.Config{Workers: 64})
	if r.err != nil || !slices.IsSorted(r.lines) {
		t.Errorf("sorted: %v, error: %v", slices.IsSorted(r.lines), r.err)
	}
}

func TestRangeAndPrefix(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 5_000})
	ks := server.Keyspace()
	cfg := scan.Config{All: true, Range: list.Range{After: string(ks.Key(99)), Through: string(ks.Key(2_500))}}
	r := run(t.Context(), t, open(t, url), cfg)
	if r.err != nil || len(r.lines) != 2_401 {
		t.Fatalf("%d lines, %v", len(r.lines), r.err)
	}
	keys := checkLines(t, server, r.lines)
	if keys[string(ks.Key(99))] || !keys[string(ks.Key(100))] || !keys[string(ks.Key(2_500))] || keys[string(ks.Key(2_501))] {
		t.Error("the Range is (After, Through]")
	}
	prefix := string(ks.Key(1_234))
	r = run(t.Context(), t, open(t, url), scan.Config{All: true, Prefix: prefix[:len(prefix)-2]})
	if r.err != nil || len(r.lines) != 100 {
		t.Fatalf("%d lines, %v", len(r.lines), r.err)
	}
}

// Every fate that an object can meet has its Outcome, and the right objects have it.
func TestFates(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 4_000, Gone: 0.05, DeleteMarked: 0.05, Denied: 0.05, Rewritten: 0.05})
	r := run(t.Context(), t, open(t, url), scan.Config{All: true})
	if r.err != nil {
		t.Fatal(r.err)
	}
	var gone, denied, rewritten int64
	ks := server.Keyspace()
	for i := range ks.Len() {
		switch server.Fate(ks.Key(i)) {
		case s3sim.FateGone, s3sim.FateDeleteMark:
			gone++
		case s3sim.FateDenied:
			denied++
		case s3sim.FateRewritten:
			rewritten++
		}
	}
	if gone == 0 || denied == 0 || rewritten == 0 {
		t.Fatal("no such fate")
	}
	if r.stats.Gone != gone || r.stats.Failed != denied || r.stats.Changed != rewritten {
		t.Errorf("gone %d, failed %d, changed %d; want %d, %d, %d", r.stats.Gone, r.stats.Failed, r.stats.Changed, gone, denied, rewritten)
	}
	checkLines(t, server, r.lines)
	for _, line := range r.lines {
		k := []byte(key(t, line))
		if marked := strings.Contains(line, `"changed":true`); marked != (server.Fate(k) == s3sim.FateRewritten) {
			t.Errorf("changed is %v: %s", marked, line)
		}
	}
	for _, e := range r.failed {
		if server.Fate([]byte(e.Key)) != s3sim.FateDenied || e.Status != 403 || e.Class != "forbidden" || e.RequestID == "" || e.Attempts != 2 {
			t.Errorf("%+v", e)
		}
	}
	if lists := r.stats.Requests["list"]["200"]; lists > 5+400 { // for 800 refusals, two of each object
		t.Errorf("%d LISTs: the canary flies for each suspect", lists)
	}
}

// An object that always fails is given up, and the others are not held up by it, nor by it at the end.
func TestBrokenObjects(t *testing.T) {
	if testing.Short() {
		t.Skip("ten tries take their time")
	}
	server, url := sim(t, s3sim.Options{Objects: 2_000, Broken500: 0.005})
	r := run(t.Context(), t, open(t, url), scan.Config{All: true})
	if r.err != nil || r.stats.Failed == 0 {
		t.Fatalf("%+v, %v", r.stats, r.err)
	}
	checkLines(t, server, r.lines)
	for _, e := range r.failed {
		if server.Fate([]byte(e.Key)) != s3sim.FateAlways500 || e.Status != 500 || e.Class != "server_error" || e.Attempts < 10 || e.Attempts > 20 {
			t.Errorf("%+v", e)
		}
	}
}

// Each fault: the exact result, and no more requests than it takes.
func TestFaults(t *testing.T) {
	for _, kind := range s3sim.FaultKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			rate, cfg := 0.05, scan.Config{Workers: 32, Timeout: 5 * time.Second}
			switch kind {
			case s3sim.FaultHang, s3sim.FaultBytePerSecond:
				rate, cfg.Timeout = 0.01, 300*time.Millisecond
			case s3sim.FaultRefuse:
				rate = 0.005
			}
			if strings.HasPrefix(string(kind), "list-") {
				rate = 0.9
			}
			server, url := sim(t, s3sim.Options{
				Objects: most(2_000), Seed: 7, Faults: []s3sim.Fault{{Kind: kind, Rate: rate}}, RefuseFor: 200 * time.Millisecond,
			})
			r := run(t.Context(), t, open(t, url), cfg)
			if r.err != nil {
				t.Fatal(r.err)
			}
			expect(t, server, r.lines)
			if r.stats.Failed != 0 || r.stats.Gone != 0 || r.stats.Changed != 0 {
				t.Errorf("%+v", r.stats.Outcomes)
			}
			if server.Counts().Faults[kind] == 0 {
				t.Error("the fault was never played")
			}
			if r.stats.Heads > r.stats.Listed*5/4 {
				t.Errorf("%d HEADs for %d objects", r.stats.Heads, r.stats.Listed)
			}
		})
	}
}

// Each broken store: the exact result, or an error; never a short result that looks whole.
func TestQuirks(t *testing.T) {
	exact := map[s3sim.Quirk]bool{
		s3sim.StartAfterInclusive: true, s3sim.StartAfterIgnored: true, s3sim.EndsEarly: true, s3sim.KeysRepeated: true,
		s3sim.MaxKeysIgnored: true, s3sim.TokensVoid: true, s3sim.EncodingNotEchoed: true,
	}
	for _, quirk := range s3sim.Quirks() {
		for _, shape := range []s3sim.Shape{s3sim.Nasty, s3sim.Flat} {
			if testing.Short() && shape == s3sim.Flat {
				continue // Nasty has all that Flat has
			}
			for _, part := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/%v", quirk, shape, part), func(t *testing.T) {
					t.Parallel()
					objects := int64(3_600) // more than a page of a store that ignores max-keys
					if quirk == s3sim.TokensVoid {
						objects = 9_600 // more tokens than it takes until one is void
					}
					server, url := sim(t, s3sim.Options{Objects: objects, Shape: shape, Quirk: quirk})
					ks := server.Keyspace()
					cfg, from, to := scan.Config{Workers: 16, All: true}, int64(0), ks.Len()
					if part { // a listing that begins with start-after, and ends before the bucket does
						from, to = 1_200, objects-300
						cfg.Range = list.Range{After: string(ks.Key(from - 1)), Through: string(ks.Key(to - 1))}
					}
					r := run(t.Context(), t, open(t, url), cfg)
					seen := checkLines(t, server, r.lines)
					if r.err != nil {
						var broken *list.ProtocolError
						if !errors.As(r.err, &broken) {
							t.Errorf("%T: %v", r.err, r.err)
						}
						if exact[quirk] {
							t.Errorf("this store can be listed: %v", r.err)
						}
						return
					}
					for i := from; i < to; i++ {
						if k := string(ks.Key(i)); !seen[k] && r.stats.Failed == 0 {
							t.Fatalf("not printed, and nothing failed: %q", k)
						}
					}
					if int64(len(seen))+r.stats.Failed != to-from || r.stats.Gone != 0 {
						t.Errorf("%d of %d printed; %+v", len(seen), to-from, r.stats.Outcomes)
					}
					if exact[quirk] && shape == s3sim.Flat && r.stats.Failed > 0 {
						t.Errorf("%d failed, first %v", r.stats.Failed, r.failed[0])
					}
				})
			}
		}
	}
}

// What ends a run by the store's word.
func TestFatal(t *testing.T) {
	for _, c := range []struct{ code, want string }{
		{"InvalidAccessKeyId", "InvalidAccessKeyId"}, {"SignatureDoesNotMatch", "SignatureDoesNotMatch"}, {"ExpiredToken", "ExpiredToken"},
	} {
		for _, as404 := range []bool{false, true} {
			t.Run(fmt.Sprint(c.code, as404), func(t *testing.T) {
				server, url := sim(t, s3sim.Options{Objects: 100_000, RefuseHead404: as404})
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				sink := &tripSink{after: 2, trip: func() {
					if err := server.Refuse(c.code); err != nil {
						t.Error(err)
					}
				}}
				stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true}).Run(ctx)
				var refused *list.StoreError
				if !errors.As(err, &refused) || refused.Code != c.want {
					t.Fatalf("%v", err)
				}
				if stats.Gone > 0 || stats.Failed > 0 || stats.Listed == 0 || !stats.Balanced() {
					t.Errorf("%+v", stats.Outcomes)
				}
			})
		}
	}
}

// tripSink counts Records and calls trip once, after some pages.
type tripSink struct {
	mu    sync.Mutex
	pages int
	after int
	trip  func()
	err   error
}

type nullChunk struct{}

func (nullChunk) Add(*scan.Record) {}

func (s *tripSink) NewChunk() scan.Chunk { return nullChunk{} }

func (s *tripSink) Commit([]scan.Chunk) error {
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

func TestTheEndOfTheContextEndsTheRun(t *testing.T) {
	_, url := sim(t, s3sim.Options{Objects: 20_000})
	cause := errors.New("enough")
	for _, after := range []int{0, 1, 19} { // before the first page, at the first, before the last
		ctx, cancel := context.WithCancelCause(t.Context())
		if after == 0 {
			cancel(cause)
		}
		sink := &tripSink{after: after, trip: func() { cancel(cause) }}
		stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true}).Run(ctx)
		if !errors.Is(err, cause) || stats.Complete || !stats.Balanced() {
			t.Errorf("after %d pages: %+v, %v", after, stats.Outcomes, err)
		}
	}
}

func TestAnOutputThatFailsEndsTheRun(t *testing.T) {
	_, url := sim(t, s3sim.Options{Objects: 20_000})
	full := errors.New("no space")
	stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: &tripSink{after: 3, err: full}, All: true}).Run(t.Context())
	var failed *scan.OutputError
	if !errors.As(err, &failed) || !errors.Is(err, full) || stats.Listed != 2_000 {
		t.Errorf("%+v, %v: a page that was not written must not count", stats.Outcomes, err)
	}
}

// A store of which nothing is heard any more ends the run, but only after the user's patience.
func TestSilence(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 100_000})
	sink := &tripSink{after: 2, trip: func() {
		if err := server.Refuse("SlowDown"); err != nil {
			t.Error(err)
		}
	}}
	began := time.Now()
	stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true, RetryFor: 2 * time.Second}).Run(t.Context())
	var silence *scan.SilenceError
	var refused *list.StoreError // where it was a LIST whose patience ended first
	if !errors.As(err, &silence) && !errors.As(err, &refused) {
		t.Fatalf("%v", err)
	}
	if took := time.Since(began); took < 2*time.Second || took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	if stats.Failed > 0 || stats.Gone > 0 {
		t.Errorf("an outage failed objects: %+v", stats.Outcomes)
	}
}

// An outage that ends costs nothing but time.
func TestOutage(t *testing.T) {
	server, url := sim(t, s3sim.Options{Objects: 20_000})
	var once sync.Once
	ctx := t.Context()
	sink := &tripSink{after: 3, trip: func() {
		once.Do(func() {
			if err := server.Refuse("SlowDown"); err != nil {
				t.Error(err)
			}
			time.AfterFunc(time.Second, func() { _ = server.Refuse("") })
		})
	}}
	stats, err := newScan(t, scan.Config{Store: open(t, url), Sink: sink, All: true}).Run(ctx)
	if err != nil || stats.Emitted != 20_000 {
		t.Errorf("%+v, %v", stats.Outcomes, err)
	}
	if stats.Requests["head"]["503"] == 0 || stats.Heads > 20_000*5/4 {
		t.Errorf("%d HEADs, by status %v", stats.Heads, stats.Requests["head"])
	}
}

// A HEAD that is told of another region is sent there, once for the whole run.
func TestRegionIsFoundOut(t *testing.T) {
	listing := `<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>`
	empty := `<ListBucketResult></ListBucketResult>`
	server, s := signedServer(t, func(w http.ResponseWriter, r *http.Request, region string) {
		switch {
		case r.Method == http.MethodGet && r.URL.Query().Get("start-after") != "":
			fmt.Fprint(w, empty)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, listing)
		case region != "eu-west-1":
			w.Header().Set("x-amz-bucket-region", "eu-west-1")
			w.WriteHeader(http.StatusBadRequest)
		default:
			w.Header().Set("x-amz-meta-region", region)
		}
	})
	defer server.Close()
	r := run(t.Context(), t, s, scan.Config{})
	if r.err != nil || len(r.lines) != 1 || !strings.Contains(r.lines[0], "eu-west-1") || r.stats.Region != "eu-west-1" {
		t.Errorf("%v, %+v, %v", r.lines, r.stats, r.err)
	}
}
