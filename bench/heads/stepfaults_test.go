package heads

import (
	"context"
	"errors"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
)

// interrupted runs a step on a fake store until a signal.
func interrupted(t *testing.T, f *fakeStore, s *step, at time.Duration) (m Step, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f.began = time.Now()
		s.engine, s.store, s.keys, s.preciseSleep = f, f, make([]list.Entry, 1000), time.Sleep
		ctx, cancel := context.WithCancelCause(t.Context())
		timer := time.AfterFunc(at, func() { cancel(errTest) })
		defer timer.Stop()
		s.begin(time.Now())
		m, err = s.run(ctx, time.Now())
	})
	return m, err
}

// hangsFromSixth is the latency of a store that stops answering in the sixth second.
func hangsFromSixth(at time.Duration) time.Duration {
	if at >= 6*time.Second {
		return time.Hour
	}
	return 10 * time.Millisecond
}

// Unanswered HEADs count when a signal ends the step, in its middle, and while it drains.
func TestInterruptedWhileTheStoreHangs(t *testing.T) {
	for _, rate := range []float64{0, 100} {
		for at, want := range map[time.Duration]struct{ duration, longest float64 }{
			9 * time.Second:          {8, 3000},
			11500 * time.Millisecond: {10, 5500},
		} {
			m, err := interrupted(t, &fakeStore{latency: hangsFromSixth},
				&step{workers: 3, rate: rate, pipeline: 1, duration: 10 * time.Second}, at)
			if !errors.Is(err, errTest) || m.Statuses[classUnanswered] != 3 || m.Errors != 3 ||
				math.Abs(m.DurationSeconds-want.duration) > 1e-6 {
				t.Errorf("at %v: %v, %v, %v s", at, err, m.Statuses, m.DurationSeconds)
			}
			if math.Abs(m.Latency.Max-want.longest) > 30 {
				t.Errorf("at %v: %v ms", at, m.Latency.Max)
			}
		}
	}
}

// A HEAD whose connection the store closes is sent again, and counts from its first send, so that a stall stays
// visible.
func TestResent(t *testing.T) {
	hangsUp := func(n int64) time.Duration {
		if n%20 == 0 {
			return 500 * time.Millisecond
		}
		return 0
	}
	for _, rate := range []float64{0, 20} {
		m := runStep(t, &fakeStore{latency: constant(5 * time.Millisecond), hangsUp: hangsUp},
			&step{workers: 30, rate: rate, pipeline: 1, duration: 10 * time.Second})
		l := m.Latency
		if rate > 0 {
			l = *m.Service
		}
		if m.Resent == 0 || m.Resent != (m.Heads+10)/20 && rate > 0 || math.Abs(l.P99-505) > 1 ||
			math.Abs(l.P50-5) > 0.1 {
			t.Errorf("rate %v: %d of %d sent again, %+v", rate, m.Resent, m.Heads, l)
		}
		r := &Report{Complete: true, Steps: []Step{m}}
		if !strings.Contains(r.notes(), "HEADs were sent again") ||
			!strings.Contains(strings.Join(r.pageNotes(), ""), "HEADs were sent again") {
			t.Error(r.notes())
		}
	}
}

// All HEADs of a pipeline that is sent again count from their first send.
func TestPipelineResent(t *testing.T) {
	f := &fakeStore{}
	s := &step{engine: f, store: f, keys: make([]list.Entry, 10), workers: 1, pipeline: 4, duration: time.Hour}
	s.begin(time.Now().Add(-time.Minute))
	a := newSender(s, 0)
	now := time.Now()
	a.sentAt = now.Add(-time.Second)
	for _, lost := range []int{4, 0, 0, 0, 0} {
		a.observe(&head.Result{Status: http.StatusOK, Latency: time.Millisecond, Received: now, Resent: lost})
	}
	a.flush()
	buckets := bucketsOf(s.recorder.latency)
	if s.recorder.resent != 4 || len(buckets) != 2 || buckets[0].Count != 1 || buckets[1].Count != 4 ||
		buckets[1].Millis < 1000 {
		t.Errorf("%d, %v", s.recorder.resent, buckets)
	}
}

// On a busy machine a short step takes longer than planned. The share of CPU is that of the elapsed time.
func TestCPUShareIsOfElapsedTime(t *testing.T) {
	s := &step{workers: 1, pipeline: 1, duration: 100 * time.Millisecond}
	s.begin(time.Now())
	m := s.result(0, processorUse{time: time.Second, cpu: time.Second * time.Duration(runtime.GOMAXPROCS(0)) / 2})
	if m.cpuShare != 0.5 {
		t.Errorf("%v", m.cpuShare)
	}
}

func TestPlannedHeads(t *testing.T) {
	for _, c := range []struct {
		rate     float64
		duration time.Duration
		want     int64
	}{{0.5, time.Second, 0}, {0.5, 2 * time.Second, 1}, {100, 10 * time.Second, 1000}} {
		if got := PlannedHeads(c.rate, c.duration); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// There are never more HEADs in flight than workers, even if they hang beyond the end of the step, or are answered
// after it.
func TestInFlightIsWithinTheStep(t *testing.T) {
	for name, latency := range map[string]func(time.Duration) time.Duration{"hangs": hangsFromSixth,
		"slow": constant(1300 * time.Millisecond)} {
		m := runStep(t, &fakeStore{latency: latency}, &step{workers: 10, pipeline: 1, duration: 7 * time.Second})
		if math.Abs(m.InFlight-10) > 1e-3 {
			t.Errorf("%s: %v in flight", name, m.InFlight)
		}
	}
}

// Successes after the end of the step are no peak in the last moment.
func TestLastMomentIsNoPeak(t *testing.T) {
	m := runStep(t, &fakeStore{latency: constant(900 * time.Millisecond)},
		&step{workers: 10, pipeline: 1, duration: 5 * time.Second})
	sum := int64(0)
	for _, part := range m.Series {
		sum += part.Heads
		if part.Heads > 20 {
			t.Errorf("%+v", part)
		}
	}
	if last := m.Series[4]; sum != m.Heads-10 || last.Heads > 10 || last.Max < 899 {
		t.Errorf("%d of %d, %+v", sum, m.Heads, last)
	}
}

// A step of a day has as many moments as one of ten minutes.
func TestMomentsOfADay(t *testing.T) {
	b := newRecorder(24*time.Hour, false)
	for at := range 24 * 60 {
		b.record([]observation{{status: statusOK, ok: true, at: time.Duration(at) * time.Minute,
			latency: time.Millisecond}}, 0)
	}
	heads, seconds := int64(0), 0.0
	series := b.series(1)
	for _, m := range series {
		heads, seconds = heads+m.Heads, seconds+m.Seconds
	}
	if len(series) != 600 || heads != 24*60 || math.Abs(seconds-86400) > 1e-6 ||
		math.Abs(series[599].AtSeconds-86401) > 1e-6 {
		t.Errorf("%d moments, %d HEADs, %v s", len(series), heads, seconds)
	}
}

// The text of one failure of each class is printed once.
func TestErrorTexts(t *testing.T) {
	fails := func(int64) (int, error) { return 0, errors.New("dial tcp 127.0.0.1:9:\x1b[2J too many\nopen files") }
	m := runStep(t, &fakeStore{latency: constant(time.Millisecond), outcome: fails},
		&step{workers: 2, pipeline: 1, duration: time.Second})
	r := &Report{Complete: true, Steps: []Step{m, m}}
	const want = "connection: dial tcp 127.0.0.1:9: [2J too many open files\n"
	if text := r.notes(); strings.Count(text, want) != 1 {
		t.Errorf("%q", text)
	}
}

// An open loop does not dial an unreachable store for every planned HEAD, and resumes soon after the store is reachable
// again.
func TestOpenLoopOfUnreachableStore(t *testing.T) {
	f := &fakeStore{latency: constant(100 * time.Microsecond)}
	f.outcome = func(int64) (int, error) {
		if at := time.Since(f.began); at > 3*time.Second && at < 8*time.Second {
			return 0, errTest
		}
		return 200, nil
	}
	m := runStep(t, f, &step{workers: 1024, rate: 1000, pipeline: 1, duration: 10 * time.Second})
	if m.Errors < unreachableAfter || m.Errors > unreachableAfter+110 || m.Heads+m.Errors+m.Unsent != 10_000 ||
		m.Unsent != 0 || m.Latency.Max < 4900 {
		t.Errorf("%d errors, %d HEADs, %d late, %v ms", m.Errors, m.Heads, m.Unsent, m.Latency.Max)
	}
	f.outcome = func(int64) (int, error) { return 0, errTest }
	m = runStep(t, f, &step{workers: 1024, rate: 1000, pipeline: 1, duration: 10 * time.Second})
	if m.Errors > 210 || m.Errors+m.Unsent != 10_000 {
		t.Errorf("%d errors, %d late", m.Errors, m.Unsent)
	}
}

func TestBenchmarksOfNothing(t *testing.T) {
	var text strings.Builder
	r := &Report{Steps: []Step{{Workers: 1, Errors: 7}}}
	if err := r.WriteBenchmarks(&text); err != nil || text.Len() > 0 {
		t.Errorf("%v, %q", err, text.String())
	}
}
