package scan

import (
	"cmp"
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"headcount/scan/metrics"
	"headcount/scan/pace"
)

const (
	// fixedWindow is how often the bottleneck of a run with a fixed number of workers is classified.
	fixedWindow = time.Second

	// speedSmoothing is over how many windows a speed is smoothed.
	speedSmoothing = 8
)

// autoscaler starts the workers. With WorkersAuto it resizes the pool to the number of workers with which the store
// answers most. In every window of time it also classifies what limits the run.
type autoscaler struct {
	pool        *workerPool
	concurrency *pace.Concurrency // nil: the number of workers is fixed
	fixed       int               // workers
	maxWorkers  int
	depth       int // HEADs in flight on each connection
	limiter     *pace.Limiter
	rate        float64 // of Config
	listedAll   func() bool
	outputFull  func() bool // pages are waiting to be written, and no more pages may be listed until then
	inFlight    inFlight

	mu      sync.Mutex
	best    int     // workers: the number that was found, or the fixed one; 0: not known
	speed   float64 // answers per second with best workers, smoothed; 0: not known
	history metrics.SizeHistory
	shares  metrics.BottleneckShares
}

func newAutoscaler(cfg *Config, pool *workerPool, limiter *pace.Limiter, depth, maxWorkers int) *autoscaler {
	a := &autoscaler{pool: pool, fixed: maxWorkers, maxWorkers: maxWorkers, depth: depth, limiter: limiter, rate: cfg.Rate}
	if cfg.Workers == WorkersAuto {
		a.concurrency = pace.NewConcurrency(maxWorkers, depth)
	}
	return a
}

// run starts the workers in g, and returns when nothing is in flight.
func (a *autoscaler) run(ctx context.Context, g *errgroup.Group) error {
	size, window := a.fixed, fixedWindow
	if a.concurrency != nil {
		size, window = a.concurrency.Current(), a.concurrency.WindowLength()
	}
	if err := a.pool.resize(ctx, g, size, size); err != nil {
		return err
	}
	before := a.pool.now()
	timer := time.NewTimer(window)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-a.inFlight.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		after := a.pool.now()
		if a.ending() || a.pool.members.recovering() {
			if a.concurrency != nil {
				size = a.concurrency.Best()
				if err := a.pool.resize(ctx, g, size, size); err != nil {
					return err
				}
			}
			before = after
			timer.Reset(window)
			continue
		}
		running := size
		if maximum := a.pool.members.maximum(); maximum > 0 {
			running = min(size, maximum)
		}
		seen := after.delta(before, running)
		seen.Rate = a.limiter.Rate()
		settling := a.concurrency != nil && a.concurrency.Settling()
		if seen.Answers > 0 && !settling {
			a.observe(after.at, size, seen, after.cpu-before.cpu)
		}
		if a.concurrency != nil {
			a.concurrency.Bound(cmp.Or(a.pool.members.maximum(), a.maxWorkers))
			size = a.concurrency.Update(seen)
			if err := a.pool.resize(ctx, g, size, a.concurrency.Lookahead()); err != nil {
				return err
			}
			a.setBest(a.concurrency.Best())
			window = a.concurrency.WindowLength()
		}
		before = after
		timer.Reset(window)
	}
}

// ending reports whether all keys are listed and the workers have hardly anything left to do. They become idle then,
// whatever limited the run, so these windows say nothing. After an outage much may wait to be sent again: that is not
// the end.
func (a *autoscaler) ending() bool {
	return a.listedAll() && a.pool.queueEmpty() && !a.pool.retries.behind()
}

// classify says what limited the run in a window in which the process took so much CPU time.
func (a *autoscaler) classify(seen pace.Window, cpu time.Duration) metrics.Bottleneck {
	return metrics.ClassifyBottleneck(seen, cpu, a.rate, a.outputFull())
}

// setBest notes the best number of workers so far.
func (a *autoscaler) setBest(best int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if best != a.best {
		a.best, a.speed = best, 0
	}
}

// observe notes a window with so many workers that ended at a time since the run began.
func (a *autoscaler) observe(at time.Duration, workers int, seen pace.Window, cpu time.Duration) {
	bottleneck := a.classify(seen, cpu)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.best == 0 {
		a.best = workers
	}
	switch {
	case workers != a.best:
	case a.speed == 0:
		a.speed = seen.Throughput()
	default:
		a.speed += (seen.Throughput() - a.speed) / speedSmoothing
	}
	a.history.Add(metrics.Step{Seconds: at.Seconds(), Workers: workers, HeadsPerSecond: seen.Throughput()})
	a.shares.Add(bottleneck, seen, cpu)
}

// fill writes into the Stats how many workers there were, and what limited them. cpuBefore is what the process took
// before the run.
func (a *autoscaler) fill(stats *metrics.Stats, cpuBefore time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if stats.Workers = a.fixed; a.concurrency != nil {
		if stats.Workers = a.best; a.best == 0 { // the run was over before its first window
			stats.Workers = a.pool.members.running()
		}
		stats.WorkersHistory = a.history.Steps()
	}
	stats.InFlight = stats.Workers * a.depth
	if stats.SteadyHeadsPerSecond = a.speed; a.speed == 0 {
		stats.SteadyHeadsPerSecond = stats.HeadsPerSecond
	}
	shares := a.shares
	if shares.Empty() {
		all := a.pool.now()
		cpu := all.cpu - cpuBefore
		seen := all.delta(poolSample{}, max(1, stats.Workers))
		seen.Rate = a.limiter.Rate()
		shares.Add(a.classify(seen, cpu), seen, cpu)
	}
	by, reason := shares.Dominant()
	stats.LimitedBy, stats.LimitedByReason = by.String(), reason
}
