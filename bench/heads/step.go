package heads

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

const (
	// The warm-up is the first part of a Step, and does not count: connections are made in it. It takes warmUpMax, or
	// the duration divided by warmUpDivisor if that is less.
	warmUpMax     = time.Second
	warmUpDivisor = 5

	// drainTimeout is the time for which a Step that has ended waits for the HEADs in flight.
	drainTimeout = 2 * time.Second
)

// errStepEnded cancels the HEADs that are still in flight after drainTimeout.
var errStepEnded = errors.New("the step is over")

// addressObserver gets the answers of each address of the store, and masks secrets in their errors. A *store.Store is
// one.
type addressObserver interface {
	ObserveAnswers(a *store.Address, answers int, took time.Duration)
	ObserveRefusal(a *store.Address)
	RedactError(err error) error
}

// step is a Step while it runs.
type step struct {
	engine       head.Engine
	store        addressObserver
	keys         []list.Entry
	workers      int
	pipeline     int     // HEADs in flight on each connection
	rate         float64 // HEADs per second; 0: closed loop
	duration     time.Duration
	preciseSleep func(time.Duration)

	startedAt   time.Time // the beginning of the warm-up
	from, end   time.Time // the part that counts
	recorder    *recorder
	connections atomic.Int64
	server      atomic.Pointer[string]
}

// processorUse is the time that the processors were used.
type processorUse struct {
	time      time.Duration // elapsed
	cpu       time.Duration // used by this process
	busy, all int64         // ticks of all processors
}

func currentProcessorUse() (s processorUse) {
	s.cpu, _ = metrics.Usage()
	s.busy, s.all = processorTicks()
	return s
}

// warmUp is the duration of the warm-up.
func (s *step) warmUp() time.Duration { return min(warmUpMax, s.duration/warmUpDivisor) }

// begin begins the Step now. run is called after it, once.
func (s *step) begin(now time.Time) {
	s.setTimes(now)
	s.recorder = newRecorder(s.duration, s.rate > 0)
}

func (s *step) setTimes(now time.Time) {
	s.startedAt, s.from = now, now.Add(s.warmUp())
	s.end = s.from.Add(s.duration)
}

// run runs the Step, and returns its result. began is when the first Step began. The error is the cause of ctx's end;
// the result is then that of the time until ctx's end, and has no duration if ctx ended in the warm-up.
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
	used, err := s.waitForEnd(ctx)
	end := s.end
	if err != nil {
		end = time.Now()
	}
	s.drain(ctx, done)
	stop(errStepEnded)
	<-done
	if err == nil && ctx.Err() != nil { // ctx ended during drain
		err = context.Cause(ctx)
	}
	s.recorder.duration = max(0, end.Sub(s.from))
	if open != nil && s.recorder.duration > 0 {
		if count, longest := open.unsent(end); count > 0 {
			s.recorder.recordUnsent(count, longest)
		}
	}
	return s.result(s.from.Sub(began).Seconds(), used), err
}

// waitForEnd waits for the end of the Step, and returns the use of the processors after the warm-up.
func (s *step) waitForEnd(ctx context.Context) (used processorUse, err error) {
	if err := fault.Sleep(ctx, time.Until(s.from)); err != nil {
		return used, err
	}
	began, before := time.Now(), currentProcessorUse()
	err = fault.Sleep(ctx, time.Until(s.end))
	used = currentProcessorUse()
	used.time = time.Since(began)
	used.cpu -= before.cpu
	used.busy -= before.busy
	used.all -= before.all
	return used, err
}

// drain waits for the HEADs in flight, for drainTimeout at most.
func (s *step) drain(ctx context.Context, done <-chan struct{}) {
	timer := time.NewTimer(drainTimeout)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// result converts the recorder's content.
func (s *step) result(began float64, used processorUse) Step {
	b := s.recorder
	seconds := b.duration.Seconds()
	m := Step{
		Workers: s.workers, Rate: s.rate, BeganSeconds: began, DurationSeconds: seconds,
		Heads: b.ok, Errors: b.errors, Unsent: b.unsent, Resent: b.resent, Connections: int(s.connections.Load()),
		Latency: latencyOf(b.latency), Statuses: b.statuses, Failures: b.errorTexts, Histogram: bucketsOf(b.latency),
		Series: b.series(began),
	}
	if b.service != nil {
		service := latencyOf(b.service)
		m.Service = &service
	}
	if seconds > 0 {
		m.HeadsPerSecond = float64(b.ok) / seconds
		m.InFlight = b.inFlightTime.Seconds() / seconds
	}
	if used.time > 0 { // longer than the Step if the machine is busy
		m.cpuShare = used.cpu.Seconds() / used.time.Seconds() / float64(runtime.GOMAXPROCS(0))
	}
	if heads := b.ok + b.errors; heads > 0 {
		m.CPUMicrosPerHead = used.cpu.Seconds() * 1e6 / float64(heads)
	}
	if used.all > 0 {
		m.machineShare = float64(used.busy) / float64(used.all)
	}
	return m
}
