package heads

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
)

// Eight workers, each with one HEAD of 5 ms at a time.
func TestClosedLoop(t *testing.T) {
	m := runStep(t, &fakeStore{latency: constant(5 * time.Millisecond)},
		&step{workers: 8, pipeline: 1, duration: 10 * time.Second})
	if m.Heads != 16_000 || m.HeadsPerSecond != 1600 || m.Errors != 0 || m.Connections != 8 ||
		math.Abs(m.InFlight-8) > 0.01 {
		t.Errorf("%+v", m)
	}
	if l := m.Latency; math.Abs(l.P50-5) > 0.01 || math.Abs(l.Max-5) > 0.01 || math.Abs(l.Mean-5) > 0.01 {
		t.Errorf("%+v", l)
	}
	if m.Statuses["200"] != m.Heads || m.BeganSeconds != 1 || m.DurationSeconds != 10 {
		t.Errorf("%v, %v, %v", m.Statuses, m.BeganSeconds, m.DurationSeconds)
	}
	heads := int64(0)
	for i, part := range m.Series {
		heads += part.Heads
		if part.AtSeconds != float64(i+2) || part.Seconds != 1 || math.Abs(float64(part.Heads)-1600) > 8 ||
			math.Abs(part.P99-5) > 0.1 {
			t.Errorf("%+v", part)
		}
	}
	if len(m.Series) != 10 || heads != m.Heads {
		t.Errorf("%d parts, %d HEADs", len(m.Series), heads)
	}
	if len(m.Histogram) != 1 || m.Histogram[0].Count != m.Heads || m.Histogram[0].Millis < 5 ||
		m.Histogram[0].Millis > 5.6 {
		t.Errorf("%v", m.Histogram)
	}
}

// The reason for the open loop: it shows the stalls of a store that stalls for half a second in ten, and the closed
// loop hides them.
func TestStall(t *testing.T) {
	const stall = 500 * time.Millisecond
	latency := stalling(5*time.Millisecond, stall)
	open := runStep(t, &fakeStore{latency: latency},
		&step{workers: 1024, rate: 1000, pipeline: 1, duration: 30 * time.Second})
	closed := runStep(t, &fakeStore{latency: latency}, &step{workers: 5, pipeline: 1, duration: 30 * time.Second})
	if open.Heads != 30_000 || open.Unsent != 0 || closed.Heads < 28_000 {
		t.Errorf("open: %d HEADs, %d late; closed: %d", open.Heads, open.Unsent, closed.Heads)
	}
	if l := open.Latency; l.P50 > 6 || l.P99 < 400 || l.P99 > 410 || l.P999 < 490 || l.Max < 500 || l.Max > 510 {
		t.Errorf("open: %+v", l)
	}
	if l := closed.Latency; l.P99 > 6 || l.P999 > 6 || l.Max < 500 {
		t.Errorf("closed: %+v", l)
	}
}

// With too few connections the planned HEADs wait, and the HEADs that are sent are as fast as ever: the two latencies
// differ.
func TestOpenLoopThatCannotKeepUp(t *testing.T) {
	m := runStep(t, &fakeStore{latency: constant(10 * time.Millisecond)},
		&step{workers: 5, rate: 1000, pipeline: 1, duration: 10 * time.Second})
	// 500 of 1,000 HEADs are sent in a second. The HEADs left over from the warm-up are skipped.
	if math.Abs(m.HeadsPerSecond-500) > 1 || m.Heads+m.Unsent != 10_000 || m.Errors != 0 || m.Connections != 5 ||
		math.Abs(m.InFlight-5) > 0.01 {
		t.Errorf("%v HEADs/s, %d + %d late, %d errors, %v in flight", m.HeadsPerSecond, m.Heads, m.Unsent, m.Errors,
			m.InFlight)
	}
	if s := m.Service; math.Abs(s.P50-10) > 0.1 || math.Abs(s.Max-10) > 0.1 {
		t.Errorf("%+v", s)
	}
	// The HEADs that were sent waited for 5 s at most, and so did the others: the HEADs at the end were planned at the
	// middle.
	if l := m.Latency; l.Max < 4950 || l.Max > 5050 || math.Abs(l.P50-2500) > 50 {
		t.Errorf("%+v", l)
	}
	counted := int64(0)
	for _, b := range m.Histogram {
		counted += b.Count
	}
	if counted != 10_000 {
		t.Errorf("%d latencies", counted)
	}
}

// An open loop makes no more connections than its rate needs.
func TestOpenLoopHasFewConnections(t *testing.T) {
	m := runStep(t, &fakeStore{latency: constant(10 * time.Millisecond)},
		&step{workers: 1024, rate: 200, pipeline: 1, duration: 5 * time.Second})
	if m.Heads != 1000 || m.Connections > 4 || m.Latency.Max > 10.1 {
		t.Errorf("%d HEADs on %d connections, %v ms at most", m.Heads, m.Connections, m.Latency.Max)
	}
}

// A store stops answering: the HEADs in flight and the planned HEADs count with the time that they wait.
func TestHangAtTheEnd(t *testing.T) {
	latency := func(at time.Duration) time.Duration {
		if at >= 6*time.Second {
			return time.Hour
		}
		return 10 * time.Millisecond
	}
	for _, rate := range []float64{0, 100} {
		m := runStep(t, &fakeStore{latency: latency},
			&step{workers: 10, rate: rate, pipeline: 1, duration: 10 * time.Second})
		if m.Errors != 10 || m.Statuses[classUnanswered] != 10 || m.Latency.Max < 6900 { // 5 s and drainTimeout
			t.Errorf("rate %v: %v, %v ms", rate, m.Statuses, m.Latency.Max)
		}
		if rate > 0 && (m.Heads != 500 || m.Unsent != 490 || m.Latency.P99 < 4500) {
			t.Errorf("%d HEADs, %d late, %v ms", m.Heads, m.Unsent, m.Latency.P99)
		}
	}
}

// A refusal is no success and has no latency. A HEAD that fails without an answer slows a closed loop down, or there
// would be a storm of connections.
func TestErrors(t *testing.T) {
	refuses := func(n int64) (int, error) {
		switch n % 4 {
		case 0:
			return 503, nil
		case 1:
			return 404, nil
		}
		return 200, nil
	}
	m := runStep(t, &fakeStore{latency: constant(time.Millisecond), outcome: refuses},
		&step{workers: 1, pipeline: 1, duration: time.Second})
	if m.Heads != 500 || m.Errors != 500 || m.Statuses["503"] != 250 || m.Statuses["404"] != 250 ||
		m.Histogram[0].Count != 500 {
		t.Errorf("%v, %v", m.Statuses, m.Histogram)
	}
	fails := func(int64) (int, error) { return 0, errTest }
	// HEADs are sent at 0, 1, 52, 103 … 1174, 1225 ms. They count from 205 ms on, and the last one is too late.
	f := &fakeStore{latency: constant(time.Millisecond), outcome: fails}
	m = runStep(t, f, &step{workers: 1, pipeline: 1, duration: time.Second})
	if m.Heads != 0 || m.Errors != 20 || f.heads.Load() != 26 || m.Statuses["connection"] != m.Errors ||
		m.Connections != 0 {
		t.Errorf("%v", m.Statuses)
	}
	times := func(int64) (int, error) { return 0, context.DeadlineExceeded }
	m = runStep(t, &fakeStore{latency: constant(100 * time.Millisecond), outcome: times},
		&step{workers: 1, pipeline: 1, duration: time.Second})
	if m.Statuses[classTimeout] != m.Errors || m.Errors == 0 || math.Abs(m.Latency.P50-100) > 1 {
		t.Errorf("%v, %v ms", m.Statuses, m.Latency.P50)
	}
}

// The results until a signal are kept.
func TestInterrupted(t *testing.T) {
	for _, rate := range []float64{0, 100} {
		for at, want := range map[time.Duration]float64{500 * time.Millisecond: 0, 3500 * time.Millisecond: 2.5,
			20 * time.Second: 10} {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeStore{latency: constant(10 * time.Millisecond), began: time.Now()}
				s := &step{engine: f, store: f, keys: make([]list.Entry, 7), preciseSleep: time.Sleep, workers: 3,
					rate: rate, pipeline: 1, duration: 10 * time.Second}
				ctx, cancel := context.WithCancelCause(t.Context())
				timer := time.AfterFunc(at, func() { cancel(errTest) })
				defer timer.Stop()
				s.begin(time.Now())
				m, err := s.run(ctx, time.Now())
				if errors.Is(err, errTest) != (want < 10) || math.Abs(m.DurationSeconds-want) > 1e-6 || m.Errors != 0 ||
					m.Unsent != 0 {
					t.Errorf("at %v: %v, %v s, %v", at, err, m.DurationSeconds, m.Statuses)
				}
				perSecond := 300.0
				if rate > 0 {
					perSecond = rate
				}
				if math.Abs(float64(m.Heads)-want*perSecond) > 3 || len(m.Series) != int(math.Ceil(want)) {
					t.Errorf("at %v: %d HEADs, %d parts", at, m.Heads, len(m.Series))
				}
			})
		}
	}
}

// No HEAD allocates memory.
func TestObserveAllocatesNothing(t *testing.T) {
	f := &fakeStore{}
	s := &step{engine: f, store: f, keys: make([]list.Entry, 10), workers: 1, duration: time.Hour}
	s.begin(time.Now().Add(-time.Minute))
	a := newSender(s, 0)
	r := head.Result{Status: 200, Latency: time.Millisecond}
	observe := func() {
		r.Received = time.Now()
		a.onResult(&r)
	}
	for range 2 * observationsMax {
		observe()
	}
	if allocs := testing.AllocsPerRun(10*observationsMax, observe); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
