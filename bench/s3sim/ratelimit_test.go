package s3sim

import (
	"math"
	"strings"
	"testing"
	"time"
)

// Whatever a client asks for, it gets no more than the rate, and what was saved up.
func TestBudget(t *testing.T) {
	for _, rate := range []float64{2, 500, 5500} {
		for _, asked := range []float64{0.5, 1, 1.2, 100} {
			const lasts = 10 * time.Second
			b, began := newRateLimiter(rate), time.Now()
			got, every := 0.0, time.Duration(float64(time.Second)/(asked*rate))
			n := int(lasts / every)
			for i := range n {
				if b.take(began.Add(time.Duration(i) * every)) {
					got++
				}
			}
			left := 0.0 // after a time in which nothing was asked for
			for b.take(began.Add(2 * lasts)) {
				left++
			}
			if saved := max(burstMin, rate*burstDuration.Seconds()); left != float64(int(saved)) {
				t.Errorf("%v/s: %v were saved up, want %v", rate, left, saved)
			}
			want := min(float64(n), lasts.Seconds()*rate+max(burstMin, rate*burstDuration.Seconds()))
			if got > want || got < want-2 {
				t.Errorf("%v/s asked for %v times as much: %v of %d answered, want %v", rate, asked, got, n, want)
			}
		}
	}
	b, now := newRateLimiter(0), time.Now()
	for range 1000 {
		if !b.take(now) {
			t.Fatal("no limit refuses")
		}
	}
}

// What is beyond the rate is refused with 503, is counted, and leaves the connection usable.
func TestRateMax(t *testing.T) {
	s, address := start(t, Options{Objects: 20, RateMax: 1})
	c := dial(t, address)
	var refused int64
	for range burstMin + 3 {
		c.say(headRequest)
		if response, _ := c.answer("HEAD"); response.StatusCode == 503 {
			refused++
		} else if response.StatusCode != 200 {
			t.Errorf("status %d", response.StatusCode)
		}
	}
	if refused < 2 { // a slow machine earns another
		t.Errorf("%d HEADs were refused", refused)
	}
	response, body := c.say(pageRequest).answer("GET")
	if response.StatusCode != 503 || !strings.Contains(body, "<Code>SlowDown</Code>") {
		t.Errorf("LIST: %d, %s", response.StatusCode, body)
	}
	if counts := s.Counts(); counts.Throttled != refused+1 || counts.HeadStatus[503] != refused || counts.ListStatus[503] != 1 {
		t.Errorf("%+v", counts)
	}
	for _, rate := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := New(Options{RateMax: rate}); err == nil {
			t.Errorf("a rate of %v is taken", rate)
		}
	}
}
