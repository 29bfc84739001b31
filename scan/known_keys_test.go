package scan_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/store"
)

// knownKeys returns n keys, as --retry-from gives them.
func knownKeys(n int) *list.Keys {
	entries := make([]list.Entry, n)
	for i := range entries {
		entries[i] = list.Entry{Key: fmt.Sprintf("k%03d", i), Size: -1}
	}
	return list.NewKeys(entries)
}

// A run on known keys needs no right to list: an object that is refused fails, and the others are scanned.
func TestKnownKeysNeedNoRightToList(t *testing.T) {
	forEachEngineSerially(t, func(t *testing.T, cfg scan.Config) {
		if cfg.Pipeline > 1 {
			return // as direct
		}
		for _, status := range []int{http.StatusForbidden, http.StatusNotImplemented} {
			_, s := signedServer(t, func(w http.ResponseWriter, r *http.Request, _ string) {
				switch {
				case r.Method == http.MethodGet:
					w.WriteHeader(status)
					if status == http.StatusForbidden {
						fmt.Fprint(w, `<Error><Code>AccessDenied</Code></Error>`)
					}
				case strings.HasSuffix(r.URL.Path, "0"): // the first one too
					w.WriteHeader(http.StatusForbidden)
				default:
					w.Header().Set("x-amz-meta-a", "b")
				}
			})
			cfg.Keys, cfg.Workers = knownKeys(50), 2
			r := run(t.Context(), t, s, cfg)
			if r.err != nil || r.stats.Emitted != 45 || r.stats.Failed != 5 {
				t.Errorf("LIST %d: got %+v, error %v; want 45 emitted and 5 failed", status, r.stats.Outcomes, r.err)
			}
			if cfg.Engine != engine.Direct {
				break
			}
		}
	})
}

// Credentials that the store does not know end a run on known keys.
func TestUnknownKeyEndsRunOnKnownKeys(t *testing.T) {
	_, s := signedServer(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		w.WriteHeader(http.StatusForbidden)
		if r.Method == http.MethodGet {
			fmt.Fprint(w, `<Error><Code>InvalidAccessKeyId</Code></Error>`)
		}
	})
	r := run(t.Context(), t, s, scan.Config{Keys: knownKeys(50), Engine: engine.Direct})
	var refused *list.StoreError
	if !errors.As(r.err, &refused) || refused.Code != "InvalidAccessKeyId" || r.stats.Failed != 0 {
		t.Errorf("got %+v, error %v; want InvalidAccessKeyId", r.stats.Outcomes, r.err)
	}
}

// The listed half of a filter decides about known keys too, where the caller trusts what is known of them.
func TestKnownKeysAreFiltered(t *testing.T) {
	_, s := signedServer(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("x-amz-meta-a", "b")
	})
	var listed func(*scan.Record) bool
	for _, filtered := range []int64{0, 50} {
		r := run(t.Context(), t, s, scan.Config{Engine: engine.Direct, Keys: knownKeys(50), Workers: 2, Filter: &scan.Filter{
			Listed: listed, Whole: func(*scan.Record) (bool, error) { return true, nil },
		}})
		if r.err != nil || r.stats.Filtered != filtered || r.stats.Emitted != 50-filtered ||
			(r.stats.Heads == 0) != (filtered == 50) {
			t.Errorf("got %+v, %d HEADs, error %v; want %d filtered", r.stats.Outcomes, r.stats.Heads, r.err, filtered)
		}
		listed = func(*scan.Record) bool { return false }
	}
}

// A run on known keys whose store cannot be reached, or that has no credentials, ends soon and not after RetryFor.
func TestKnownKeysWithoutAStoreEndSoon(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, t.TempDir()+"/none")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	s, err := store.Open(t.Context(), store.Config{Bucket: "b", Endpoints: []string{"http://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	began := time.Now()
	r := run(t.Context(), t, s, scan.Config{Keys: knownKeys(50), Engine: engine.Direct, RetryFor: time.Hour})
	if r.err == nil || fault.ClassOf(r.err) != fault.Credentials {
		t.Errorf("got error %v, want one of the credentials", r.err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the run took %v, want less than a minute", took)
	}
}

// An answer that names a region which is none, or in which no HEAD is answered, changes no region: its object fails.
func TestNonsenseRegionFailsItsObject(t *testing.T) {
	regions := map[string]string{ // by key
		"k000": "xx-nowhere-9", "k001": "eu west", "k002": "a.example.com/", "k030": strings.Repeat("a", 64), "k049": "-",
	}
	forEachEngineSerially(t, func(t *testing.T, cfg scan.Config) {
		if cfg.Pipeline > 1 {
			return // as direct
		}
		for _, status := range []int{http.StatusForbidden, http.StatusBadRequest} {
			_, s := signedServer(t, func(w http.ResponseWriter, r *http.Request, signedFor string) {
				region, named := regions[strings.TrimPrefix(r.URL.Path, "/b/")]
				switch {
				case signedFor != "us-east-1":
					w.Header().Set("x-amz-bucket-region", "us-east-1") // the two name each other
					w.WriteHeader(http.StatusBadRequest)
				case r.URL.Query().Get("start-after") != "":
					fmt.Fprint(w, `<ListBucketResult/>`)
				case r.Method == http.MethodGet:
					fmt.Fprint(w, `<ListBucketResult>`)
					for i := range 50 {
						fmt.Fprintf(w, `<Contents><Key>k%03d</Key></Contents>`, i)
					}
					fmt.Fprint(w, `</ListBucketResult>`)
				case named:
					w.Header().Set("x-amz-bucket-region", region)
					w.WriteHeader(status)
				default:
					w.Header().Set("x-amz-meta-a", "b")
				}
			})
			cfg.Workers = 2
			r := run(t.Context(), t, s, cfg)
			if r.err != nil || r.stats.Emitted != 45 || r.stats.Failed != 5 || s.Region() != "us-east-1" {
				t.Errorf("%d: got %+v, region %s, error %v; want 45 emitted and 5 failed",
					status, r.stats.Outcomes, s.Region(), r.err)
			}
			if cfg.Engine != engine.Direct {
				break
			}
		}
	})
}

// Without the right to list, a key that does not exist is refused as others are. The statistics say so.
func TestRefusedKnownKeysMayBeMissing(t *testing.T) {
	for _, denied := range []bool{true, false} {
		lists := new(atomic.Int64)
		_, s := signedServer(t, func(w http.ResponseWriter, r *http.Request, _ string) {
			switch {
			case r.Method == http.MethodGet:
				lists.Add(1)
				if denied {
					w.WriteHeader(http.StatusForbidden)
					fmt.Fprint(w, `<Error><Code>AccessDenied</Code></Error>`)
				} else {
					fmt.Fprint(w, `<ListBucketResult/>`)
				}
			case strings.HasSuffix(r.URL.Path, "9"):
				w.WriteHeader(http.StatusForbidden)
			default:
				w.Header().Set("x-amz-meta-a", "b")
			}
		})
		r := run(t.Context(), t, s, scan.Config{Engine: engine.Direct, Keys: knownKeys(50), Workers: 2})
		if r.err != nil || r.stats.Failed != 5 || r.stats.ListDenied != denied || lists.Load() == 0 {
			t.Errorf("LIST denied %v: got %+v, denied %v after %d LISTs, error %v", denied, r.stats.Outcomes,
				r.stats.ListDenied, lists.Load(), r.err)
		}
	}
}

// missingSink remembers what is gone.
type missingSink struct {
	scan.FailureFunc
	gone []*scan.ObjectError
}

func (s *missingSink) Add(page []*scan.ObjectError) error {
	s.gone = append(s.gone, page...)
	return nil
}

// Keys that do not exist, and those that a delete marker hides, go to the sink for them.
func TestMissingKeysAreNamed(t *testing.T) {
	_, s := signedServer(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `<ListBucketResult/>`)
		case strings.HasSuffix(r.URL.Path, "7"):
			w.Header().Set("x-amz-delete-marker", "true")
			fallthrough
		case strings.HasSuffix(r.URL.Path, "9"):
			w.WriteHeader(http.StatusNotFound)
		}
	})
	missing := new(missingSink)
	r := run(t.Context(), t, s, scan.Config{
		Engine: engine.Direct, Keys: knownKeys(50), Workers: 2, Ordered: true, Missing: missing,
	})
	var keys []string
	for _, e := range missing.gone {
		if keys = append(keys, e.Entry.Key); e.Class != fault.Gone || e.Status != http.StatusNotFound {
			t.Errorf("%+v", e)
		}
	}
	slices.Sort(keys)
	want := []string{"k007", "k009", "k017", "k019", "k027", "k029", "k037", "k039", "k047", "k049"}
	if r.err != nil || r.stats.Gone != 10 || !slices.Equal(keys, want) {
		t.Errorf("%q, %+v, %v; want %q", keys, r.stats.Outcomes, r.err, want)
	}
}

// A file may say the ETag of an object, and not when it was written. Then another ETag is that of a later object.
func TestKnownKeysWithoutADate(t *testing.T) {
	_, s := signedServer(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("ETag", `"new"`)
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT")
		w.Header().Set("x-amz-meta-a", "b")
	})
	r := run(t.Context(), t, s, scan.Config{Engine: engine.Direct, Keys: list.NewKeys([]list.Entry{
		{Key: "a", ETag: "old", Size: -1}, {Key: "b", ETag: "new", Size: -1}, {Key: "c", Size: 7},
		{Key: "d", ETag: "old", Size: -1, LastModified: "2026-01-02T03:04:05Z"},
	})})
	if r.err != nil || r.stats.Emitted != 3 || r.stats.Changed != 2 || r.stats.Failed != 1 {
		t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
	}
}

// What is known of a key can be old. A later Last-Modified alone shows that, and the record is what the HEAD said: a
// copy onto itself changes the metadata and the storage class, and neither the ETag nor the length.
func TestKnownKeysOfObjectsThatWereCopiedSince(t *testing.T) {
	_, s := signedServer(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("ETag", `"e"`)
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT")
		w.Header().Set("x-amz-meta-a", "b")
	})
	said := map[string]string{}
	whole := func(r *scan.Record) (bool, error) {
		date, _ := r.AppendLastModified(nil)
		class, _ := r.AppendStorageClass(nil)
		said[r.Key()] = fmt.Sprintf("%s %s %v", date, class, r.Changed())
		return true, nil
	}
	entry := func(key, date string) list.Entry {
		return list.Entry{Key: key, ETag: "e", Size: 5, LastModified: date, StorageClass: "GLACIER"}
	}
	r := run(t.Context(), t, s, scan.Config{
		Engine: engine.Direct, Workers: 1, Filter: &scan.Filter{Whole: whole}, Keys: list.NewKeys([]list.Entry{
			entry("old", "2025-01-02T03:04:05.678Z"), entry("same", "2026-01-02T03:04:05.678Z"), entry("undated", ""),
		}),
	})
	want := map[string]string{
		"old":     "2026-01-02T03:04:05Z  true",
		"same":    "2026-01-02T03:04:05.678Z GLACIER false",
		"undated": "2026-01-02T03:04:05Z GLACIER false",
	}
	if r.err != nil || r.stats.Changed != 1 || !maps.Equal(said, want) {
		t.Errorf("%q, %+v, %v; want %q", said, r.stats.Outcomes, r.err, want)
	}
}
