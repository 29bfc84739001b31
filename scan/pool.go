package scan

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"headcount/scan/metrics"
	"headcount/scan/pace"
)

const (
	// WorkersAuto lets the run find the number of workers that the store rewards.
	WorkersAuto = 0

	// WorkersAutoMax is how many it tries at most, with all that is pipelined on their connections. At 50 ms, 2,048 were the best number
	// on two busy cores; more than this, with the 30 kB that each costs, somebody should ask for.
	WorkersAutoMax = 4096

	// spareFiles are for what is no worker's connection: LISTs, the canary, names that are looked up, files.
	spareFiles = 64
)

// workerPool are the workers of a run: those whose number is below the width take batches, the others are parked. A worker begins to be when
// it is first needed.
type workerPool struct {
	size  atomic.Int64
	wakes []chan struct{} // of those that there are; each holds a token for a worker that the width has come to include

	idleTime idleTime

	// What the workers have told since the run began.
	answers atomic.Int64 // HEADs that were answered
	latency atomic.Int64 // ns, of all of them together

	mu          sync.Mutex
	best        int     // the number that was found, or is fixed
	speed       float64 // answers per second at it, smoothed; 0: not known
	history     metrics.SizeHistory
	bottlenecks metrics.BottleneckShares
}

// idleTime are the times in which workers had nothing to ask for.
type idleTime struct {
	mu   sync.Mutex
	idle int
	past time.Duration // of those that are over, less the begin of each that is not
}

// enter and end are told the time since some moment, the same in all calls.
func (r *idleTime) enter(at time.Duration) {
	r.mu.Lock()
	r.idle++
	r.past -= at
	r.mu.Unlock()
}

func (r *idleTime) leave(at time.Duration) {
	r.mu.Lock()
	r.idle--
	r.past += at
	r.mu.Unlock()
}

// total is the time that all workers have rested until then.
func (r *idleTime) total(at time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.past + time.Duration(r.idle)*at
}

// maxWorkers is how many workers there can be.
func (c Config) maxWorkers(depth int) int {
	if c.Workers != WorkersAuto {
		return c.Workers
	}
	most := WorkersAutoMax / depth
	if files := metrics.MaxOpenFiles(); files > 0 {
		most = min(most, files-spareFiles)
	}
	return max(1, most)
}

// autoscale starts the workers, and lets their number follow what the store rewards, if that is asked for. It also finds out what limits the run.
func (s *Scan) autoscale(ctx context.Context, g *errgroup.Group) error {
	var width *pace.Concurrency // nil: it is fixed
	if s.cfg.Workers == WorkersAuto {
		width = pace.NewConcurrency(len(s.current), s.depth)
	}
	now, window := s.cfg.Workers, fixedWindow
	if width != nil {
		now, window = width.Current(), width.WindowLength()
	}
	if err := s.resize(ctx, g, now, now); err != nil {
		return err
	}
	before := s.sample()
	timer := time.NewTimer(window)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.inFlight.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		// At the end workers run out of work whatever limits them, and what they leave to the others says nothing.
		if s.progress.ListedAll.Load() && len(s.work) == 0 {
			if width != nil {
				return s.resize(ctx, g, width.Best(), width.Best())
			}
			return nil
		}
		after := s.sample()
		seen := after.delta(before, now)
		seen.Rate = s.limiter.Rate()
		isTold := width == nil || !width.Settling()
		if seen.Answers > 0 && isTold {
			cpu := after.cpu - before.cpu
			s.pool.observe(after.at, now, seen, s.bottleneck(seen, cpu), cpu)
		}
		if width != nil {
			now = width.Update(seen)
			if err := s.resize(ctx, g, now, width.Lookahead()); err != nil {
				return err
			}
			s.pool.setBest(width.Best())
			window = width.WindowLength()
		}
		before = after
		timer.Reset(window)
	}
}

// fixedWindow is how often it is looked what limits a run whose number of workers is fixed.
const fixedWindow = time.Second

// resize sets the width, for batches that are cut for a width to come. It may be narrower, too.
func (s *Scan) resize(ctx context.Context, g *errgroup.Group, width, soon int) error {
	c := &s.pool
	before := int(c.size.Swap(int64(width)))
	s.batch.Store(int64(s.batchFor(soon)))
	s.growPageLimit(max(width, soon), 0)
	for i := before; i < min(width, len(c.wakes)); i++ {
		select {
		case c.wakes[i] <- struct{}{}:
		default: // it has not taken the last one, and is awake
		}
	}
	for i := len(c.wakes); i < width; i++ {
		wake := make(chan struct{}, 1)
		c.wakes = append(c.wakes, wake)
		w := newWorker(s, i, wake) // here, so that those of neighbouring numbers have neighbouring endpoints
		g.Go(func() error { return w.run(ctx) })
	}
	for i := width; i < before; i++ { // what they have not come to is the others' to ask for
		if b := s.current[i].Load(); b != nil {
			if rest := b.split(); rest != nil {
				if err := s.retryAt(ctx, rest, 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// poolSample is what can be seen at a moment.
type poolSample struct {
	at            time.Duration // since the run began
	answers       int64
	latency, idle time.Duration // of all together
	cpu           time.Duration
}

func (s *Scan) sample() poolSample {
	cpu, _ := metrics.Usage()
	at := time.Since(s.began)
	return poolSample{
		at: at, answers: s.pool.answers.Load(), latency: time.Duration(s.pool.latency.Load()), idle: s.pool.idleTime.total(at), cpu: cpu,
	}
}

// delta is what there was to see since before, with so many workers.
func (s poolSample) delta(before poolSample, workers int) pace.Window {
	w := pace.Window{Elapsed: s.at - before.at, Answers: s.answers - before.answers}
	if w.Answers > 0 {
		w.Latency = (s.latency - before.latency) / time.Duration(w.Answers)
	}
	w.Idle = min(1, float64(s.idle-before.idle)/max(1, float64(w.Elapsed)*float64(workers)))
	return w
}

// setBest notes the number that is the best so far.
func (c *workerPool) setBest(home int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if home != c.best {
		c.best, c.speed = home, 0
	}
}

// observe notes what a window has shown of so many workers.
func (c *workerPool) observe(at time.Duration, workers int, seen pace.Window, by metrics.Bottleneck, cpu time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.best == 0 {
		c.best = workers
	}
	switch {
	case workers != c.best:
	case c.speed == 0:
		c.speed = seen.Throughput()
	default:
		c.speed += (seen.Throughput() - c.speed) / speedSmoothing
	}
	c.history.Add(metrics.Step{Seconds: at.Seconds(), Workers: workers, HeadsPerSecond: seen.Throughput()})
	c.bottlenecks.Add(by, seen, cpu)
}

// speedSmoothing is over how many windows a speed is smoothed.
const speedSmoothing = 8

// fill writes into the Stats how many workers there were, and what limited them.
func (s *Scan) fillPool(stats *metrics.Stats) {
	c := &s.pool
	c.mu.Lock()
	defer c.mu.Unlock()
	if stats.Workers = s.cfg.Workers; s.cfg.Workers == WorkersAuto {
		if stats.Workers = c.best; c.best == 0 { // it was over before there was anything to see
			stats.Workers = int(c.size.Load())
		}
		stats.WorkersHistory = c.history.Steps()
	}
	stats.InFlight = stats.Workers * s.depth
	if stats.SteadyHeadsPerSecond = c.speed; c.speed == 0 {
		stats.SteadyHeadsPerSecond = stats.HeadsPerSecond
	}
	w := c.bottlenecks
	if w.Empty() {
		all := s.sample()
		cpu := all.cpu - s.cpuBefore
		seen := all.delta(poolSample{}, max(1, stats.Workers))
		seen.Rate = s.limiter.Rate()
		w.Add(s.bottleneck(seen, cpu), seen, cpu)
	}
	by, reason := w.Dominant()
	stats.LimitedBy, stats.LimitedByReason = by.String(), reason
}

// bottleneck says what limited the run in a window in which the process took so much CPU time.
func (s *Scan) bottleneck(seen pace.Window, cpu time.Duration) metrics.Bottleneck {
	isOutputBehind := len(s.finished) > 0 && len(s.pageSem) == cap(s.pageSem) // the lister waits for the committer
	return metrics.ClassifyBottleneck(seen, cpu, s.cfg.Rate, isOutputBehind)
}
