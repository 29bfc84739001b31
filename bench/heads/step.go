package heads

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"headcount/scan"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

const (
	// warmMost is how long each Step begins with what does not count, in which connections are made, or a warmShare-th of its duration if
	// that is less.
	warmMost  = time.Second
	warmShare = 5

	// patience is how long those are waited for that are in flight when a Step is over.
	patience = 2 * time.Second
)

// errOver ends the HEADs that are in flight long after the end of a Step.
var errOver = errors.New("the step is over")

// answers is who is told what an address of the store has answered: a *store.Store.
type answers interface {
	ObserveAnswers(a *store.Address, answers int, took time.Duration)
	ObserveRefusal(a *store.Address)
}

// step is a Step while it runs.
type step struct {
	engine   head.Engine
	store    answers
	sample   []list.Entry
	workers  int
	depth    int     // HEADs in flight on each connection
	rate     float64 // 0: a closed loop
	duration time.Duration
	nap      func(time.Duration)

	began       time.Time // with its warm-up
	from, end   time.Time // what counts of it
	book        *book
	connections atomic.Int64
	server      atomic.Pointer[string]
}

// spent is what was used of the processors.
type spent struct {
	time      time.Duration // in which it was
	cpu       time.Duration // by this process
	busy, all int64         // of the machine's
}

func spentNow() (s spent) {
	s.cpu, _ = scan.Usage()
	s.busy, s.all = processors()
	return s
}

// warmUp is how long the Step begins with what does not count.
func (s *step) warmUp() time.Duration { return min(warmMost, s.duration/warmShare) }

// prepare says that the Step begins now. Then run is called, once.
func (s *step) prepare(now time.Time) {
	s.prepareTimes(now)
	s.book = newBook(s.duration, s.rate > 0)
}

func (s *step) prepareTimes(now time.Time) {
	s.began, s.from = now, now.Add(s.warmUp())
	s.end = s.from.Add(s.duration)
}

// run holds the Step, and returns it as measured. began is when the first Step began. The error is the cause of ctx's end; the Step is
// of what was until then, and has no duration if nothing counted.
func (s *step) run(ctx context.Context, began time.Time) (Step, error) {
	asking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var open *openLoop
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.rate > 0 {
			open = s.runOpen(asking)
		} else {
			s.runClosed(asking)
		}
	}()
	used, err := s.hold(ctx)
	end := s.end
	if err != nil {
		end = time.Now()
	}
	s.drain(ctx, done)
	stop(errOver)
	<-done
	if err == nil && ctx.Err() != nil { // as it waited for what was in flight
		err = context.Cause(ctx)
	}
	s.book.duration = max(0, end.Sub(s.from))
	if open != nil && s.book.duration > 0 {
		if count, longest := open.late(end); count > 0 {
			s.book.addLate(count, longest)
		}
	}
	return s.measured(s.from.Sub(began).Seconds(), used), err
}

// hold waits for the end of the Step, and returns what was spent in the part of it that counts.
func (s *step) hold(ctx context.Context) (used spent, err error) {
	if err := pace.Sleep(ctx, time.Until(s.from)); err != nil {
		return used, err
	}
	began, before := time.Now(), spentNow()
	err = pace.Sleep(ctx, time.Until(s.end))
	used = spentNow()
	used.time = time.Since(began)
	used.cpu -= before.cpu
	used.busy -= before.busy
	used.all -= before.all
	return used, err
}

// drain waits a while for what is in flight.
func (s *step) drain(ctx context.Context, done <-chan struct{}) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// measured tells what the book has.
func (s *step) measured(began float64, used spent) Step {
	b := s.book
	seconds := b.duration.Seconds()
	m := Step{
		Workers: s.workers, Rate: s.rate, BeganSeconds: began, DurationSeconds: seconds,
		Heads: b.ok, Errors: b.errors, Late: b.late, SentAgain: b.sentAgain, Connections: int(s.connections.Load()),
		Latency: latencyOf(b.latency), Statuses: b.statuses, Failures: b.reasons, Histogram: bucketsOf(b.latency), Series: b.series(began),
	}
	if b.service != nil {
		service := latencyOf(b.service)
		m.Service = &service
	}
	if seconds > 0 {
		m.HeadsPerSecond = float64(b.ok) / seconds
		m.InFlight = b.busy.Seconds() / seconds
	}
	if used.time > 0 { // more than the Step's, where the machine is busy
		m.cpuShare = used.cpu.Seconds() / used.time.Seconds() / float64(runtime.GOMAXPROCS(0))
	}
	if heads := b.ok + b.errors; heads > 0 {
		m.CPUMicrosPer = used.cpu.Seconds() * 1e6 / float64(heads)
	}
	if used.all > 0 {
		m.machineShare = float64(used.busy) / float64(used.all)
	}
	return m
}
