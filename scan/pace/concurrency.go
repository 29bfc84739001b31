package pace

import (
	"math"
	"time"
)

// Tuning. No specification gives these numbers. A round trip is the mean latency of a HEAD.
const (
	// concurrencyStart is how many HEADs are in flight at first: enough for a small bucket, and few for any store.
	concurrencyStart = 32

	// concurrencyMin is the minimum number of workers while something other than the store limits the run. When the
	// store limits it again, a few doublings reach any number.
	concurrencyMin = 4

	// A window lasts several round trips: answers that come in bursts, as from connections that were opened together,
	// must not look like a change. It lasts long enough for windowAnswers, so that chance changes their number by a
	// tenth at most, and longer than the pauses of a busy machine. roundTripsMin is enough if round trips are long.
	windowLengthMin    = 200 * time.Millisecond
	windowLengthUsual  = time.Second
	windowLengthMax    = 10 * time.Second
	windowAnswers      = 100
	roundTripsMin      = 2
	doublingRoundTrips = 3
	climbingRoundTrips = 5

	// After a change the new connections need settlingRoundTrips to be opened and to bring their first answers.
	settlingRoundTrips = 2
	settlingMin        = 50 * time.Millisecond

	// unlimitedWindowsMax is how many windows in a row something other than the store must limit before the number of
	// workers decreases for it.
	unlimitedWindowsMax = 5

	// Doubling continues while it brings a gain of doublingGain, and ends when it did not in doublingWindows windows.
	// BBR's test for a full pipe demands 25 %. A stop too early costs more than one doubling too many.
	doublingGain    = 0.15
	doublingWindows = 3

	// starvedFrom is the share of idle time from which the throughput says nothing about the store. starvedTo is the
	// share of idle time that remains after the number of workers was reduced for it.
	starvedFrom = 0.1
	starvedTo   = 0.2

	// rateLimitedFrom is the share of the Limiter's rate from which the Limiter limits the throughput. It is more than
	// nearFrom, from which the Limiter increases its rate, so that one of the two always grows.
	rateLimitedFrom = 0.92

	// rateLimitedSpare is how many workers there are for each one that a limited rate keeps busy: latencies vary.
	rateLimitedSpare = 2
)

// Window is what was observed of the HEADs in an interval.
type Window struct {
	Elapsed time.Duration
	Answers int64
	Latency time.Duration // mean
	Idle    float64       // share of the workers' time in which they had no HEAD to send, from 0 to 1
	Rate    float64       // of the Limiter, requests/s; 0: no limit
}

// Throughput returns the answers per second.
func (w Window) Throughput() float64 {
	return float64(w.Answers) / max(w.Elapsed, time.Microsecond).Seconds()
}

// RateLimited reports whether the Limiter limited the throughput.
func (w Window) RateLimited() bool { return w.Rate > 0 && w.Throughput() >= rateLimitedFrom*w.Rate }

// Starved reports whether a lack of listed keys limited the throughput.
func (w Window) Starved() bool { return w.Idle > starvedFrom }

// Concurrency finds the number of workers that the store rewards: the least number whose throughput is nearly the best.
// It takes the time from its Windows alone. Its methods must not be called concurrently. Make one with NewConcurrency.
//
// It begins like TCP's slow start (RFC 5681 §3.1): it doubles until a doubling brings too little, by the test that ends
// BBR's startup ("BBR: Congestion-Based Congestion Control", ACM Queue 14:5, 2016). Then it climbs by the throughput,
// as the thread pool of .NET does ("Optimizing Concurrency Levels in the .NET ThreadPool", Hellerstein et al., 2008).
// It tries a step up or down and returns, several times: on a shared machine the throughput varies by more than such a
// step changes it, so that only measurements before and after can be compared.
//
// It does not estimate a queue from latencies, as Vegas and Netflix's Gradient2 do. Those keep latencies low for the
// sake of a server. Here only the throughput counts, and a busy machine of one's own raises latencies too.
type Concurrency struct {
	max   int
	depth int // HEADs in flight on each worker's connection

	best             int // the best known number of workers
	current          int // the number in force, which may be a trial
	settling         bool
	unlimitedWindows int           // in a row that the store did not limit
	latency          time.Duration // in the last window
	throughput       float64       // in the last window

	climbing bool
	doubling doubling
	climb    climb
}

// doubling is the state of a Concurrency that doubles.
type doubling struct {
	baseline float64 // throughput before the last doubling; 0: not measured yet
	best     float64 // throughput in the best window since
	windows  int     // since
}

// NewConcurrency returns a Concurrency of at most workersMax workers with depth HEADs in flight each. It raises both
// arguments to at least 1.
func NewConcurrency(workersMax, depth int) *Concurrency {
	workersMax, depth = max(1, workersMax), max(1, depth)
	start := min(workersMax, max(concurrencyMin, concurrencyStart/depth))
	return &Concurrency{
		max: workersMax, depth: depth, best: start, current: start, settling: true,
		climb: climb{nextCooldown: cooldownMin},
	}
}

// Current returns the number of workers in force.
func (c *Concurrency) Current() int { return c.current }

// Best returns the best known number of workers. It is in force, or will be if the present trial fails.
func (c *Concurrency) Best() int { return c.best }

// Lookahead returns the number of workers that may be in force a few windows later.
func (c *Concurrency) Lookahead() int {
	if c.climbing {
		return min(c.max, c.step(up))
	}
	return min(c.max, 4*c.current)
}

// Settling reports whether the next window is to be ignored: connections are still being opened.
func (c *Concurrency) Settling() bool { return c.settling }

// WindowLength returns how long the next window should be. Pass its observations to Update.
func (c *Concurrency) WindowLength() time.Duration {
	if c.settling {
		return min(windowLengthMax, max(settlingMin, settlingRoundTrips*c.latency))
	}
	roundTrips := time.Duration(doublingRoundTrips)
	if c.climbing {
		roundTrips = climbingRoundTrips
	}
	enough := windowLengthUsual
	if c.throughput > windowAnswers {
		enough = time.Duration(windowAnswers / c.throughput * float64(time.Second))
	}
	usual := max(windowLengthUsual, roundTripsMin*c.latency)
	return min(windowLengthMax, max(windowLengthMin, enough, min(roundTrips*c.latency, usual)))
}

// Update takes the observations since the last call, and returns the number of workers from now on.
func (c *Concurrency) Update(w Window) int {
	if w.Answers == 0 {
		c.reset() // the store is down, or only slower: its next answers will show
		return c.current
	}
	c.latency, c.throughput = w.Latency, w.Throughput()
	switch {
	case c.settling:
		c.settling = false
	case w.RateLimited():
		c.best = max(c.best, c.current) // fewer may not reach the limit
		inFlight := w.Throughput() * w.Latency.Seconds()
		c.holdAt(rateLimitedSpare*inFlight/float64(c.depth) + 1) // the other workers wait for the Limiter
	case w.Starved():
		c.holdAt(float64(c.current) * (1 - w.Idle) / (1 - starvedTo))
	case c.climbing:
		c.unlimitedWindows = 0
		c.updateClimb(w.Throughput(), w.Elapsed)
	default:
		c.unlimitedWindows = 0
		c.updateDoubling(w.Throughput())
	}
	return c.current
}

// Bound sets the maximum number of workers from now on, as more or fewer connections can be had. It raises n to at
// least
// 1. If it was the maximum that ended the growth, a higher one continues it.
func (c *Concurrency) Bound(n int) {
	n = max(1, n)
	before := c.max
	c.max = n
	switch {
	case c.best > n:
		c.best = n
		c.reset()
	case c.current > n:
		c.reset()
	case n > before && c.best >= before:
		c.startDoubling(c.best)
	}
}

func (c *Concurrency) setCurrent(workers int) {
	workers = max(1, min(workers, c.max))
	if workers != c.current {
		c.current, c.settling = workers, true
	}
}

// reset ends the present trial without a result.
func (c *Concurrency) reset() {
	c.setCurrent(c.best)
	c.doubling = doubling{}
	c.climb.resetTrial()
}

// holdAt handles a window that says nothing about the store: it ends the trial. After several such windows it reduces
// the number of workers to the useful ones.
func (c *Concurrency) holdAt(useful float64) {
	c.reset()
	if c.unlimitedWindows++; c.unlimitedWindows < unlimitedWindowsMax {
		return
	}
	c.unlimitedWindows = 0
	const muchLess = 0.8 // a smaller difference is chance
	if workers := max(concurrencyMin, int(math.Ceil(useful))); float64(workers) < muchLess*float64(c.best) {
		c.startDoubling(workers)
	}
}

// startDoubling doubles from a number of workers.
func (c *Concurrency) startDoubling(workers int) {
	c.climbing = false
	c.doubling = doubling{}
	c.climb.nextCooldown = cooldownMin
	c.setCurrent(workers)
	c.best = c.current
}

// updateDoubling doubles again, or ends the doubling.
func (c *Concurrency) updateDoubling(throughput float64) {
	d := &c.doubling
	if d.baseline == 0 {
		c.doubleFrom(throughput)
		return
	}
	d.best = max(d.best, throughput)
	d.windows++
	required := 1 + doublingGain*(float64(c.current)/float64(c.best)-1)
	switch {
	case d.best >= required*d.baseline:
		c.doubleFrom(d.best)
	case d.windows >= doublingWindows:
		if d.best > (1+gainMin)*d.baseline {
			c.best = c.current
		}
		c.startClimb()
	}
}

// doubleFrom accepts the current number of workers, whose throughput is baseline, and tries twice as many. If there may
// not be more, it starts to climb.
func (c *Concurrency) doubleFrom(baseline float64) {
	c.doubling = doubling{baseline: baseline}
	c.best = c.current
	if c.setCurrent(2 * c.current); c.current == c.best {
		c.startClimb()
	}
}
