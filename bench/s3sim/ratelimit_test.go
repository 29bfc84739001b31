package s3sim

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A client gets no more than the rate and the burst, whatever it asks for.
func TestRateLimiter(t *testing.T) {
	for _, rate := range []float64{2, 500, 5500} {
		for _, load := range []float64{0.5, 1, 1.2, 100} { // requested rate as a multiple of the limit
			const duration = 10 * time.Second
			l, began := newRateLimiter(rate), time.Now()
			got, every := 0.0, time.Duration(float64(time.Second)/(load*rate))
			n := int(duration / every)
			for i := range n {
				if l.take(began.Add(time.Duration(i) * every)) {
					got++
				}
			}
			burst := max(burstMin, rate*burstDuration.Seconds())
			saved := 0.0 // after a time without requests
			for saved <= burst && l.take(began.Add(2*duration)) {
				saved++
			}
			if saved != float64(int(burst)) {
				t.Errorf("%v/s: a burst of %v after a pause, want %v", rate, saved, burst)
			}
			want := min(float64(n), duration.Seconds()*rate+burst)
			if got > want || got < want-2 {
				t.Errorf("%v/s at %v times the rate: %v of %d answered, want %v", rate, load, got, n, want)
			}
		}
	}
	l, now := newRateLimiter(0), time.Now()
	for range 1000 {
		if !l.take(now) {
			t.Fatal("a limiter without a limit refuses")
		}
	}
}

// A request above the rate is refused with 503 and counted, and the connection stays usable.
func TestRateMax(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := startInProcess(t, Options{Objects: 20, RateMax: 1})
		head := func() int {
			response, _ := c.send(headRequest).receive("HEAD")
			return response.StatusCode
		}
		for i := range burstMin {
			if status := head(); status != 200 {
				t.Errorf("HEAD %d: %d", i, status)
			}
		}
		for range 3 {
			if status := head(); status != 503 {
				t.Errorf("a HEAD after the burst: %d", status)
			}
		}
		response, body := c.send(pageRequest).receive("GET")
		if response.StatusCode != 503 || !strings.Contains(body, "<Code>SlowDown</Code>") {
			t.Errorf("LIST: %d, %s", response.StatusCode, body)
		}
		time.Sleep(time.Second)
		if first, second := head(), head(); first != 200 || second != 503 {
			t.Errorf("HEADs after a second: %d, %d", first, second)
		}
		if counts := s.Counts(); counts.Throttled != 5 || counts.HeadStatus[503] != 4 || counts.ListStatus[503] != 1 {
			t.Errorf("%+v", counts)
		}
	})
	for _, rate := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := New(Options{RateMax: rate}); err == nil {
			t.Errorf("New accepts a rate of %v", rate)
		}
	}
}
