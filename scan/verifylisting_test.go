package scan_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// A store drops keys from the first listing (S3Proxy does while folders change). The second listing shows them: they
// fail by name. What was written or deleted since the run began does not.
func TestVerifyListing(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		const old = "2026-01-02T03:04:05.000Z"
		soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		for _, order := range []list.Order{list.OrderBytes, list.OrderAny} {
			var complete atomic.Int64 // LISTs to the end of a listing
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"e"`)
				after := r.URL.Query().Get("start-after")
				if r.Method == http.MethodHead {
					return
				}
				var page strings.Builder
				for i := range 30 {
					key, written := fmt.Sprintf("k%02d", i), old
					first := complete.Load() == 0
					if i%10 == 5 && first || i == 7 && !first || key <= after {
						continue
					}
					if i == 15 {
						written = soon
					}
					fmt.Fprintf(&page, "<Contents><Key>%s</Key><ETag>e</ETag><LastModified>%s</LastModified></Contents>", key, written)
				}
				fmt.Fprintf(w, "<ListBucketResult>%s</ListBucketResult>", page.String())
				if after != "" || order == list.OrderAny {
					complete.Add(1)
				}
			}))
			cfg.VerifyListing, cfg.All, cfg.Workers, cfg.ListOrder, cfg.Listers = true, true, 4, order, 1
			r := run(t.Context(), t, open(t, server.URL), cfg)
			server.Close()
			var failed []string
			for _, e := range r.failed {
				if e.Class != fault.MissedByListing {
					t.Errorf("got class %s, want %s", e.Class, fault.MissedByListing)
				}
				failed = append(failed, e.Entry.Key)
			}
			want := &metrics.ListingCheck{Missed: 2, New: 1, Gone: 1}
			if r.err != nil || !slices.Equal(failed, []string{"k05", "k25"}) || len(r.lines) != 27 ||
				r.stats.Listed != 29 || r.stats.ListingCheck == nil || *r.stats.ListingCheck != *want {
				t.Errorf("order %d: got %d lines, failed %q, %+v, %+v, error %v; want k05 and k25, %+v",
					order, len(r.lines), failed, r.stats.Outcomes, r.stats.ListingCheck, r.err, want)
			}
		}
	})
}

// Two listings of a healthy store are equal, whatever its keys are, and by several listers.
func TestVerifyListingOfHealthyStore(t *testing.T) {
	t.Parallel()
	for _, quirk := range []s3sim.Quirk{"", s3sim.EncodingEchoed, s3sim.NoOrder} {
		_, url := simtest.Start(t, s3sim.Options{Objects: 3_000, Shape: s3sim.Nasty, XMLSafe: true, Quirk: quirk})
		cfg := scan.Config{VerifyListing: true, All: true, Workers: 16, Listers: 4}
		r := run(t.Context(), t, open(t, url), withEngine(cfg))
		if r.err != nil || r.stats.Failed != 0 || *r.stats.ListingCheck != (metrics.ListingCheck{}) {
			t.Errorf("quirk %q: got %+v, %+v, error %v", quirk, r.stats.Outcomes, r.stats.ListingCheck, r.err)
		}
	}
}

// A second listing that fails leaves the run incomplete.
func TestVerifyListingFails(t *testing.T) {
	t.Parallel()
	var lists atomic.Int64
	_, url := startWithHandler(t, s3sim.Options{Objects: 500}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && lists.Add(1) > 2 {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	r := run(t.Context(), t, open(t, url), withEngine(scan.Config{VerifyListing: true, All: true, Workers: 4, Listers: 1}))
	if r.err == nil || r.stats.Complete || len(r.lines) != 500 {
		t.Errorf("got %d lines, %+v, error %v; want an incomplete run", len(r.lines), r.stats, r.err)
	}
}
