package list

import (
	"testing"
	"time"
)

// The least latency is that of the last windows: a store may answer the first pages from a cache.
func TestFastest(t *testing.T) {
	var f fastest
	if f.latency() != 0 {
		t.Errorf("%v before any LIST", f.latency())
	}
	now := time.Now()
	for _, c := range []struct {
		after         time.Duration
		latency, want time.Duration
	}{
		{0, 20 * time.Millisecond, 20 * time.Millisecond},
		{100 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond},
		{100 * time.Millisecond, 90 * time.Millisecond, 2 * time.Millisecond},
		{latencyWindow, 90 * time.Millisecond, 2 * time.Millisecond},
		{latencyWindow, 80 * time.Millisecond, 80 * time.Millisecond},
	} {
		now = now.Add(c.after)
		if f.observe(c.latency, now); f.latency() != c.want {
			t.Errorf("%v after %v: %v, want %v", c.latency, c.after, f.latency(), c.want)
		}
	}
}

// As many Pagers list as a number of keys per second needs, and at least pagersMin.
func TestPagersForSpeed(t *testing.T) {
	for latency, want := range map[time.Duration]int{
		0: 64, 100 * time.Microsecond: pagersMin, 2 * time.Millisecond: 8, 10 * time.Millisecond: 40, time.Second: 64,
	} {
		l := &ParallelLister{lister: new(Lister), maxPagers: 64}
		l.EnoughAt(4_000_000)
		if latency > 0 {
			l.lister.fastest.observe(latency, time.Now())
		}
		if got := l.pagersMax(); got != want {
			t.Errorf("%v a page: %d Pagers, want %d", latency, got, want)
		}
	}
}
