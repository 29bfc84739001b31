package scan_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head"
	"headcount/scan/list"
)

// runListed is run, for a Config of which the engine in the end is the store's choice too.
func runListed(t *testing.T, url string, cfg scan.Config, engine string) result {
	t.Helper()
	cfg.Workers, cfg.MetadataOnly = 16, true
	return runNamed(t.Context(), t, open(t, url), cfg, engine)
}

// Where a store lists metadata, they are taken from there, and they are the same: for every kind of metadata, and whatever inner engine sends the HEADs
// that are left.
func TestMetadataAreTakenFromTheListing(t *testing.T) {
	for name, cfg := range map[string]scan.Config{
		"auto": {}, "forced": {Engine: head.ListName}, "pipelined": {Pipeline: 8}, "all": {All: true},
	} {
		cfg.Listers = 1 // so that it is known how many pages there are
		for _, shape := range []s3sim.Shape{s3sim.Flat, s3sim.Nasty} {
			t.Run(name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				server, url := simtest.Start(t, s3sim.Options{Objects: 5_500, Shape: shape, ListMetadata: true})
				r := runListed(t, url, cfg, head.ListName)
				if r.err != nil || !r.stats.Complete {
					t.Fatal(r.err)
				}
				if cfg.All {
					if seen := checkLines(t, server, r.lines); len(seen) != 5_500 {
						t.Errorf("%d lines", len(seen))
					}
				} else {
					expect(t, server, r.lines)
				}
				s := r.stats
				if s.Heads+s.FromListing != s.Listed || s.Requests["head"]["200"] != s.Heads {
					t.Errorf("%d HEADs, %d from the listing, of %d: %v", s.Heads, s.FromListing, s.Listed, s.Requests)
				}
				heads, exact := int64(2*6), shape == s3sim.Flat // two of each page
				if cfg.Engine != head.ListName {
					heads = 1_000 + 2*5 // all of the first one
				}
				if exact && s.Heads != heads || s.FromListing < 2_000 {
					t.Errorf("%d HEADs, want %d; %d from the listing", s.Heads, heads, s.FromListing)
				}
				if lists := s.Requests["list"]["200"]; lists != 1+6+1 { // one to get in touch, and one to confirm the end
					t.Errorf("%d LISTs", lists)
				}
			})
		}
	}
}

// HEADs are sent as ever where the listing has no metadata, not the right ones, not of many objects, or where more is wanted than it gives.
func TestMetadataAreNotTakenFromTheListing(t *testing.T) {
	const objects = 2_500
	wrong := s3sim.Options{Objects: objects, ListMetadata: true, ListMetadataWrongFrom: 500}
	for name, c := range map[string]struct {
		options s3sim.Options
		cfg     scan.Config
		engine  string
		why     string
	}{
		"another store":    {s3sim.Options{Objects: objects}, scan.Config{}, head.DirectName, "the SDK would send plain requests"},
		"wrong ones":       {wrong, scan.Config{}, head.DirectName, "; not the listing: it has other metadata of obj-"},
		"direct":           {wrong, scan.Config{Engine: head.DirectName}, head.DirectName, "asked for"},
		"sdk":              {wrong, scan.Config{Engine: head.SDKName}, head.SDKName, "asked for"},
		"listed by V1":     {wrong, scan.Config{ListV1: true}, head.DirectName, "the SDK would send plain requests"},
		"all objects gone": {s3sim.Options{Objects: objects, ListMetadata: true, Gone: 1}, scan.Config{}, head.DirectName, "no object of its first page could be compared"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, url := simtest.Start(t, c.options)
			r := runListed(t, url, c.cfg, c.engine)
			if r.err != nil || r.stats.FromListing != 0 || !strings.Contains(r.stats.EngineWhy, c.why) {
				t.Errorf("%v; %d from the listing; %q", r.err, r.stats.FromListing, r.stats.EngineWhy)
			}
			if c.options.Gone == 0 {
				expect(t, server, r.lines)
			}
		})
	}
	t.Run("more is wanted", func(t *testing.T) {
		server, url := simtest.Start(t, s3sim.Options{Objects: objects, ListMetadata: true})
		r := runNamed(t.Context(), t, open(t, url), scan.Config{Workers: 16}, head.DirectName)
		if expect(t, server, r.lines); r.err != nil || r.stats.Heads != objects || r.stats.Requests["list"]["200"] != 4 {
			t.Errorf("%v; %+v", r.err, r.stats)
		}
	})
}

// A key that the store cannot list is not printed as if it were one, whatever the listing says of its metadata.
func TestLossyKeysAreAskedFor(t *testing.T) {
	options := s3sim.Options{Objects: 2_500, Shape: s3sim.Nasty, Quirk: s3sim.EncodingNotEchoed}
	_, plain := simtest.Start(t, options)
	options.ListMetadata = true
	_, url := simtest.Start(t, options)
	want := runListed(t, plain, scan.Config{All: true}, head.DirectName)
	got := runListed(t, url, scan.Config{All: true, Engine: head.ListName}, head.ListName)
	if want.stats.Failed == 0 || got.stats.Outcomes != want.stats.Outcomes || got.stats.FromListing == 0 || got.err != nil {
		t.Errorf("%+v, %v; by HEADs %+v", got.stats.Outcomes, got.err, want.stats.Outcomes)
	}
}

// What proves wrong behind the first page ends the run, and no page that was found wrong is written.
func TestAListingThatProvesWrongLater(t *testing.T) {
	for _, engine := range []string{"", head.ListName} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			server, url := simtest.Start(t, s3sim.Options{Objects: 6_000, ListMetadata: true, ListMetadataWrongFrom: 3_001})
			r := runListed(t, url, scan.Config{Engine: engine}, head.ListName)
			var broken *scan.ListingError
			if !errors.As(r.err, &broken) || !strings.Contains(r.err.Error(), "other metadata of") || r.stats.Complete {
				t.Fatalf("%v, complete: %v", r.err, r.stats.Complete)
			}
			if seen := checkLines(t, server, r.lines); len(seen) > 3_000 {
				t.Errorf("%d lines", len(seen))
			}
		})
	}
}

func TestForcedListingWithoutMetadata(t *testing.T) {
	_, url := simtest.Start(t, s3sim.Options{Objects: 1_500})
	r := runListed(t, url, scan.Config{Engine: head.ListName}, head.DirectName)
	var broken *scan.ListingError
	if !errors.As(r.err, &broken) || !strings.Contains(r.err.Error(), "no metadata with its listing") || len(r.lines) > 0 {
		t.Errorf("%v, %d lines", r.err, len(r.lines))
	}
	_, url = simtest.Start(t, s3sim.Options{Objects: 1_500, ListMetadata: true})
	before := scan.Checkpoint{Rest: []list.Range{{}}, Stats: scan.Stats{FromListing: 10_000}}
	if r := runListed(t, url, scan.Config{Engine: head.ListName, Resume: &before}, head.ListName); r.err != nil || r.stats.FromListing != 10_000+1_500-4 {
		t.Errorf("%v, %d from the listing, with those of the run before", r.err, r.stats.FromListing)
	}
	_, empty := simtest.Start(t, s3sim.Options{})
	if r := runListed(t, empty, scan.Config{Engine: head.ListName}, head.DirectName); r.err != nil {
		t.Errorf("an empty bucket: %v", r.err)
	}
}

// A page that cannot be had with metadata, as one that is no XML for an object's name of a metadatum, is had without, and its objects are asked for.
func TestAPageThatCannotBeListedWithMetadata(t *testing.T) {
	for name, c := range map[string]struct {
		refuse func(nth int64) bool // of the LISTs with metadata
		heads  int64
		engine string
	}{
		"the first":  {func(nth int64) bool { return nth == 1 }, 2_000 + 100, head.ListName}, // two pages, and samples
		"the third":  {func(nth int64) bool { return nth == 3 }, 2_000 + 100, head.ListName},
		"every":      {func(int64) bool { return true }, 5_500, head.DirectName},
		"all but it": {func(nth int64) bool { return nth > 1 }, 5_500, head.ListName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lists atomic.Int64
			server, url := fronted(t, s3sim.Options{Objects: 5_500, ListMetadata: true}, func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Query().Get("metadata") != "true" || !c.refuse(lists.Add(1)) {
					return false
				}
				_, _ = w.Write([]byte(`<ListBucketResult><Contents><Key>k</Key><UserMetadata><X-Amz-Meta-A+b>v</X-Amz-Meta-A+b></UserMetadata></Contents></ListBucketResult>`))
				return true
			})
			r := runListed(t, url, scan.Config{}, c.engine)
			if expect(t, server, r.lines); r.err != nil || r.stats.Heads > c.heads || r.stats.Heads+r.stats.FromListing != 5_500 {
				t.Errorf("%v; %d HEADs, want %d at most", r.err, r.stats.Heads, c.heads)
			}
			if name == "every" && lists.Load() != 5 {
				t.Errorf("%d LISTs with metadata, all in vain", lists.Load())
			}
		})
	}
}

// A HEAD of an object that was overwritten since it was listed disproves nothing.
func TestOverwrittenObjectsAreNoDispute(t *testing.T) {
	for name, date := range map[string]time.Time{"later": time.Now().Add(time.Hour), "in the same second": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var objects atomic.Pointer[s3sim.Server]
			server, url := fronted(t, s3sim.Options{Objects: 4_500, ListMetadata: true}, func(w http.ResponseWriter, r *http.Request) bool {
				key := strings.TrimPrefix(r.URL.Path, "/demo/")
				now := r.URL.Query().Get("prefix")
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
				case now != "" && date.IsZero():
					_, _ = w.Write([]byte("<ListBucketResult><Contents><Key>" + now + "</Key><UserMetadata><X-Amz-Meta-New>one</X-Amz-Meta-New></UserMetadata></Contents></ListBucketResult>"))
				default:
					return false
				}
				return true
			})
			objects.Store(server)
			r := runListed(t, url, scan.Config{All: true}, head.ListName)
			if r.err != nil || len(r.lines) != 4_500 {
				t.Errorf("%v, %d lines", r.err, len(r.lines))
			}
			news := 0
			for _, line := range r.lines {
				if strings.Contains(line, `"new":"one"`) {
					news++
				}
			}
			if news == 0 || int64(news) > r.stats.Heads {
				t.Errorf("%d objects as the HEAD had them, of %d HEADs", news, r.stats.Heads)
			}
		})
	}
}

// The outcomes that a HEAD alone tells are told of the objects that are asked for, and trouble with them is borne as ever.
func TestListedMetadataAmongTrouble(t *testing.T) {
	faults := []s3sim.Fault{
		{Kind: s3sim.Fault500, Rate: 0.01}, {Kind: s3sim.FaultRSTBeforeByte, Rate: 0.01}, {Kind: s3sim.Fault503Empty, Rate: 0.01},
		{Kind: s3sim.FaultListCutShort, Rate: 0.1}, {Kind: s3sim.FaultListSlowDown, Rate: 0.1},
	}
	server, url := simtest.Start(t, s3sim.Options{
		Objects: most(8_000), Shape: s3sim.Nasty, ListMetadata: true, Faults: faults, Gone: 0.01, Rewritten: 0.01,
	})
	cfg := scan.Config{Workers: 16, MetadataOnly: true, Engine: head.ListName}
	r := runNamed(t.Context(), t, open(t, url), cfg, head.ListName)
	seen := checkLines(t, server, r.lines)
	if r.err != nil || r.stats.Failed > 0 || int64(len(seen))+r.stats.Gone+r.stats.WithoutMetadata != most(8_000) {
		t.Errorf("%v; %+v; %v", r.err, r.stats.Outcomes, r.stats.Requests)
	}
	if r.stats.Gone == 0 || r.stats.Changed == 0 || r.stats.FromListing == 0 {
		t.Errorf("%+v, %d from the listing", r.stats.Outcomes, r.stats.FromListing)
	}
}
