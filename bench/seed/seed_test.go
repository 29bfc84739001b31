package seed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan/fault"
	"headcount/scan/list"
)

func TestFolder(t *testing.T) {
	for prefix, want := range map[string]string{
		"": "headcount-seed/", "p": "p/headcount-seed/", "p/": "p/headcount-seed/", "/": "/headcount-seed/",
		"headcount-seed/": "headcount-seed/", "p/headcount-seed": "p/headcount-seed/",
		"p/headcount-seed/":   "p/headcount-seed/",
		"not-headcount-seed/": "not-headcount-seed/headcount-seed/",
	} {
		if got := Folder(prefix); got != want || Folder(got) != want {
			t.Errorf("%q: %q, and of that %q", prefix, got, Folder(got))
		}
	}
}

// The objects are those that s3sim serves, with the Marker, for every shape of keys and kind of metadata.
func TestSeedPutsWhatItSays(t *testing.T) {
	for i, shape := range Shapes() {
		metadata := Metadatas()[i%len(Metadatas())]
		t.Run(fmt.Sprintf("%s, %s", shape, metadata), func(t *testing.T) {
			f := newFake(t)
			o := Objects{Count: 60, Shape: shape, Metadata: metadata, Size: 40 * i}
			if stats := f.seeds(t, o); stats.Put != 60 || stats.Present != 0 || stats.Sent["put"]["200"] != 60 ||
				stats.Latency["put"].Max == 0 {
				t.Errorf("%+v", stats)
			}
			keys := f.keys(t)
			if got, want := keys, slices.Sorted(slices.Values(keysOf(t, o))); !slices.Equal(got, want) {
				t.Fatalf("%q, want %q", got, want)
			}
			carried := map[int]int{}
			for _, key := range keys {
				head := f.head(t, key)
				got := head.Metadata
				if got[markerName] != s3sim.ID([]byte(key)) {
					t.Errorf("%q has the marker %q", key, got[markerName])
				}
				if id, has := got["id"]; has && id != s3sim.ID([]byte(key)) {
					t.Errorf("%q has the id %q", key, id)
				}
				carried[len(got)-1]++
				if *head.ContentLength != int64(o.Size) {
					t.Errorf("%q has %d bytes", key, *head.ContentLength)
				}
			}
			want := map[Metadata][]int{None: {0}, Small: {2}, Usual: {0, 2, 3}, Large: {largeNames + 1},
				Mixed: {0, 2, 3, largeNames + 1}}[metadata]
			if got := slices.Sorted(maps.Keys(carried)); !slices.Equal(got, want) {
				t.Errorf("they have %v metadata, want %v", carried, want)
			}
		})
	}
}

// From SizeDefault on all bodies differ; a pipelined scan could not distinguish the answers of equal ones.
func TestBodiesDiffer(t *testing.T) {
	keys := keysOf(t, Objects{Count: 20_000})
	for _, size := range []int{SizeDefault, SizeDefault + 1, 1000} {
		bodies := map[string]bool{}
		for _, key := range keys[:len(keys)/(size/SizeDefault)] {
			b := body(key, size)
			if len(b) != size || bodies[b] {
				t.Fatalf("%q has %q", key, b)
			}
			bodies[b] = true
		}
	}
}

func TestLargeMetadataAreLarge(t *testing.T) {
	sim, err := s3sim.New(s3sim.Options{Objects: 1})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, value := range Large.of(sim, "k") {
		n += len(name) + len(value)
	}
	if n != largeBytes {
		t.Errorf("%d bytes", n)
	}
}

// A second run puts only the missing objects, and does not touch existing ones, whatever they are.
func TestSeedResumes(t *testing.T) {
	f := newFake(t)
	o := Objects{Count: 1100, Shape: s3sim.Hashed}
	f.seeds(t, o)
	keys := keysOf(t, o)
	for _, i := range []int{0, 7, 999, 1000, 1099} {
		f.remove(t, keys[i])
	}
	f.put(t, keys[5], map[string]string{"somebody": "else"})
	f.put(t, "p/headcount-seed/other", nil)
	f.put(t, "p/headcount-seed", nil)
	f.faults(nil)
	stats := f.seeds(t, o)
	if stats.Present != 1095 || stats.Put != 5 || stats.Other != 1 || f.sent("PUT") != 5 {
		t.Errorf("%+v, %d PUTs", stats, f.sent("PUT"))
	}
	if n, kept := len(f.keys(t)), f.head(t, keys[5]).Metadata; n != 1102 || kept["somebody"] != "else" {
		t.Errorf("%d objects, %v", n, kept)
	}
}

// hash selects keys for a fault.
func hash(r *http.Request) int {
	n := 0
	for _, b := range []byte(r.URL.Path) {
		n = (31*n + int(b)) % 1009
	}
	return n % 100
}

func refuse(w http.ResponseWriter, status int, code string) bool {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>so it is</Message></Error>", code)
	return true
}

func hangUp() bool { panic(http.ErrAbortHandler) }

// Transient failures lose no object, and OnFailed is called for every permanent failure.
func TestSeedThroughFaults(t *testing.T) {
	f := newFake(t)
	o := Objects{Count: 400}
	denied := 0
	for _, key := range keysOf(t, o) {
		if r, _ := http.NewRequest(http.MethodPut, "http://h/"+bucket+"/"+key, nil); hash(r) < 3 {
			denied++
		}
	}
	f.faults(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		switch h := hash(r); {
		case r.Method != http.MethodPut:
			return false
		case h < 3:
			return refuse(w, http.StatusForbidden, "AccessDenied")
		case h < 6 && nth == 1:
			return refuse(w, http.StatusServiceUnavailable, "SlowDown")
		case h < 9 && nth == 1:
			return hangUp()
		case h < 12 && nth == 1: // AWS's answer to an idle connection
			return refuse(w, http.StatusBadRequest, "RequestTimeout")
		case h < 15 && nth == 1: // an error with status 200
			return refuse(w, http.StatusOK, "InternalError")
		}
		return false
	})
	cfg := f.config(t)
	objectErrors := failed(&cfg)
	s, err := New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	s.setDelay(time.Millisecond)
	stats, err := s.Run(t.Context())
	if err != nil || int(stats.Failed) != denied || denied == 0 || stats.Put != 400-stats.Failed {
		t.Fatalf("%+v, %v; %d are denied", stats, err, denied)
	}
	if len(*objectErrors) != denied {
		t.Errorf("%d calls of OnFailed", len(*objectErrors))
	}
	for _, e := range *objectErrors {
		want := "PUT s3://seeded/" + e.Entry.Key + ": 403 Forbidden: so it is"
		if e.Error() != want || e.Class != "AccessDenied" || e.Attempts != maxRefusals {
			t.Errorf("%v, %s, %d; want %s", e, e.Class, e.Attempts, want)
		}
	}
	if put := stats.Sent["put"]; put["200"] != stats.Put || put["503"] == 0 || put["400"] == 0 ||
		put["InternalError"] == 0 || put["closed"] == 0 || put["403"] != 2*stats.Failed {
		t.Errorf("%v", put)
	}
	if len(f.keys(t)) != 400-denied {
		t.Errorf("%d objects", len(f.keys(t)))
	}
	f.faults(nil)
	if stats := f.seeds(t, o); int(stats.Put) != denied || f.sent("PUT") != denied {
		t.Errorf("%+v, %d PUTs", stats, f.sent("PUT"))
	}
}

// An object whose PUT always fails is given up, with and without other objects that succeed.
func TestSeedGivesUp(t *testing.T) {
	for _, count := range []int64{1, 30} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			f := newFake(t)
			o := Objects{Count: count}
			failing := "/seeded/" + keysOf(t, o)[0]
			f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				return r.Method == http.MethodPut && r.URL.Path == failing &&
					refuse(w, http.StatusInternalServerError, "InternalError")
			})
			s, err := New(f.config(t), o)
			if err != nil {
				t.Fatal(err)
			}
			s.setDelay(5 * time.Millisecond) // time for other PUTs
			if stats, err := s.Run(t.Context()); err != nil || stats.Failed != 1 || stats.Put != count-1 ||
				stats.Sent["put"]["500"] != fault.MaxAttemptsDefault ||
				stats.Retries["put"]["500"] != fault.MaxAttemptsDefault-1 {
				t.Errorf("%+v, %v", stats, err)
			}
		})
	}
}

// If the store refuses everything, the run ends early, with the reason.
func TestSeedEndsWhereAllIsRefused(t *testing.T) {
	f := newFake(t)
	f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		return r.Method == http.MethodPut && refuse(w, http.StatusForbidden, "AccessDenied")
	})
	s, err := New(f.config(t), Objects{Count: 1000})
	if err != nil {
		t.Fatal(err)
	}
	stats, err := s.Run(t.Context())
	var refused *list.StoreError
	if !errors.As(err, &refused) || refused.Code != "AccessDenied" || stats.Complete || stats.Put != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	if n := f.sent("PUT"); n > 2*refusedAtStart {
		t.Errorf("%d PUTs", n)
	}
}

// A run waits for a store that answers no PUT, but not longer than RetryFor.
func TestSeedEndsInSilence(t *testing.T) {
	f := newFake(t)
	f.faults(func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		return r.Method == http.MethodPut && hangUp()
	})
	cfg := f.config(t)
	cfg.RetryFor = 50 * time.Millisecond
	s, err := New(cfg, Objects{Count: 100})
	if err != nil {
		t.Fatal(err)
	}
	stats, err := s.Run(t.Context())
	var unavailable *fault.UnavailableError
	if !errors.As(err, &unavailable) || unavailable.Op != "PUT" || stats.Complete || stats.Failed != 0 ||
		stats.Error == "" {
		t.Errorf("%+v, %v", stats, err)
	}
}

// A bucket that disappears ends the run, and does not fail all remaining objects.
func TestSeedEndsWithItsBucket(t *testing.T) {
	f := newFake(t)
	gone := false
	f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		gone = gone || strings.HasSuffix(r.URL.Path, "50")
		return gone && refuse(w, http.StatusNotFound, "NoSuchBucket")
	})
	s, err := New(f.config(t), Objects{Count: 1000})
	if err != nil {
		t.Fatal(err)
	}
	stats, err := s.Run(t.Context())
	var refused *list.StoreError
	if !errors.As(err, &refused) || refused.Code != "NoSuchBucket" || stats.Put == 0 || stats.Failed > 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// A run that is stopped at its first PUT, in the middle or at its last PUT ends with the reason, and another run puts
// the rest.
func TestSeedIsStopped(t *testing.T) {
	why := errors.New("enough")
	for _, at := range []int{0, 1, 100, 200} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			f := newFake(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			puts := 0
			f.faults(func(_ http.ResponseWriter, r *http.Request, _ int) bool {
				f.mu.Lock()
				defer f.mu.Unlock()
				if r.Method == http.MethodPut {
					puts++
				}
				if puts == at {
					cancel(why)
					return hangUp()
				}
				return false
			})
			o := Objects{Count: 200}
			s, err := New(f.config(t), o)
			if err != nil {
				t.Fatal(err)
			}
			stats, err := s.Run(ctx)
			if !errors.Is(err, why) || stats.Complete || stats.Put+stats.Failed > int64(max(0, at-1)) {
				t.Fatalf("%+v, %v", stats, err)
			}
			f.faults(nil)
			again := f.seeds(t, o)
			if again.Present < stats.Put || again.Present+again.Put != 200 || len(f.keys(t)) != 200 {
				t.Errorf("%+v after %+v", again, stats)
			}
		})
	}
}

// All requests together keep to the rate: 40 PUTs at 200/s wait for a fifth of a second, less the burst.
func TestSeedKeepsToItsRate(t *testing.T) {
	f := newFake(t)
	cfg := f.config(t)
	cfg.Rate = 200
	s, err := New(cfg, Objects{Count: 40})
	if err != nil {
		t.Fatal(err)
	}
	stats, err := s.Run(t.Context())
	if err != nil || stats.Put != 40 || stats.RateLimit != 200 || stats.DurationSeconds < 0.15 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestObjectsThatCannotBePut(t *testing.T) {
	for _, o := range []Objects{
		{Count: 0}, {Count: -1}, {Count: ObjectsMax + 1}, {Count: 1, Size: -1}, {Count: 1, Size: SizeMax + 1},
		{Count: 1, Shape: "round"}, {Count: 1, Shape: s3sim.Nasty}, {Count: 1, Metadata: "huge"},
	} {
		if err := o.Check("p"); err == nil {
			t.Errorf("%+v", o)
		}
	}
	long := Objects{Count: 1, Shape: s3sim.Long}
	if err := long.Check(""); err != nil {
		t.Error(err)
	}
	if err := long.Check(strings.Repeat("p", 100)); err == nil {
		t.Error("a key of more than 1,024 bytes")
	}
}
