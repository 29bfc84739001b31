package scan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/exit"
	"headcount/scan/fault"
	"headcount/scan/filter"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/lookup"
	"headcount/scan/store"
)

// lookupLine is what a line says of the further requests; nil: nothing.
type lookupLine struct {
	Tags, Annotations map[string]string
}

// expectLookups checks what all lines say of the requests of some kinds.
func expectLookups(t *testing.T, server *s3sim.Server, lines []string, kinds ...lookup.Kind) {
	t.Helper()
	for _, line := range lines {
		var got lookupLine
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		o := server.Object([]byte(lineKey(t, line)))
		for _, kind := range kinds {
			texts, want := got.Tags, map[string]string{}
			if kind == lookup.Annotations {
				texts = got.Annotations
				for _, a := range server.Annotations(o) {
					want[a.Name] = strconv.FormatInt(a.Size, 10)
				}
			} else {
				for _, tag := range o.Tags() {
					want[tag.Key] = tag.Value
				}
			}
			if texts == nil || !maps.Equal(texts, want) {
				t.Fatalf("%s: want %v", line, want)
			}
		}
	}
}

// tagged returns how many objects of a sim have tags, among those with metadata if there is no All.
func tagged(server *s3sim.Server) (n int64) {
	ks := server.Keyspace()
	for i := range ks.Len() {
		if len(server.Object(ks.Key(i)).Tags()) > 0 {
			n++
		}
	}
	return n
}

func bothLookups() []lookup.Kind { return []lookup.Kind{lookup.Tags, lookup.Annotations} }

// Every object gets its tags and annotations, in the order of keys, whatever the store says of tags in its HEADs, and
// with each kind of trouble.
func TestLookups(t *testing.T) {
	t.Parallel()
	for _, tagging := range []s3sim.Tagging{s3sim.TagsCounted, s3sim.TagsUncounted, s3sim.TagsInHead} {
		for _, kind := range []s3sim.FaultKind{
			"", s3sim.Fault503Empty, s3sim.Fault503RetryAfter, s3sim.FaultRSTBeforeByte, s3sim.FaultRSTInHeaders,
		} {
			if kind != "" && tagging != s3sim.TagsCounted {
				continue // the troubles are those of the stage
			}
			t.Run(fmt.Sprint(tagging, " ", kind), func(t *testing.T) {
				t.Parallel()
				o := s3sim.Options{Objects: 600, Attributes: true, Tagging: tagging, Annotations: 3}
				if kind != "" {
					o.Faults, o.Objects = []s3sim.Fault{{Kind: kind, Rate: 0.03}}, 300
				}
				server, url := simtest.Start(t, o)
				cfg := scan.Config{Engine: engine.Direct, Workers: 16, All: true, Ordered: true, Lookups: bothLookups()}
				r := run(t.Context(), t, open(t, url), cfg)
				if r.err != nil || r.stats.Emitted != o.Objects {
					t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
				}
				expectLookups(t, server, r.lines, cfg.Lookups...)
				if !slices.IsSortedFunc(r.lines, func(a, b string) int { return strings.Compare(lineKey(t, a), lineKey(t, b)) }) {
					t.Error("the lines are not in the order of keys")
				}
				tags, annotations := r.stats.Requests["tags"]["200"], r.stats.Requests["annotations"]["200"]
				least := o.Objects
				if tagging == s3sim.TagsInHead {
					least -= tagged(server)
				}
				most := least
				if kind != "" {
					most += o.Objects / 2 // an object that was sampled is asked for again
				}
				if tags < least || tags > most || annotations < o.Objects {
					t.Errorf("%d requests for tags, of from %d to %d, and %d for annotations", tags, least, most, annotations)
				}
			})
		}
	}
}

// A scan with further requests that is killed and resumed prints every object once, with what it has.
func TestLookupsResume(t *testing.T) {
	t.Parallel()
	o := s3sim.Options{Objects: 4_500, Attributes: true}
	server, url := simtest.Start(t, o)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	cfg := scan.Config{Engine: engine.Direct, Workers: 16, All: true, Lookups: []lookup.Kind{lookup.Tags}}
	r := runWithKills(t, open(t, url), cfg, nil, rand.New(rand.NewPCG(seed, 1)))
	if r.err != nil || r.stats.Emitted != o.Objects || r.stats.Runs < 2 || r.stats.Requests["tags"]["200"] < tagged(server) {
		t.Fatalf("%+v, %v", r.stats, r.err)
	}
	checkLines(t, server, r.lines)
	expectLookups(t, server, r.lines, cfg.Lookups...)
}

// A request is sent only for an object that may be printed.
func TestLookupsThatAreNotNeeded(t *testing.T) {
	t.Parallel()
	server, url := simtest.Start(t, s3sim.Options{Objects: 300, Attributes: true, Annotations: 1})
	for expression, want := range map[string]int64{
		`storage_class == "NONE" && tags.env == "prod"`:                              0, // by the LIST
		`content_type == "none" && len(annotations) > 0`:                             0, // by the HEAD
		`tags.env == "prod" && object_lock_mode == "none" && annotations["x"] == ""`: 0,
		`metadata.owner == "nobody"`:                                                 0, // what is printed has no need of it either
		`metadata.owner == "alice" and (size < 0 or len(annotations) >= 0)`:          1,
	} {
		compiled, err := filter.Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		cfg := scan.Config{Engine: engine.Direct, Workers: 8, Filter: compiled.Scan(), Lookups: bothLookups()}
		r := run(t.Context(), t, open(t, url), cfg)
		sent := r.stats.Requests["annotations"]["200"]
		if r.err != nil || want == 0 && sent > 0 || want > 0 && (sent == 0 || sent != r.stats.Emitted) {
			t.Errorf("%s: %d requests, %+v, %v", expression, sent, r.stats.Outcomes, r.err)
		}
		expectLookups(t, server, r.lines, cfg.Lookups...)
	}
	// Without a filter and without All, what has no metadata is not printed.
	cfg := scan.Config{Engine: engine.Direct, Workers: 8, Lookups: []lookup.Kind{lookup.Annotations}}
	r := run(t.Context(), t, open(t, url), cfg)
	if sent := r.stats.Requests["annotations"]["200"]; r.err != nil || sent != r.stats.Emitted || r.stats.WithoutMetadata == 0 {
		t.Errorf("%d requests, %+v, %v", sent, r.stats.Outcomes, r.err)
	}
}

// Where the caller may read the tags of some objects alone, the others fail: their HEADs say no number either.
func TestLookupsDeniedForSome(t *testing.T) {
	t.Parallel()
	var sim *s3sim.Server
	sim, s := lookupStore(t, s3sim.Options{Objects: 300, Attributes: true},
		func(w http.ResponseWriter, key string, _ int) bool {
			if len(sim.Object([]byte(key)).Tags()) > 0 {
				return false
			}
			writeError(w, http.StatusForbidden, "AccessDenied")
			return true
		})
	cfg := scan.Config{Engine: engine.Direct, Workers: 4, All: true, Lookups: []lookup.Kind{lookup.Tags}}
	r := run(t.Context(), t, s, cfg)
	if want := tagged(sim); r.err != nil || want == 0 || r.stats.Emitted != want || r.stats.Failed != 300-want {
		t.Fatalf("%d objects with tags; %+v, %v", want, r.stats.Outcomes, r.err)
	}
	expectLookups(t, sim, r.lines, lookup.Tags)
}

// Without the right to read tags, each object fails and names the right; a large run ends soon.
func TestLookupsDenied(t *testing.T) {
	t.Parallel()
	for _, objects := range []int64{300, 5_000} {
		_, url := simtest.Start(t, s3sim.Options{Objects: objects, Attributes: true, Tagging: s3sim.TagsDenied})
		cfg := scan.Config{Engine: engine.Direct, Workers: 8, All: true, Lookups: []lookup.Kind{lookup.Tags}}
		r := run(t.Context(), t, open(t, url), cfg)
		if objects > 1_000 {
			var refused *scan.RefusedError
			if !errors.As(r.err, &refused) || !strings.Contains(r.err.Error(), "s3:GetObjectTagging") ||
				!strings.Contains(exit.Hint(r.err), "scan without --tags for the rest") {
				t.Errorf("%v; %s", r.err, exit.Hint(r.err))
			}
			continue
		}
		if r.err != nil || r.stats.Failed != objects {
			t.Fatalf("%+v, %v", r.stats.Outcomes, r.err)
		}
		for _, e := range r.failed {
			if e.Op != "GetObjectTagging" || e.Status != http.StatusForbidden || e.Class != "AccessDenied" ||
				!strings.HasSuffix(e.Error(), "it needs s3:GetObjectTagging") || e.RequestID == "" {
				t.Fatalf("%v, %+v", e, e)
			}
		}
	}
}

// A store that does not know a request ends the run with the reason: it says so, or it serves the object itself.
func TestLookupsUnsupported(t *testing.T) {
	t.Parallel()
	_, simURL := simtest.Start(t, s3sim.Options{Objects: 2_000})
	_, objectURL := startWithHandler(t, s3sim.Options{Objects: 100}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("annotation") {
			w.Header().Set("ETag", `"x"`)
			_, _ = w.Write([]byte(strings.Repeat("the object ", 10_000)))
			return true
		}
		return false
	})
	for _, url := range []string{simURL, objectURL} {
		cfg := scan.Config{Engine: engine.Direct, Workers: 8, All: true, Lookups: []lookup.Kind{lookup.Annotations}}
		r := run(t.Context(), t, open(t, url), cfg)
		var unsupported *scan.UnsupportedError
		if !errors.As(r.err, &unsupported) || exit.Code(r.err) != exit.Fatal || !strings.Contains(exit.Hint(r.err), "--annotations") {
			t.Errorf("%v; %s", r.err, exit.Hint(r.err))
		}
	}
}

// lookupStore answers requests for tags by a function, and others as a sim.
func lookupStore(
	t *testing.T, o s3sim.Options, answer func(w http.ResponseWriter, key string, n int) bool,
) (*s3sim.Server, *store.Store) {
	var (
		mu   sync.Mutex
		sent = map[string]int{}
	)
	server, url := startWithHandler(t, o, func(w http.ResponseWriter, r *http.Request) bool {
		if !r.URL.Query().Has("tagging") {
			return false
		}
		key := strings.TrimPrefix(r.URL.Path, "/demo/")
		mu.Lock()
		sent[key]++
		n := sent[key]
		mu.Unlock()
		return answer(w, key, n)
	})
	return server, open(t, url)
}

func writeError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>m</Message></Error>", code)
}

// An object that only the request for tags does not find gets one more HEAD, and fails the second time. One that is not
// found once has its tags.
func TestLookupDoesNotFind(t *testing.T) {
	t.Parallel()
	once, never, noSet := "obj-000000000003", "obj-000000000005", "obj-000000000007"
	_, s := lookupStore(t, s3sim.Options{Objects: 20, Attributes: true, Tagging: s3sim.TagsUncounted},
		func(w http.ResponseWriter, key string, n int) bool {
			switch {
			case key == once && n == 1, key == never:
				writeError(w, http.StatusNotFound, "NoSuchKey")
			case key == noSet:
				writeError(w, http.StatusNotFound, "NoSuchTagSet")
			default:
				return false
			}
			return true
		})
	cfg := scan.Config{Engine: engine.Direct, Workers: 2, All: true, Lookups: []lookup.Kind{lookup.Tags}}
	r := run(t.Context(), t, s, cfg)
	if r.err != nil || r.stats.Emitted != 19 || r.stats.Failed != 1 || r.stats.Heads != 22 {
		t.Fatalf("%+v, %d HEADs, %v", r.stats.Outcomes, r.stats.Heads, r.err)
	}
	if e := r.failed[0]; e.Entry.Key != never || e.Class != fault.ListedNotFound {
		t.Errorf("%v, %s", e, e.Class)
	}
}

// An object that is deleted between its HEAD and the request for its tags is gone.
func TestLookupOfDeleted(t *testing.T) {
	t.Parallel()
	var heads atomic.Int64
	var sim *s3sim.Server
	var seen sync.Map
	url := ""
	sim, url = startWithHandler(t, s3sim.Options{Objects: 40, Gone: 0.2}, func(w http.ResponseWriter, r *http.Request) bool {
		key := strings.TrimPrefix(r.URL.Path, "/demo/")
		if r.Method != http.MethodHead || key == "" {
			return false
		}
		if _, again := seen.LoadOrStore(key, true); again || sim.HeadState([]byte(key)) != s3sim.HeadGone {
			return false
		}
		heads.Add(1)
		o := sim.Object([]byte(key))
		w.Header().Set("ETag", `"`+o.ETag()+`"`)
		w.Header().Set("Content-Length", strconv.FormatInt(o.Size(), 10))
		w.Header().Set("Last-Modified", o.LastModified().UTC().Format(http.TimeFormat))
		return true
	})
	cfg := scan.Config{Engine: engine.Direct, Workers: 2, All: true, Lookups: []lookup.Kind{lookup.Tags}}
	r := run(t.Context(), t, open(t, url), cfg)
	if gone := heads.Load(); r.err != nil || gone == 0 || r.stats.Gone != gone || r.stats.Emitted != 40-gone {
		t.Errorf("%d gone; %+v, %v", gone, r.stats.Outcomes, r.err)
	}
}

// An object whose request always fails does not end the run, and is the only one to fail.
func TestLookupThatAlwaysFails(t *testing.T) {
	t.Parallel()
	bad := "obj-000000000011"
	_, s := lookupStore(t, s3sim.Options{Objects: 50, Attributes: true, Tagging: s3sim.TagsUncounted},
		func(w http.ResponseWriter, key string, _ int) bool {
			if key == bad {
				writeError(w, http.StatusInternalServerError, "InternalError")
			}
			return key == bad
		})
	cfg := scan.Config{
		Engine: engine.Direct, Workers: 4, All: true, MaxAttempts: 3, Lookups: []lookup.Kind{lookup.Tags},
	}
	r := run(t.Context(), t, s, cfg)
	if r.err != nil || r.stats.Failed != 1 || r.stats.Emitted != 49 || r.failed[0].Entry.Key != bad ||
		r.failed[0].Class != "InternalError" || r.stats.Retries["tags"]["500"] < 2 {
		t.Errorf("%+v, %v, %v", r.stats.Outcomes, r.failed, r.err)
	}
}

// A store that answers no request for tags any more ends the run, by --retry-for.
func TestLookupsUnavailable(t *testing.T) {
	t.Parallel()
	_, s := lookupStore(t, s3sim.Options{Objects: 50, Attributes: true, Tagging: s3sim.TagsUncounted},
		func(w http.ResponseWriter, _ string, _ int) bool {
			writeError(w, http.StatusServiceUnavailable, "SlowDown")
			return true
		})
	cfg := scan.Config{
		Engine: engine.Direct, Workers: 4, All: true, RetryFor: 500 * time.Millisecond, Lookups: []lookup.Kind{lookup.Tags},
	}
	r := run(t.Context(), t, s, cfg)
	var unavailable *fault.UnavailableError
	if !errors.As(r.err, &unavailable) || unavailable.Op != "GetObjectTagging" {
		t.Errorf("%v", r.err)
	}
}

// The run ends at once when it is stopped, also while further requests wait.
func TestLookupsStopped(t *testing.T) {
	t.Parallel()
	stopped := errors.New("stopped")
	ctx, stop := context.WithCancelCause(t.Context())
	_, s := lookupStore(t, s3sim.Options{Objects: 3_000, Attributes: true, Tagging: s3sim.TagsUncounted},
		func(w http.ResponseWriter, _ string, _ int) bool {
			stop(stopped)
			writeError(w, http.StatusServiceUnavailable, "SlowDown")
			return true
		})
	cfg := scan.Config{Engine: engine.Direct, Workers: 4, All: true, Lookups: []lookup.Kind{lookup.Tags}}
	if r := run(ctx, t, s, cfg); !errors.Is(r.err, stopped) {
		t.Errorf("%v", r.err)
	}
}

// Annotations come in pages, and those of a version are asked for by it.
func TestLookupsOfAVersion(t *testing.T) {
	t.Parallel()
	var tokens atomic.Int64
	_, url := startWithHandler(t, s3sim.Options{Objects: 1}, func(w http.ResponseWriter, r *http.Request) bool {
		q := r.URL.Query()
		switch {
		case r.Method == http.MethodHead:
			w.Header().Set("ETag", `"x"`)
			w.Header().Set("Content-Length", "3")
			w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 05:00:00 GMT")
			w.Header().Set("x-amz-version-id", "v7")
		case q.Has("annotation") && q.Get("versionId") == "v7" && q.Get("continuation-token") == "":
			_, _ = w.Write([]byte(`<?xml version="1.0"?><ListObjectAnnotationsResult><Annotations><AnnotationEntry>` +
				`<AnnotationName>b</AnnotationName><Size>2</Size></AnnotationEntry></Annotations>` +
				`<NextContinuationToken>t</NextContinuationToken></ListObjectAnnotationsResult>`))
		case q.Has("annotation") && q.Get("versionId") == "v7" && q.Get("continuation-token") == "t":
			tokens.Add(1)
			_, _ = w.Write([]byte(`<ListObjectAnnotationsOutput xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Annotations>` +
				`<AnnotationEntry><AnnotationName>a</AnnotationName><Size>1</Size></AnnotationEntry></Annotations>` +
				`</ListObjectAnnotationsOutput>`))
		case q.Has("tagging") && q.Get("versionId") == "v7":
			writeError(w, http.StatusForbidden, "AccessDenied")
		default:
			return false
		}
		return true
	})
	for _, kind := range bothLookups() {
		cfg := scan.Config{Engine: engine.Direct, Workers: 1, All: true, Lookups: []lookup.Kind{kind}}
		cfg.Keys = list.NewKeys([]list.Entry{{
			Key: "obj-000000000000", Size: -1, Details: &list.Details{VersionID: "v7"},
		}})
		r := run(t.Context(), t, open(t, url), cfg)
		switch {
		case kind == lookup.Annotations && (len(r.lines) != 1 || tokens.Load() != 1 || r.stats.Requests["annotations"]["200"] != 2 ||
			!strings.HasSuffix(r.lines[0], `"annotations":{"a":"1","b":"2"}}`)):
			t.Errorf("%q, %v", r.lines, r.err)
		case kind == lookup.Tags && (len(r.failed) != 1 || !strings.Contains(r.failed[0].Error(), "s3:GetObjectVersionTagging")):
			t.Errorf("%v, %v", r.failed, r.err)
		}
	}
}
