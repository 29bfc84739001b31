package scan_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// runListed scans with the engine list, and expects Stats.Engine to be name at the end of the run. A run whose listing
// has no metadata changes its engine.
func runListed(t *testing.T, url string, cfg scan.Config, name string) result {
	t.Helper()
	cfg.Workers, cfg.Engine = 16, engine.List
	return runNamed(t.Context(), t, open(t, url), cfg, name)
}

// The metadata from the listing equal those of HEADs, for every kind of metadata, and with every way to send the HEADs
// of the samples.
func TestListMetadata(t *testing.T) {
	for name, cfg := range map[string]scan.Config{"plain": {}, "pipelined": {Pipeline: 8}, "all": {All: true}} {
		cfg.Listers = 1 // so that the number of pages is known
		for _, shape := range []s3sim.Shape{s3sim.Flat, s3sim.Nasty} {
			t.Run(name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				server, url := simtest.Start(t, s3sim.Options{Objects: 5_500, Shape: shape, ListMetadata: true})
				r := runListed(t, url, cfg, engine.List)
				if r.err != nil || !r.stats.Complete {
					t.Fatalf("got error %v, complete %v; want a complete run", r.err, r.stats.Complete)
				}
				if cfg.All {
					if seen := checkLines(t, server, r.lines); len(seen) != 5_500 {
						t.Errorf("got %d lines, want 5,500", len(seen))
					}
				} else {
					expectAllPrinted(t, server, r.lines)
				}
				s := r.stats
				if s.Heads+s.FromListing != s.Listed || s.Requests["head"]["200"] != s.Heads {
					t.Errorf("got %d HEADs and %d objects from the listing, want %d in total; %v",
						s.Heads, s.FromListing, s.Listed, s.Requests)
				}
				const samples = 2 * 6 // two objects of each page
				if shape == s3sim.Flat && s.Heads != samples || s.FromListing < 2_000 {
					t.Errorf("got %d HEADs, want %d; %d objects from the listing", s.Heads, samples, s.FromListing)
				}
				// The first contact, six pages, and the empty page at the end.
				if lists := s.Requests["list"]["200"]; lists != 1+6+1 {
					t.Errorf("got %d LISTs, want %d", lists, 1+6+1)
				}
			})
		}
	}
}

// Without --engine list no LIST asks for metadata, and every object gets a HEAD.
func TestListMetadataIsOptIn(t *testing.T) {
	const objects = 2_500
	for _, name := range []string{engine.Auto, engine.Direct, engine.SDK} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, url := startWithHandler(
				t,
				s3sim.Options{Objects: objects, ListMetadata: true},
				func(_ http.ResponseWriter, r *http.Request) bool {
					if r.URL.Query().Has("metadata") {
						t.Errorf("a LIST asked for metadata: %s", r.URL)
					}
					return false
				},
			)
			want := name
			if name == engine.Auto {
				want = engine.Direct
			}
			r := runNamed(t.Context(), t, open(t, url), scan.Config{Workers: 16, Engine: name}, want)
			// net/http may close a connection on a busy machine. Its last object is asked for again.
			heads := r.stats.Heads - r.stats.Requests["head"]["lost"]
			if expectAllPrinted(t, server, r.lines); r.err != nil || heads != objects || r.stats.FromListing != 0 {
				t.Errorf("got %+v, error %v; want %d HEADs", r.stats, r.err, objects)
			}
		})
	}
}

// An object whose key the store cannot list exactly gets a HEAD, even if the listing has metadata for it.
func TestLossyKeysGetHeads(t *testing.T) {
	options := s3sim.Options{Objects: 2_500, Shape: s3sim.Nasty, Quirk: s3sim.EncodingNotEchoed}
	_, plain := simtest.Start(t, options)
	options.ListMetadata = true
	_, url := simtest.Start(t, options)
	want := runNamed(t.Context(), t, open(t, plain), scan.Config{All: true, Workers: 16}, engine.Direct)
	got := runListed(t, url, scan.Config{All: true}, engine.List)
	if want.stats.Failed == 0 || got.stats.Outcomes != want.stats.Outcomes || got.stats.FromListing == 0 ||
		got.err != nil {
		t.Errorf("got %+v, error %v; want %+v as with HEADs", got.stats.Outcomes, got.err, want.stats.Outcomes)
	}
}

// A listing whose metadata differ from those of a HEAD ends the run. The page with the difference is not written.
func TestListMetadataMismatch(t *testing.T) {
	for _, from := range []int64{1, 3_001} {
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			t.Parallel()
			server, url := simtest.Start(t, s3sim.Options{Objects: 6_000, ListMetadata: true, ListMetadataWrongFrom: from})
			r := runListed(t, url, scan.Config{}, engine.List)
			var broken *scan.ListMetadataError
			if !errors.As(r.err, &broken) || !strings.Contains(r.err.Error(), "other metadata of") || r.stats.Complete {
				t.Fatalf("got error %v, complete %v; want a ListMetadataError", r.err, r.stats.Complete)
			}
			if seen := checkLines(t, server, r.lines); int64(len(seen)) > from {
				t.Errorf("got %d lines, want at most %d", len(seen), from)
			}
		})
	}
}

// With the engine list, a listing without metadata ends the run with an error, unless the bucket is empty. A resumed
// run adds to the count FromListing of the earlier run.
func TestListEngineWithoutListMetadata(t *testing.T) {
	_, url := simtest.Start(t, s3sim.Options{Objects: 1_500})
	r := runListed(t, url, scan.Config{}, engine.Direct)
	var broken *scan.ListMetadataError
	if !errors.As(r.err, &broken) || !strings.Contains(r.err.Error(), "no metadata with its listing") || len(r.lines) > 0 {
		t.Errorf("got error %v, %d lines; want a ListMetadataError, no line", r.err, len(r.lines))
	}
	_, url = simtest.Start(t, s3sim.Options{Objects: 1_500, ListMetadata: true})
	before := checkpoint.Checkpoint{Rest: []list.Range{{}}, Stats: metrics.Stats{FromListing: 10_000}}
	if r := runListed(t, url, scan.Config{Resume: &before}, engine.List); r.err != nil ||
		r.stats.FromListing != 10_000+1_500-4 {
		t.Errorf("resumed: got %d objects from the listing, error %v; want %d", r.stats.FromListing, r.err, 10_000+1_500-4)
	}
	_, empty := simtest.Start(t, s3sim.Options{})
	if r := runListed(t, empty, scan.Config{}, engine.Direct); r.err != nil {
		t.Errorf("empty bucket: got error %v, want none", r.err)
	}
}

// A page that the store cannot list with metadata is listed again without, and its objects get HEADs. A metadata name
// that is no XML name makes a page unreadable in this way.
func TestListMetadataUnsupportedPage(t *testing.T) {
	for name, c := range map[string]struct {
		invalid func(nth int64) bool // whether the nth LIST with metadata has an unreadable page
		heads   int64                // at most
		engine  string
	}{
		// One page of HEADs, and samples.
		"first page":              {func(nth int64) bool { return nth == 1 }, 1_000 + 100, engine.List},
		"third page":              {func(nth int64) bool { return nth == 3 }, 1_000 + 100, engine.List},
		"every page":              {func(int64) bool { return true }, 5_500, engine.Direct},
		"all pages but the first": {func(nth int64) bool { return nth > 1 }, 5_500, engine.List},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lists atomic.Int64
			server, url := startWithHandler(
				t,
				s3sim.Options{Objects: 5_500, ListMetadata: true},
				func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Query().Get("metadata") != "true" || !c.invalid(lists.Add(1)) {
						return false
					}
					_, _ = io.WriteString(w, `<ListBucketResult><Contents><Key>k</Key><UserMetadata>`+
						`<X-Amz-Meta-A+b>v</X-Amz-Meta-A+b></UserMetadata></Contents></ListBucketResult>`)
					return true
				},
			)
			r := runListed(t, url, scan.Config{}, c.engine)
			if expectAllPrinted(t, server, r.lines); r.err != nil || r.stats.Heads > c.heads ||
				r.stats.Heads+r.stats.FromListing != 5_500 {
				t.Errorf("got %d HEADs and %d objects from the listing, error %v; want at most %d HEADs, 5,500 objects",
					r.stats.Heads, r.stats.FromListing, r.err, c.heads)
			}
		})
	}
}

// Metadata that differ because an object was overwritten after its LIST are no error of the listing.
func TestListMetadataOverwrittenObjects(t *testing.T) {
	for name, date := range map[string]time.Time{"later": time.Now().Add(time.Hour), "in the same second": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var objects atomic.Pointer[s3sim.Server]
			server, url := startWithHandler(
				t,
				s3sim.Options{Objects: 4_500, ListMetadata: true},
				func(w http.ResponseWriter, r *http.Request) bool {
					key := strings.TrimPrefix(r.URL.Path, "/demo/")
					prefix := r.URL.Query().Get("prefix")
					switch {
					case r.Method == http.MethodHead && key >= "obj-000000002000":
						o := objects.Load().Object([]byte(key))
						w.Header().Set("ETag", o.ETag())
						w.Header().Set("x-amz-meta-new", "one")
						modified := date
						if date.IsZero() {
							modified = o.LastModified()
						}
						w.Header().Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
					case prefix != "" && date.IsZero():
						_, _ = io.WriteString(w, "<ListBucketResult><Contents><Key>"+prefix+"</Key><UserMetadata>"+
							"<X-Amz-Meta-New>one</X-Amz-Meta-New></UserMetadata></Contents></ListBucketResult>")
					default:
						return false
					}
					return true
				},
			)
			objects.Store(server)
			r := runListed(t, url, scan.Config{All: true}, engine.List)
			if r.err != nil || len(r.lines) != 4_500 {
				t.Errorf("got %d lines, error %v; want 4,500 lines", len(r.lines), r.err)
			}
			overwritten := 0
			for _, line := range r.lines {
				if strings.Contains(line, `"new":"one"`) {
					overwritten++
				}
			}
			if overwritten == 0 || int64(overwritten) > r.stats.Heads {
				t.Errorf("got %d objects with the metadata of the HEAD, want 1 to %d", overwritten, r.stats.Heads)
			}
		})
	}
}

// Deleted and overwritten objects among those that get a HEAD have their usual Outcomes, and faults fail no object.
func TestListMetadataWithFaults(t *testing.T) {
	faults := []s3sim.Fault{
		{Kind: s3sim.Fault500, Rate: 0.01},
		{Kind: s3sim.FaultRSTBeforeByte, Rate: 0.01},
		{Kind: s3sim.Fault503Empty, Rate: 0.01},
		{Kind: s3sim.FaultListCutShort, Rate: 0.1}, {Kind: s3sim.FaultListSlowDown, Rate: 0.1},
	}
	server, url := simtest.Start(t, s3sim.Options{
		Objects: fewerIfShort(8_000), Shape: s3sim.Nasty, ListMetadata: true, Faults: faults, Gone: 0.01, Rewritten: 0.01,
	})
	cfg := scan.Config{Workers: 16, Engine: engine.List}
	r := runNamed(t.Context(), t, open(t, url), cfg, engine.List)
	seen := checkLines(t, server, r.lines)
	if r.err != nil || r.stats.Failed > 0 || int64(len(seen))+r.stats.Gone+r.stats.WithoutMetadata != fewerIfShort(8_000) {
		t.Errorf("got %d lines, %+v, error %v; want no failed object; %v",
			len(seen), r.stats.Outcomes, r.err, r.stats.Requests)
	}
	if r.stats.Gone == 0 || r.stats.Changed == 0 || r.stats.FromListing == 0 {
		t.Errorf("got %+v, %d objects from the listing; want gone and changed objects, and some from the listing",
			r.stats.Outcomes, r.stats.FromListing)
	}
}
