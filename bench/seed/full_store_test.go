package seed

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"headcount/scan/list"
)

// A store that is full after some PUTs ends a Seed soon. A store that refuses as many PUTs, but not in a row, does not.
func TestSeedEndsWhereTheStoreIsFull(t *testing.T) {
	for name, c := range map[string]struct {
		every, status int
		code          string
	}{
		"full":            {1, http.StatusForbidden, "QuotaExceeded"},
		"full, with 507":  {1, http.StatusInsufficientStorage, "XMinioStorageFull"},
		"every other one": {2, http.StatusForbidden, "QuotaExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			every := c.every
			f := newFake(t)
			puts := 0
			f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.Method != http.MethodPut {
					return false
				}
				f.mu.Lock()
				puts++
				refused := puts > 20 && hash(r)%every == 0
				f.mu.Unlock()
				return refused && refuse(w, c.status, c.code)
			})
			s, err := New(f.config(t), Objects{Count: 400})
			if err != nil {
				t.Fatal(err)
			}
			s.setDelay(time.Millisecond)
			stats, err := s.Run(t.Context())
			var refused *list.StoreError
			switch full := errors.As(err, &refused) && refused.Code == c.code; {
			case every == 1 && (!full || stats.Complete || stats.Put != 20 || f.sent("PUT") > 2*refusedInARow):
				t.Errorf("%+v, %v, %d PUTs", stats, err, f.sent("PUT"))
			case every == 2 && (err != nil || stats.Sent["put"]["403"] <= refusedInARow):
				t.Errorf("%+v, %v", stats, err)
			}
		})
	}
}

// A Clean continues after any number of retained objects.
func TestCleanGoesOnBehindWhatIsRetained(t *testing.T) {
	f := newFake(t)
	o := Objects{Count: 200}
	f.seeds(t, o)
	last := "/" + bucket + "/" + keysOf(t, o)[199]
	f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		first := strings.HasSuffix(r.URL.Path, "0000")
		return r.Method == http.MethodDelete && r.URL.Path != last && !first &&
			refuse(w, http.StatusForbidden, "AccessDenied")
	})
	cfg := f.config(t)
	cfg.Workers = 2
	c, err := NewClean(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.setDelay(0)
	if stats, err := c.Run(t.Context()); err != nil || stats.Removed != 2 || stats.Failed != 198 {
		t.Errorf("%+v, %v", stats, err)
	}
}
