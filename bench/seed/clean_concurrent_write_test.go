package seed

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"headcount/scan/store"
)

// An object that somebody writes before a DELETE is sent again is theirs, and stays.
func TestCleanLooksBeforeItDeletesAgain(t *testing.T) {
	for name, test := range map[string]struct{ heard, written bool }{
		"refused":            {false, true},
		"answer lost":        {true, true},
		"answer lost, alone": {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			o := Objects{Count: 20}
			f.seeds(t, o)
			overwritten := keysOf(t, o)[3]
			f.faults(func(w http.ResponseWriter, r *http.Request, nth int) bool {
				if r.Method != http.MethodDelete || !strings.HasSuffix(r.URL.Path, overwritten) || nth > 1 {
					return false
				}
				if f.remove(t, overwritten); test.written {
					f.put(t, overwritten, map[string]string{"owner": "somebody"})
				}
				if test.heard {
					return hangUp()
				}
				return refuse(w, http.StatusServiceUnavailable, "SlowDown")
			})
			stats, foreign := f.cleans(t, f.config(t))
			var want []string
			if test.written {
				want = []string{overwritten}
			}
			if !slices.Equal(f.keys(t), want) || !slices.Equal(foreign, targets(want)) ||
				int(stats.Removed) != 20-len(want) || stats.Gone != 0 {
				t.Errorf("%+v; foreign %q; there are %q", stats, foreign, f.keys(t))
			}
			if stats.Sent["head"]["200"]+stats.Sent["head"]["404"] != 21 || f.sent("DELETE") != 20 {
				t.Errorf("%v, %d DELETEs", stats.Sent, f.sent("DELETE"))
			}
		})
	}
}

// A DELETE does not wait behind HEADs of other workers, however many wait for the limiter.
func TestCleanDeletesRightAfterItsHead(t *testing.T) {
	f := newFake(t)
	f.seeds(t, Objects{Count: 40})
	var (
		heads, between int
		at             = map[string]int{}
	)
	f.faults(func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		switch r.Method {
		case http.MethodHead:
			heads++
			at[r.URL.Path] = heads
		case http.MethodDelete:
			between = max(between, heads-at[r.URL.Path])
		}
		return false
	})
	cfg := f.config(t)
	cfg.Rate, cfg.Workers = 40, 40
	stats, _ := f.cleans(t, cfg)
	// 750 ms; a DELETE that waits for the limiter lets all 39 other workers pass
	if stats.Removed != 40 || between > 30 {
		t.Errorf("up to %d HEADs of others between an object's HEAD and its DELETE; %+v", between, stats)
	}
	if stats.DurationSeconds < 1.75 { // 80 requests at 40/s, less the burst
		t.Errorf("%.2f s: the DELETEs are not counted", stats.DurationSeconds)
	}
}

// The endpoint that answers the HEAD is the one that gets the DELETE.
func TestCleanTakesOneEndpoint(t *testing.T) {
	opened, err := store.Open(t.Context(),
		store.Config{Bucket: bucket, Endpoints: []string{"http://127.0.0.1:9", "http://127.0.0.1:10"}, Isolated: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := NewClean(Config{Store: opened}, nil); !errors.Is(err, ErrSeveralEndpoints) {
		t.Errorf("%v", err)
	}
}
