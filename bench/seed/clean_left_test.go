package seed

import (
	"net/http"
	"testing"
	"time"
)

// A store that answers 404 or 200 but deletes nothing is detected.
func TestCleanFindsWhatIsLeft(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		status int
	}{
		"keys in another spelling": {http.MethodHead, http.StatusNotFound},
		"no deletion":              {http.MethodDelete, http.StatusOK},
		"none":                     {},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			o := Objects{Count: 50}
			f.seeds(t, o)
			f.put(t, "p/headcount-seed/other", nil)
			denied := "/" + bucket + "/" + keysOf(t, o)[7]
			f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				switch {
				case r.URL.Path == denied:
					return refuse(w, http.StatusForbidden, "AccessDenied")
				case r.Method != test.method || r.URL.Path == "/"+bucket+"/p/headcount-seed/other":
					return false
				}
				w.WriteHeader(test.status)
				return true
			})
			want := int64(49)
			if test.method == "" {
				want = 0
			}
			stats, _ := f.cleans(t, f.config(t))
			if stats.Left != want || stats.Failed != 1 || stats.Foreign != 1 || stats.Removed+stats.Gone != 49 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

// The time of the run does not include the time between Count and Run, in which the user is asked.
func TestCleanTakesItsTimeFromRunOn(t *testing.T) {
	f := newFake(t)
	f.seeds(t, Objects{Count: 3})
	c, err := NewClean(f.config(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	began := time.Now()
	stats, err := c.Run(t.Context())
	if took := time.Since(began).Seconds(); err != nil || stats.DurationSeconds > took {
		t.Errorf("%.3f s of %.3f, %v", stats.DurationSeconds, took, err)
	}
}
