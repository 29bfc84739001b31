package seed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan/list"
)

// others puts objects that no Clean may touch: beside the Folder, and in it without the Marker.
func (f *fake) others(t *testing.T, copied string) (beside, foreign []string) {
	beside = []string{"headcount-seed/obj", "p/headcount-seed", "p/headcount-seedling/k", "p/other",
		"p/q/headcount-seed/k", "z"}
	for _, key := range beside {
		f.put(t, key, map[string]string{markerName: marker(key)})
	}
	for key, metadata := range map[string]map[string]string{
		"p/headcount-seed/bare":    nil,
		"p/headcount-seed/copied":  {markerName: marker(copied)},
		"p/headcount-seed/empty":   {markerName: ""},
		"p/headcount-seed/id":      {"id": marker("p/headcount-seed/id")},
		"p/headcount-seed/one":     {markerName: "1"},
		"p/headcount-seed/z/owner": {"owner": "alice"},
	} {
		f.put(t, key, metadata)
		foreign = append(foreign, key)
	}
	slices.Sort(foreign)
	return beside, foreign
}

func targets(keys []string) (all []string) {
	for _, key := range keys {
		all = append(all, "s3://"+bucket+"/"+key)
	}
	return all
}

// Clean removes the objects of a Seed, of every shape, and no other.
func TestCleanRemovesJustThose(t *testing.T) {
	for i, shape := range Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			f := newFake(t)
			o := Objects{Count: 50, Shape: shape, Metadata: Metadatas()[i%len(Metadatas())]}
			f.seeds(t, o)
			beside, others := f.others(t, keysOf(t, o)[0])
			f.faults(nil)
			stats, foreign := f.cleans(t, f.config(t))
			slices.Sort(foreign)
			if stats.Removed != 50 || int(stats.Foreign) != len(others) || !slices.Equal(foreign, targets(others)) ||
				f.sent("DELETE") != 50 {
				t.Errorf("%+v, %d DELETEs, foreign: %q", stats, f.sent("DELETE"), foreign)
			}
			left := slices.Sorted(slices.Values(slices.Concat(beside, others)))
			if got := f.keys(t); !slices.Equal(got, left) {
				t.Errorf("there are %q, want %q", got, left)
			}
		})
	}
}

// Whole pages are deleted while others are listed. The Count is that of the Folder alone.
func TestCleanOfPages(t *testing.T) {
	f := newFake(t)
	f.seeds(t, Objects{Count: 1100, Shape: s3sim.Hashed, Metadata: None})
	f.put(t, "p/k", nil)
	c, err := NewClean(f.config(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Count(t.Context()); n != 1100 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if p := c.Progress(); p.Listed != 1100 || !p.ListedAll || p.Settled != 0 {
		t.Errorf("%+v", p)
	}
	if stats, _ := f.cleans(t, f.config(t)); stats.Removed != 1100 || stats.Sent["delete"]["204"] != 1100 ||
		stats.Sent["head"]["200"] != 1100 {
		t.Errorf("%+v", stats)
	}
	if stats, _ := f.cleans(t, f.config(t)); stats.Listed != 0 || len(f.keys(t)) != 1 {
		t.Errorf("%+v", stats)
	}
}

// With the same faults as for a Seed: no object that exists is taken for gone.
func TestCleanThroughFaults(t *testing.T) {
	f := newFake(t)
	o := Objects{Count: 400}
	f.seeds(t, o)
	var stay []string // the objects that are always denied
	gone := 0
	for _, key := range keysOf(t, o) {
		r, _ := http.NewRequest(http.MethodPut, "http://h/"+bucket+"/"+key, nil)
		switch h := hash(r); {
		case h < 6:
			stay = append(stay, key)
		case h >= 20 && h < 23:
			gone++
		}
	}
	f.faults(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		isHead, isDelete := r.Method == http.MethodHead, r.Method == http.MethodDelete
		switch h := hash(r); {
		case isDelete && h < 3, isHead && h >= 3 && h < 6:
			return refuse(w, http.StatusForbidden, "AccessDenied")
		case isDelete && h < 9 && nth == 1, isHead && h >= 9 && h < 12 && nth == 1:
			return refuse(w, http.StatusServiceUnavailable, "SlowDown")
		case (isDelete || isHead) && h >= 12 && h < 15 && nth == 1:
			return hangUp()
		case isDelete && h >= 15 && h < 18 && nth == 1:
			return refuse(w, http.StatusOK, "InternalError")
		case isDelete && h >= 18 && h < 20 && nth == 2: // an earlier DELETE succeeded
			return refuse(w, http.StatusNotFound, "NoSuchKey")
		case isDelete && h >= 18 && h < 20:
			return hangUp()
		case isHead && h >= 20 && h < 23:
			return refuse(w, http.StatusNotFound, "")
		}
		return false
	})
	cfg := f.config(t)
	objectErrors := failed(&cfg)
	stats, foreign := f.cleans(t, cfg)
	if int(stats.Failed) != len(stay) || len(*objectErrors) != len(stay) || int(stats.Gone) != gone || gone == 0 ||
		len(foreign) != 0 {
		t.Errorf("%+v; %d are denied, and %d gone", stats, len(stay), gone)
	}
	for _, e := range *objectErrors {
		if !slices.Contains(stay, e.Entry.Key) || e.Status != http.StatusForbidden || e.Attempts != maxRefusals {
			t.Errorf("%v, %d", e, e.Attempts)
		}
	}
	keys := f.keys(t)
	for _, key := range stay {
		if !slices.Contains(keys, key) {
			t.Errorf("%q was removed", key)
		}
	}
}

// An answer with the Marker that contradicts the listing is believed only if a new connection confirms it.
func TestCleanAsksAgainWhatIsUnlike(t *testing.T) {
	f := newFake(t)
	o := Objects{Count: 20}
	f.seeds(t, o)
	keys := keysOf(t, o)
	f.put(t, keys[3], map[string]string{"somebody": "else"})
	f.faults(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		if r.Method != http.MethodHead || !strings.HasSuffix(r.URL.Path, keys[3]) || nth > 1 {
			return false
		}
		w.Header().Set("X-Amz-Meta-"+markerName, marker(keys[3]))
		w.Header().Set("ETag", `"0123456789abcdef0123456789abcdef"`)
		w.WriteHeader(http.StatusOK)
		return true
	})
	stats, foreign := f.cleans(t, f.config(t))
	if stats.Foreign != 1 || !slices.Equal(foreign, targets(keys[3:4])) || stats.Sent["head"]["200"] != 21 {
		t.Errorf("%+v, %q", stats, foreign)
	}
}

// A Clean without the right to delete ends soon, with a reason.
func TestCleanEndsWhereAllIsRefused(t *testing.T) {
	f := newFake(t)
	f.seeds(t, Objects{Count: 300})
	f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		return r.Method == http.MethodDelete && refuse(w, http.StatusForbidden, "AccessDenied")
	})
	c, err := NewClean(f.config(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := c.Run(t.Context())
	var refused *list.StoreError
	if !errors.As(err, &refused) || refused.Op != "DELETE" || stats.Complete || stats.Removed != 0 ||
		f.sent("DELETE") > 2*refusedAtStart {
		t.Errorf("%+v, %v, %d DELETEs", stats, err, f.sent("DELETE"))
	}
}

// A Clean that is stopped at any request ends with the reason, and another run removes the rest.
func TestCleanIsStopped(t *testing.T) {
	why := errors.New("enough")
	for _, at := range []int{1, 2, 100, 402} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			f := newFake(t)
			f.seeds(t, Objects{Count: 200})
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			requests := 0
			f.faults(func(http.ResponseWriter, *http.Request, int) bool {
				f.mu.Lock()
				defer f.mu.Unlock()
				if requests++; requests == at {
					cancel(why)
					return hangUp()
				}
				return false
			})
			c, err := NewClean(f.config(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			c.setDelay(time.Millisecond)
			stats, err := c.Run(ctx)
			if !errors.Is(err, why) || stats.Complete || stats.Foreign+stats.Gone+stats.Failed > 0 {
				t.Fatalf("%+v, %v", stats, err)
			}
			f.faults(nil)
			if again, _ := f.cleans(t, f.config(t)); again.Removed > 200-stats.Removed || len(f.keys(t)) != 0 {
				t.Errorf("%+v after %+v, %d objects", again, stats, len(f.keys(t)))
			}
		})
	}
}
