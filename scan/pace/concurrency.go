package pace

import (
	"math"
	"time"
)

const (
	// concurrencyStart is how many HEADs are in flight at first: enough that a small bucket is not held up, and few beside what any store bears.
	concurrencyStart = 32

	// concurrencyMin is how many are kept in flight where the store is not what limits the run: more, once it does, come in a few doublings.
	concurrencyMin = 4

	// A window is some round trips long, or answers that come in bursts, as they do from connections that were opened together, would
	// count as a change; and long enough that a busy machine's hiccups do not fill it, and chance does not make a tenth of it. Where
	// that takes long, tripsFew must do.
	windowLengthMin     = 200 * time.Millisecond
	windowLengthUsual   = time.Second
	windowLengthMax     = 10 * time.Second
	windowAnswers       = 100
	roundTripsMin       = 2
	doublingRoundTrips  = 3
	climbingRoundTrips  = 5
	settlingRoundTrips  = 2 // for the new connections to be made, and to bring their first answers
	settlingMin         = 50 * time.Millisecond
	unlimitedWindowsMax = 5 // in a row that the store did not limit, before the width is narrowed for it

	// Doubling goes on while it brings so much more, and ends when it has not in three windows: BBR's test of whether a pipe is full, which
	// demands a quarter. To stop early costs more than to go too far by one.
	doublingGain    = 0.15
	doublingWindows = 3

	// What a wider step must bring, and what a narrower one may cost, as logarithms of the throughput, for a step of one half. A store
	// whose throughput is n/(n+k) of its best is asked with 12 k to 25 k in flight, where it gives 92 to 96 % of that.
	gainMin = 0.03
	lossMax = 0.02

	// samplesMin is from how many comparisons on their scatter is believed, and pairsMax after how many there is no difference.
	samplesMin = 3
	samplesMax = 8

	// obviousDifference is a difference that one comparison shows, whatever the noise.
	obviousDifference = 0.2

	// scatterMin is how exact a mean of comparisons is at best.
	scatterMin = 0.005

	// cooldownMin is how long after two steps in vain the next are tried; it doubles up to restLongest while they are in vain too.
	cooldownMin = time.Second
	cooldownMax = 16 * time.Second

	// shift is how much the throughput changes, as a logarithm, when the store is another than it was, and shiftWindows for how long.
	shift        = 0.35
	shiftWindows = 3

	// starvedFrom is the share of their time in which workers have nothing to do, from which on the throughput says nothing of the store;
	// starvedTo what is left to them when their number is made fit.
	starvedFrom = 0.1
	starvedTo   = 0.2

	// rateLimitedFrom is the part of its rate from which on it is a Limiter that limits. It is more than that from which on the Limiter allows more
	// (nearFrom), so that one of the two always grows.
	rateLimitedFrom = 0.92

	// rateLimitedSpare is how many times the HEADs that a limited rate keeps in flight there are workers for: latencies vary.
	rateLimitedSpare = 2
)

// climbSteps returns by what factors a width is tried that is wider or narrower, from the finest to the coarsest. The finer, the less of a
// difference there is to be seen above the noise; the coarser, the more is lost while it is tried in vain. usualStep is the first,
// after it was of use a coarser one is tried, and when both directions are in vain a finer one.
func climbSteps() [coarsestStep + 1]float64 { return [...]float64{1.2, 1.5, 2.25, 4} }

const (
	usualStep    = 1
	coarsestStep = 3
)

// Window is what was seen of the HEADs in some time.
type Window struct {
	Elapsed time.Duration
	Answers int64
	Latency time.Duration // mean of the answers
	Idle    float64       // the share of their time in which workers had nothing to ask for, from 0 to 1
	Rate    float64       // requests per second that a Limiter lets pass; 0: any number
}

// Throughput is in answers per second.
func (w Window) Throughput() float64 {
	return float64(w.Answers) / max(w.Elapsed, time.Microsecond).Seconds()
}

// RateLimited says whether it was a Limiter that limited the Speed.
func (w Window) RateLimited() bool { return w.Rate > 0 && w.Throughput() >= rateLimitedFrom*w.Rate }

// Starved says whether the workers had so little to ask for that the Speed says nothing of the store.
func (w Window) Starved() bool { return w.Idle > starvedFrom }

// Concurrency finds how many workers the store rewards: the least number whose throughput is nearly the best. It is not called concurrently,
// and knows no time but that of its Windows. Make it with NewWidth.
//
// It begins as TCP's slow start does (RFC 5681 §3.1), doubling, until a doubling brings too little, by the test with which BBR leaves its
// startup ("BBR: Congestion-Based Congestion Control", ACM Queue 14:5, 2016). Then it climbs by the throughput itself, as the thread pool
// of .NET does ("Optimizing Concurrency Levels in the .NET ThreadPool", Hellerstein et al., 2008): it goes a step wider or narrower and
// back again, several times, since throughput on a shared machine changes by itself more than by such a step, and only what was measured
// before and after can be compared. It does not infer a queue from latencies, as Vegas and Netflix's Gradient2 do: those keep latency
// low, for a server's sake; here only throughput counts, and latency grows where this machine is busy, too.
type Concurrency struct {
	max   int
	depth int // HEADs in flight on each worker's connection

	best             int // the best that is known
	current          int // what is tried
	settling         bool
	unlimitedWindows int // windows in a row that the store did not limit
	latency          time.Duration
	throughput       float64 // per second, in the last window

	climbing bool

	// While it doubles: the throughput before, 0 where that is not measured yet, and the best of the windows since.
	baseline, bestThroughput float64
	windows                  int

	// While it climbs.
	stepIndex    int       // of the step, an index into climbSteps
	widening     bool      // the direction that is tried
	lastAtBest   float64   // at home, in the last window there
	lastAtStep   float64   // away from home, in the last window there
	samples      []float64 // logarithms of what was tried to what was at home before and after it
	failed       int       // directions in a row that were tried in vain
	cooldown     time.Duration
	nextCooldown time.Duration // the next rest
	smoothed     float64       // at home, smoothed
	shifts       int           // windows in a row that were unlike usual
}

// NewConcurrency returns a Concurrency of at most so many workers, each of which has depth HEADs in flight; both are 1 at least.
func NewConcurrency(most, depth int) *Concurrency {
	most, depth = max(1, most), max(1, depth)
	start := min(most, max(concurrencyMin, concurrencyStart/depth))
	return &Concurrency{max: most, depth: depth, best: start, current: start, settling: true, nextCooldown: cooldownMin}
}

// Current is the width in force.
func (w *Concurrency) Current() int { return w.current }

// Best is the best width that is known: what is in force, or will be if what is tried brings nothing.
func (w *Concurrency) Best() int { return w.best }

// Lookahead is how wide it may be in some windows.
func (w *Concurrency) Lookahead() int {
	if w.climbing {
		return min(w.max, w.step(true))
	}
	return min(w.max, 4*w.current)
}

// WindowLength is how long the next window should be. What is seen in it is told to Next.
func (w *Concurrency) WindowLength() time.Duration {
	if w.settling {
		return min(windowLengthMax, max(settlingMin, settlingRoundTrips*w.latency))
	}
	trips := time.Duration(doublingRoundTrips)
	if w.climbing {
		trips = climbingRoundTrips
	}
	enough := windowLengthUsual
	if w.throughput > windowAnswers {
		enough = time.Duration(windowAnswers / w.throughput * float64(time.Second))
	}
	return min(windowLengthMax, max(windowLengthMin, enough, min(trips*w.latency, max(windowLengthUsual, roundTripsMin*w.latency))))
}

// Settling says whether what is seen until Window is over tells nothing yet.
func (w *Concurrency) Settling() bool { return w.settling }

// Update takes in what was seen since the last call, and returns the width from now on.
func (w *Concurrency) Update(seen Window) int {
	if seen.Answers == 0 {
		w.reset() // a store that is away, or only slower: that shows when it answers
		return w.current
	}
	w.latency, w.throughput = seen.Latency, seen.Throughput()
	switch {
	case w.settling:
		w.settling = false
	case seen.RateLimited():
		w.best = max(w.best, w.current) // less may not reach the limit
		// So many are in flight, the others wait for the Limiter.
		inFlight := seen.Throughput() * seen.Latency.Seconds()
		w.holdAt(rateLimitedSpare*inFlight/float64(w.depth) + 1)
	case seen.Starved():
		w.holdAt(float64(w.current) * (1 - seen.Idle) / (1 - starvedTo))
	case w.climbing:
		w.unlimitedWindows = 0
		w.climb(seen.Throughput(), seen.Elapsed)
	default:
		w.unlimitedWindows = 0
		w.double(seen.Throughput())
	}
	return w.current
}

func (w *Concurrency) setCurrent(width int) {
	width = max(1, min(width, w.max))
	if width != w.current {
		w.current, w.settling = width, true
	}
}

// startDoubling begins to double from a width.
func (w *Concurrency) startDoubling(width int) {
	w.climbing = false
	w.baseline, w.bestThroughput, w.windows = 0, 0, 0
	w.nextCooldown = cooldownMin
	w.setCurrent(width)
	w.best = w.current
}

// reset gives up what is being tried.
func (w *Concurrency) reset() {
	w.setCurrent(w.best)
	w.samples, w.lastAtStep, w.lastAtBest = w.samples[:0], 0, 0
	w.baseline, w.bestThroughput, w.windows, w.shifts = 0, 0, 0, 0
}

// holdAt is what is done in a window that says nothing of the store: nothing is concluded, and no wider width is kept than is of use.
func (w *Concurrency) holdAt(use float64) {
	w.reset()
	if w.unlimitedWindows++; w.unlimitedWindows < unlimitedWindowsMax {
		return
	}
	w.unlimitedWindows = 0
	if fit := max(concurrencyMin, int(math.Ceil(use))); float64(fit) < 0.8*float64(w.best) {
		w.startDoubling(fit)
	}
}

// double goes on doubling, or finds that the last was one too many.
func (w *Concurrency) double(speed float64) {
	if w.baseline == 0 {
		w.baseline, w.best = speed, w.current
		if w.setCurrent(2 * w.current); w.current == w.best {
			w.startClimb()
		}
		return
	}
	w.bestThroughput = max(w.bestThroughput, speed)
	w.windows++
	worth := 1 + doublingGain*(float64(w.current)/float64(w.best)-1)
	switch {
	case w.bestThroughput >= worth*w.baseline:
		w.baseline, w.bestThroughput, w.windows, w.best = w.bestThroughput, 0, 0, w.current
		if w.setCurrent(2 * w.current); w.current == w.best {
			w.startClimb()
		}
	case w.windows < doublingWindows:
	default:
		if w.bestThroughput > (1+gainMin)*w.baseline {
			w.best = w.current
		}
		w.startClimb()
	}
}

// startClimb begins to climb from home, and first down: the last doubling went too far.
func (w *Concurrency) startClimb() {
	w.climbing, w.widening = true, false
	w.failed, w.cooldown, w.smoothed, w.stepIndex, w.nextCooldown = 0, 0, 0, usualStep, cooldownMin
	w.reset()
}

// step is a step from home.
func (w *Concurrency) step(isWider bool) int {
	factor := climbSteps()[w.stepIndex]
	if isWider {
		return min(w.max, int(math.Ceil(float64(w.best)*factor)))
	}
	return max(1, int(float64(w.best)/factor))
}

// climb takes in a window at home or a step away, in turn.
func (w *Concurrency) climb(speed float64, took time.Duration) {
	if w.current != w.best {
		w.lastAtStep = speed
		w.setCurrent(w.best)
		return
	}
	before := w.lastAtBest
	w.lastAtBest = speed
	if w.lastAtStep > 0 && math.Abs(math.Log(speed/before)) > shift { // it was another store that the pairs tell of
		w.startClimb()
		w.lastAtBest = speed
	}
	if w.lastAtStep > 0 {
		w.samples = append(w.samples, math.Log(w.lastAtStep/math.Sqrt(before*speed)))
		w.lastAtStep = 0
		if verdict := w.evaluate(); verdict != undecided {
			w.accept(verdict == helped)
		} else {
			w.setCurrent(w.step(w.widening))
		}
		return
	}
	if w.cooldown -= took; w.cooldown > 0 {
		w.watchForShift(speed)
		return
	}
	w.setCurrent(w.step(w.widening))
	if w.current == w.best { // there is none
		w.accept(false)
	}
}

// evaluate on the step that is tried.
func (w *Concurrency) evaluate() outcome {
	least := -lossMax
	if w.widening {
		least = gainMin
	}
	if w.stepIndex < usualStep {
		least /= 2
	}
	n := float64(len(w.samples))
	mean, squares := 0.0, 0.0
	for _, d := range w.samples {
		mean += d / n
	}
	for _, d := range w.samples {
		squares += (d - mean) * (d - mean)
	}
	scatter := obviousDifference
	if len(w.samples) >= samplesMin {
		scatter = max(scatterMin, math.Sqrt(squares/(n-1)/n))
	}
	switch {
	case mean-scatter > least, len(w.samples) == samplesMax && !w.widening && mean > 0:
		return helped
	case mean+scatter < least || len(w.samples) == samplesMax:
		return inVain
	}
	return undecided
}

// accept makes the step that was tried, or leaves it.
func (w *Concurrency) accept(isGood bool) {
	if !isGood {
		w.samples = w.samples[:0]
		w.widening = !w.widening
		w.failed++
		switch {
		case w.stepIndex > usualStep:
			w.stepIndex, w.failed = usualStep, 0
		case w.failed < 2:
		case w.stepIndex == usualStep:
			w.stepIndex, w.failed = w.stepIndex-1, 0
		default:
			w.stepIndex, w.failed, w.cooldown, w.smoothed, w.shifts = usualStep, 0, w.nextCooldown, 0, 0
			w.nextCooldown = min(2*w.nextCooldown, cooldownMax)
		}
		return
	}
	gain := 0.0
	for _, d := range w.samples {
		gain += d / float64(len(w.samples))
	}
	home := w.step(w.widening)
	if w.widening && gain > obviousDifference { // nearly in proportion: there is much more to be had
		w.startDoubling(home)
		return
	}
	w.best, w.failed, w.nextCooldown = home, 0, cooldownMin
	w.stepIndex = min(w.stepIndex+1, coarsestStep)
	w.reset()
}

// watchForShift looks, between two tries, whether the store is still what it was.
func (w *Concurrency) watchForShift(speed float64) {
	if w.smoothed == 0 {
		w.smoothed = speed
		return
	}
	if math.Abs(math.Log(speed/w.smoothed)) < shift {
		w.smoothed += (speed - w.smoothed) / 4
		w.shifts = 0
		return
	}
	if w.shifts++; w.shifts < shiftWindows {
		return
	}
	if speed > w.smoothed {
		w.startDoubling(w.best)
		return
	}
	w.startClimb() // it may be too many, or too few: the first shows at once
}

type outcome uint8

const (
	undecided outcome = iota
	helped
	inVain
)
