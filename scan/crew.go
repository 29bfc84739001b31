package scan

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"headcount/scan/pace"
)

const (
	// WorkersAuto lets the run find the number of workers that the store rewards.
	WorkersAuto = 0

	// WorkersAutoMax is how many it tries at most, with all that is pipelined on their connections. At 50 ms, 2,048 were the best number
	// on two busy cores; more than this, with the 30 kB that each costs, somebody should ask for.
	WorkersAutoMax = 4096

	// filesSpare are for what is no worker's connection: LISTs, the canary, names that are looked up, files.
	filesSpare = 64
)

// crew are the workers of a run: those whose number is below the width take batches, the others are parked. A worker begins to be when
// it is first needed.
type crew struct {
	width atomic.Int64
	wakes []chan struct{} // of those that there are; each holds a token for a worker that the width has come to include

	rests rests

	// What the workers have told since the run began.
	answers atomic.Int64 // HEADs that were answered
	latency atomic.Int64 // ns, of all of them together

	mu      sync.Mutex
	home    int     // the number that was found, or is fixed
	speed   float64 // answers per second at it, smoothed; 0: not known
	path    path
	weights weights
}

// rests are the times in which workers had nothing to ask for.
type rests struct {
	mu      sync.Mutex
	resting int
	past    time.Duration // of those that are over, less the begin of each that is not
}

// begin and end are told the time since some moment, the same in all calls.
func (r *rests) begin(at time.Duration) {
	r.mu.Lock()
	r.resting++
	r.past -= at
	r.mu.Unlock()
}

func (r *rests) end(at time.Duration) {
	r.mu.Lock()
	r.resting--
	r.past += at
	r.mu.Unlock()
}

// all is the time that all workers have rested until then.
func (r *rests) all(at time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.past + time.Duration(r.resting)*at
}

// workersMost is how many workers there can be.
func (c Config) workersMost(depth int) int {
	if c.Workers != WorkersAuto {
		return c.Workers
	}
	most := WorkersAutoMax / depth
	if files := filesMax(); files > 0 {
		most = min(most, files-filesSpare)
	}
	return max(1, most)
}

// staff starts the workers, and lets their number follow what the store rewards, if that is asked for. It also finds out what limits the run.
func (s *Scan) staff(ctx context.Context, g *errgroup.Group) error {
	var width *pace.Width // nil: it is fixed
	if s.cfg.Workers == WorkersAuto {
		width = pace.NewWidth(len(s.asks), s.depth)
	}
	now, window := s.cfg.Workers, fixedWindow
	if width != nil {
		now, window = width.Now(), width.Window()
	}
	if err := s.widen(ctx, g, now, now); err != nil {
		return err
	}
	before := s.look()
	timer := time.NewTimer(window)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.unfinished.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		// At the end workers run out of work whatever limits them, and what they leave to the others says nothing.
		if s.progress.listedAll.Load() && len(s.work) == 0 {
			if width != nil {
				return s.widen(ctx, g, width.Home(), width.Home())
			}
			return nil
		}
		after := s.look()
		seen := after.since(before, now)
		seen.Rate = s.gate.Rate()
		isTold := width == nil || !width.IsSettling()
		if seen.Answers > 0 && isTold {
			cpu := after.cpu - before.cpu
			s.crew.see(after.at, now, seen, s.limitOf(seen, cpu), cpu)
		}
		if width != nil {
			now = width.Next(seen)
			if err := s.widen(ctx, g, now, width.Soon()); err != nil {
				return err
			}
			s.crew.settleOn(width.Home())
			window = width.Window()
		}
		before = after
		timer.Reset(window)
	}
}

// fixedWindow is how often it is looked what limits a run whose number of workers is fixed.
const fixedWindow = time.Second

// widen sets the width, for batches that are cut for a width to come. It may be narrower, too.
func (s *Scan) widen(ctx context.Context, g *errgroup.Group, width, soon int) error {
	c := &s.crew
	before := int(c.width.Swap(int64(width)))
	s.batch.Store(int64(s.batchFor(soon)))
	s.makeRoom(max(width, soon), 0)
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
		if b := s.asks[i].Load(); b != nil {
			if rest := b.split(); rest != nil {
				if err := s.later(ctx, rest, 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// sight is what can be seen at a moment.
type sight struct {
	at             time.Duration // since the run began
	answers        int64
	latency, rests time.Duration // of all together
	cpu            time.Duration
}

func (s *Scan) look() sight {
	cpu, _ := Usage()
	at := time.Since(s.news.began)
	return sight{
		at: at, answers: s.crew.answers.Load(), latency: time.Duration(s.crew.latency.Load()), rests: s.crew.rests.all(at), cpu: cpu,
	}
}

// since is what there was to see since before, with so many workers.
func (s sight) since(before sight, workers int) pace.Window {
	w := pace.Window{Took: s.at - before.at, Answers: s.answers - before.answers}
	if w.Answers > 0 {
		w.Latency = (s.latency - before.latency) / time.Duration(w.Answers)
	}
	w.Idle = min(1, float64(s.rests-before.rests)/max(1, float64(w.Took)*float64(workers)))
	return w
}

// settleOn notes the number that is the best so far.
func (c *crew) settleOn(home int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if home != c.home {
		c.home, c.speed = home, 0
	}
}

// see notes what a window has shown of so many workers.
func (c *crew) see(at time.Duration, workers int, seen pace.Window, by bottleneck, cpu time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.home == 0 {
		c.home = workers
	}
	switch {
	case workers != c.home:
	case c.speed == 0:
		c.speed = seen.Speed()
	default:
		c.speed += (seen.Speed() - c.speed) / speedSmoothing
	}
	c.path.add(Step{Seconds: at.Seconds(), Workers: workers, HeadsPerSecond: seen.Speed()})
	c.weights.add(by, seen, cpu)
}

// speedSmoothing is over how many windows a speed is smoothed.
const speedSmoothing = 8

// fill writes into the Stats how many workers there were, and what limited them.
func (s *Scan) fillCrew(stats *Stats) {
	c := &s.crew
	c.mu.Lock()
	defer c.mu.Unlock()
	if stats.Workers = s.cfg.Workers; s.cfg.Workers == WorkersAuto {
		if stats.Workers = c.home; c.home == 0 { // it was over before there was anything to see
			stats.Workers = int(c.width.Load())
		}
		stats.WorkersPath = c.path.steps()
	}
	stats.InFlight = stats.Workers * s.depth
	if stats.SteadyHeadsPerSecond = c.speed; c.speed == 0 {
		stats.SteadyHeadsPerSecond = stats.HeadsPerSecond
	}
	w := c.weights
	if w.took == 0 {
		all := s.look()
		cpu := all.cpu - s.cpuBefore
		seen := all.since(sight{}, max(1, stats.Workers))
		seen.Rate = s.gate.Rate()
		w.add(s.limitOf(seen, cpu), seen, cpu)
	}
	stats.LimitedBy, stats.LimitedWhy = w.verdict()
}
