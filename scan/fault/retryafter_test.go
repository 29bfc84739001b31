package fault

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for _, c := range []struct {
			header string
			want   time.Duration
		}{
			{"", 0},
			{"0", 0},
			{"7", 7 * time.Second},
			{"-3", 0},
			{"soon", 0},
			{"120", 2 * time.Minute},
			{"999999999", 2 * time.Minute},
			{in(time.Minute), time.Minute},
			{in(time.Hour), 2 * time.Minute},
			{in(-time.Hour), 0},
		} {
			if got := RetryAfter(c.header); got != c.want {
				t.Errorf("%q is %v, want %v", c.header, got, c.want)
			}
		}
	})
}
