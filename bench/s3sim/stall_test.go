package s3sim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStallResumeAt(t *testing.T) {
	began := time.Now()
	s := stall{duration: 500 * time.Millisecond, period: 10 * time.Second, start: began}
	for _, c := range []struct{ at, want time.Duration }{ // in milliseconds
		{-1000, -1000}, {0, 500}, {499, 500}, {500, 500}, {3000, 3000}, {9999, 9999},
		{10_000, 10_500}, {20_100, 20_500}, {20_500, 20_500},
	} {
		at, want := c.at*time.Millisecond, c.want*time.Millisecond
		if got := s.resumeAt(began.Add(at)).Sub(began); got != want {
			t.Errorf("a request at %v resumes at %v, want %v", at, got, want)
		}
	}
	if at := time.Now(); new(stall).resumeAt(at) != at {
		t.Error("the zero stall stalls")
	}
}

// A request that arrives in a stall, and a response that is due in one, wait for its end.
func TestStallDelaysResponses(t *testing.T) {
	const ms = time.Millisecond
	for _, latency := range []time.Duration{0, 5 * ms} {
		synctest.Test(t, func(t *testing.T) {
			_, c := startInProcess(t, Options{
				Objects: 20, Latency: latency, Stall: 500 * ms, StallEvery: 10 * time.Second,
			})
			began := time.Now()
			for _, test := range []struct{ sent, answered time.Duration }{
				{0, 500*ms + latency},
				{3000 * ms, 3000*ms + latency},
				{9998 * ms, max(9998*ms, min(latency*10_000, 10_500*ms))},
				{10_600 * ms, 10_600*ms + latency},
				{20_499 * ms, 20_500*ms + latency},
			} {
				time.Sleep(time.Until(began.Add(test.sent)))
				if response, _ := c.send(headRequest).receive("HEAD"); response.StatusCode != 200 {
					t.Fatal(response.Status)
				}
				if at := time.Since(began); at != test.answered {
					t.Errorf("latency %v: sent at %v, answered at %v, want %v", latency, test.sent, at, test.answered)
				}
			}
		})
	}
}

func TestStallOptions(t *testing.T) {
	for _, o := range []Options{
		{Stall: time.Second},
		{StallEvery: time.Second},
		{Stall: time.Second, StallEvery: time.Second},
		{Stall: -1, StallEvery: time.Second},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "must be above 0") {
			t.Errorf("%v every %v: %v", o.Stall, o.StallEvery, err)
		}
	}
}
