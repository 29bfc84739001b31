package scan_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/head/engine"
	"headcount/scan/list"
)

// headStates counts the objects of a sim by the permanent result of their HEADs.
func headStates(server *s3sim.Server) map[s3sim.HeadState]int64 {
	count := map[s3sim.HeadState]int64{}
	ks := server.Keyspace()
	for i := range ks.Len() {
		count[server.HeadState(ks.Key(i))]++
	}
	return count
}

// An object whose HEAD is 404 is gone only if it is not listed any more. Otherwise it failed, by name. The objects of a
// page cost one more LIST together.
func TestStaleKeysFail(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		server, url := simtest.Start(t, s3sim.Options{Objects: 3_000, Gone: 0.1, Stale: 0.1})
		cfg.Listers, cfg.ListV1 = 1, cfg.Pipeline > 1
		r := run(t.Context(), t, open(t, url), cfg)
		want := headStates(server)
		if r.err != nil || r.stats.Failed != want[s3sim.HeadStale] || r.stats.Gone != want[s3sim.HeadGone] {
			t.Fatalf("got %+v, error %v; want those of %v", r.stats.Outcomes, r.err, want)
		}
		for _, e := range r.failed {
			if e.Class != fault.ListedNotFound || e.Status != http.StatusNotFound ||
				server.HeadState([]byte(e.Entry.Key)) != s3sim.HeadStale {
				t.Errorf("got %v of class %s, want a stale key", e, e.Class)
			}
		}
		if lists := server.Counts().Lists; lists > 150 {
			t.Errorf("got %d LISTs for %d objects that are not found, want a few for each page",
				lists, r.stats.Failed+r.stats.Gone)
		}
	})
}

// Known keys are asked for one by one. Where they may not be listed, what is not found is gone.
func TestStaleKnownKeysFail(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		for _, mayList := range []bool{true, false} {
			server, url := startWithHandler(
				t, s3sim.Options{Objects: 300, Gone: 0.1, Stale: 0.1},
				func(w http.ResponseWriter, r *http.Request) bool {
					if mayList || r.Method == http.MethodHead {
						return false
					}
					w.WriteHeader(http.StatusForbidden)
					return true
				})
			var entries []list.Entry
			ks := server.Keyspace()
			for i := range ks.Len() {
				entries = append(entries, list.Entry{Key: string(ks.Key(i)), Size: -1})
			}
			cfg.Keys = list.NewKeys(entries)
			r := run(t.Context(), t, open(t, url), cfg)
			states := headStates(server)
			gone, failed := states[s3sim.HeadGone], states[s3sim.HeadStale]
			if !mayList {
				gone, failed = gone+failed, 0
			}
			if r.err != nil || r.stats.Failed != failed || r.stats.Gone != gone {
				t.Errorf("may list %v: got %+v, error %v; want %d gone, %d failed",
					mayList, r.stats.Outcomes, r.err, gone, failed)
			}
		}
	})
}

// missingStore lists keys as they are, and finds no object in missing. Those in gone it lists once.
type missingStore struct {
	keys          []string          // in the order of the store
	declares      bool              // that it encodes keys
	listed        map[string]string // the spelling of some keys in a LIST
	missing, gone func(string) bool // nil: none

	// onList may answer a LIST.
	onList func(w http.ResponseWriter, prefix string) (answered bool)
	heads  atomic.Int64
}

func (s *missingStore) start(t *testing.T) (endpoint string) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

func (s *missingStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isOf := func(set func(string) bool, key string) bool { return set != nil && set(key) }
	if r.Method == http.MethodHead {
		s.heads.Add(1)
		key := strings.TrimPrefix(r.URL.Path, "/demo/")
		if !slices.Contains(s.keys, key) || isOf(s.missing, key) || isOf(s.gone, key) {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Header().Set("x-amz-meta-id", "1")
		return
	}
	q := r.URL.Query()
	if s.onList != nil && s.onList(w, q.Get("prefix")) {
		return
	}
	listedAgain := q.Get("prefix") != "" || q.Get("start-after") != ""
	var keys []string
	for _, key := range s.keys {
		if strings.HasPrefix(key, q.Get("prefix")) && key > q.Get("start-after") && !(listedAgain && isOf(s.gone, key)) {
			keys = append(keys, key)
		}
	}
	from, _ := strconv.Atoi(cmp.Or(q.Get("continuation-token"), "0"))
	through := min(from+1000, len(keys))
	fmt.Fprint(w, "<ListBucketResult>")
	if s.declares {
		fmt.Fprint(w, "<EncodingType>url</EncodingType>")
	}
	fmt.Fprintf(w, "<IsTruncated>%v</IsTruncated>", through < len(keys))
	if through < len(keys) {
		fmt.Fprintf(w, "<NextContinuationToken>%d</NextContinuationToken>", through)
	}
	for _, key := range keys[from:through] {
		fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", cmp.Or(s.listed[key], key))
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

// classes counts the failed objects of each class.
func classes(r result) map[fault.Class]int64 {
	count := map[fault.Class]int64{}
	for _, e := range r.failed {
		count[e.Class]++
	}
	return count
}

// A store that declares encoded keys, and encodes none of them, is asked by the keys as it listed them: what it goes on
// listing is not gone, and what it does not list any more is.
func TestStaleKeysByTheirListedNames(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		s := &missingStore{
			declares: true,
			missing:  func(key string) bool { return strings.HasSuffix(key, "03") },
			gone:     func(key string) bool { return strings.HasSuffix(key, "50") },
		}
		for i := range 1_500 {
			s.keys = append(s.keys, fmt.Sprintf("k+%05d", i))
		}
		cfg.Listers = 1
		r := run(t.Context(), t, open(t, s.start(t)), cfg)
		if r.err != nil || r.stats.Gone != 15 || r.stats.Emitted+r.stats.WithoutMetadata != 1_470 ||
			classes(r)[fault.ListedNotFound] != 15 {
			t.Errorf("got %+v, %v, error %v; want 15 gone and 15 listed_not_found", r.stats.Outcomes, classes(r), r.err)
		}
	})
}

// Where the store has an order of its own, a key is looked for behind all others that begin with it.
func TestStaleKeyBehindOthers(t *testing.T) {
	t.Parallel()
	s := &missingStore{missing: func(key string) bool { return key == "dir/" }}
	for i := range 1_500 {
		s.keys = append(s.keys, fmt.Sprintf("dir/%05d", i))
	}
	s.keys = append(s.keys, "dir/")
	cfg := scan.Config{Engine: engine.Direct, Listers: 1}
	for _, known := range []bool{false, true} {
		if known {
			cfg.Keys = list.NewKeys([]list.Entry{{Key: "dir/", Size: -1}})
		}
		r := run(t.Context(), t, open(t, s.start(t)), cfg)
		if r.err != nil || r.stats.Gone != 0 || classes(r)[fault.ListedNotFound] != 1 {
			t.Errorf("known %v: got %+v, error %v; want the key to fail", known, r.stats.Outcomes, r.err)
		}
	}
}

// The LIST of one object that fails decides about no other object, and ends no run: that object fails. Only a run on
// known keys goes on without the right to list.
func TestFailingListFailsOneObject(t *testing.T) {
	t.Parallel()
	refuse := func(status int, body string) func(http.ResponseWriter, string) bool {
		return func(w http.ResponseWriter, prefix string) bool {
			if prefix == "a" {
				w.WriteHeader(status)
				fmt.Fprint(w, body)
			}
			return prefix == "a"
		}
	}
	const (
		document = "<Error><Code>%s</Code></Error>"
		untrue   = "<ListBucketResult><KeyCount>5</KeyCount></ListBucketResult>"
	)
	for name, c := range map[string]struct {
		onList func(http.ResponseWriter, string) bool
		class  fault.Class
	}{
		"denied":    {refuse(http.StatusForbidden, fmt.Sprintf(document, "AccessDenied")), "AccessDenied"},
		"refused":   {refuse(http.StatusBadRequest, fmt.Sprintf(document, "InvalidArgument")), "InvalidArgument"},
		"a failure": {refuse(http.StatusInternalServerError, fmt.Sprintf(document, "InternalError")), "InternalError"},
		"untrue":    {refuse(http.StatusOK, untrue), fault.WrongDocument},
	} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprint(name, known), func(t *testing.T) {
				t.Parallel()
				s := &missingStore{
					keys: []string{"a", "b", "c", "d"}, onList: c.onList,
					missing: func(key string) bool { return key < "c" }, gone: func(key string) bool { return key == "c" },
				}
				cfg := scan.Config{Engine: engine.Direct, Listers: 1}
				if known {
					cfg.Keys = list.NewKeys([]list.Entry{{Key: "a", Size: -1}, {Key: "b", Size: -1}, {Key: "c"}, {Key: "d"}})
				}
				r := run(t.Context(), t, open(t, s.start(t)), cfg)
				got := classes(r)
				if r.err != nil || r.stats.Gone != 1 || got[c.class] != 1 || got[fault.ListedNotFound] != 1 {
					t.Errorf("got %+v, %v, error %v; want one object of class %s, one still listed, and one gone",
						r.stats.Outcomes, got, r.err, c.class)
				}
			})
		}
	}
}

// A known key that was decoded keeps the key as it was listed: its object has one of both names.
func TestKnownKeysByTheirListedNames(t *testing.T) {
	t.Parallel()
	s := &missingStore{
		keys: []string{"k+1", "k+2", "k+3", "k 4"}, declares: true,
		missing: func(key string) bool { return key == "k+2" }, gone: func(key string) bool { return key == "k+3" },
	}
	var known []list.Entry
	for i := range 4 {
		known = append(known, list.Entry{Key: fmt.Sprint("k ", i+1), Encoded: fmt.Sprint("k+", i+1), Size: -1})
	}
	cfg := scan.Config{Engine: engine.Direct, Keys: list.NewKeys(known)}
	r := run(t.Context(), t, open(t, s.start(t)), cfg)
	if r.err != nil || len(r.lines) != 2 || lineKey(t, r.lines[0]) != "k+1" || lineKey(t, r.lines[1]) != "k 4" ||
		r.stats.Gone != 1 || classes(r)[fault.ListedNotFound] != 1 {
		t.Errorf("got %q, %+v, %v, error %v; want k+1, k 4, one gone, and one listed_not_found",
			r.lines, r.stats.Outcomes, classes(r), r.err)
	}
}
