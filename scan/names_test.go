package scan_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"headcount/scan"
)

// Stores that declare encoded keys and encode none of them, or leave plus signs, name no object for sure. Each object
// is found by one of its names, and none is called gone while it exists.
func TestOtherNames(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		asTheyAre := func(key string) string { return key }
		for name, test := range map[string]struct {
			encode func(string) string
			keys   []string
		}{
			"a plus sign, not encoded":      {asTheyAre, []string{"a+b", "plain"}},
			"an escape, not encoded":        {asTheyAre, []string{"c%41d", "plain"}},
			"both, not encoded":             {asTheyAre, []string{"a+%2b", "b%zz", "c"}},
			"in another order as decoded":   {asTheyAre, []string{"a!", "a+b"}},
			"blanks and others not encoded": {asTheyAre, []string{"a b", "a+b", "é"}},
			"plus signs left":               {url.PathEscape, []string{"a b+c", "d+e", "é+"}},
			"encoded":                       {url.QueryEscape, []string{"a b", "a+b", "c%41d", "é"}},
		} {
			r := run(t.Context(), t, open(t, encodingStore(t, test.encode, test.keys)), cfg)
			var got []string
			for _, line := range r.lines {
				got = append(got, lineKey(t, line))
			}
			slices.Sort(got)
			if r.err != nil || !slices.Equal(got, test.keys) || r.stats.Gone+r.stats.Failed > 0 {
				t.Errorf("%s: got %q, %+v, error %v; want %q", name, got, r.stats.Outcomes, r.err, test.keys)
			}
		}
	})
}

// An object that is gone by all its names is gone.
func TestOtherNamesOfDeletedObject(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		asTheyAre := func(key string) string { return key }
		s := open(t, encodingStore(t, asTheyAre, []string{"deleted+b", "plain"}))
		r := run(t.Context(), t, s, cfg)
		if r.err != nil || len(r.lines) != 1 || r.stats.Gone+r.stats.Failed != 1 {
			t.Errorf("got %q, %+v, error %v; want one line", r.lines, r.stats.Outcomes, r.err)
		}
	})
}

// encodingStore is a store that declares encoding-type=url and lists keys by encode. Objects are found by their keys
// alone, except for those whose keys begin with "deleted".
func encodingStore(t *testing.T, encode func(string) string, keys []string) (endpoint string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			key := strings.TrimPrefix(r.URL.Path, "/demo/")
			if !slices.Contains(keys, key) || strings.HasPrefix(key, "deleted") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			w.Header().Set("x-amz-meta-id", "1")
			return
		}
		var page strings.Builder
		for _, key := range keys {
			if key > r.URL.Query().Get("start-after") && strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
				fmt.Fprintf(&page, "<Contents><Key>%s</Key></Contents>", encode(key))
			}
		}
		fmt.Fprintf(w, "<ListBucketResult><EncodingType>url</EncodingType>%s</ListBucketResult>", page.String())
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A store that encodes nothing costs a second HEAD for a few objects, and not for each: the others are asked for by
// their listed keys first. An object whose key is encoded after all is found by its next name.
func TestOtherNamesAreLearned(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		s := &missingStore{declares: true}
		for i := range 5_000 {
			s.keys = append(s.keys, fmt.Sprintf("k+%05d", i))
		}
		s.keys = append(s.keys, "k+z%2Bz", "l z")
		cfg.Listers, cfg.Workers = 1, 2
		s.listed = map[string]string{"l z": "l+z"}
		r := run(t.Context(), t, open(t, s.start(t)), cfg)
		if r.err != nil || len(r.lines) != len(s.keys) {
			t.Errorf("got %d lines, %+v, error %v; want %d", len(r.lines), r.stats.Outcomes, r.err, len(s.keys))
		}
		if most := int64(len(s.keys) * 8 / 5); s.heads.Load() > most {
			t.Errorf("got %d HEADs, want at most %d", s.heads.Load(), most)
		}
	})
}
