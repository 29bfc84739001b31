package head

import "testing"

func TestFailureStreak(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []int
		want     int // index of the first status for which the Session leaves; -1: none
	}{
		"answers":               {[]int{200, 404, 200, 404}, -1},
		"three error answers":   {[]int{403, 401, 400}, 2},
		"redirects":             {[]int{301, 307, 301, 301}, -1},
		"an answer between":     {[]int{403, 403, 200, 403, 403}, -1},
		"not found between":     {[]int{403, 403, 404, 403, 403, 403}, 5},
		"a transient status":    {[]int{200, 503}, 1},
		"throttling":            {[]int{429}, 0},
		"transient, and others": {[]int{403, 500}, 1},
	} {
		got := -1
		var streak FailureStreak
		for i, status := range c.statuses {
			if streak.ShouldLeave(status) && got < 0 {
				got = i
			}
		}
		if got != c.want {
			t.Errorf("%s: leaves at %d, want %d", name, got, c.want)
		}
	}
}
