package pace

import (
	"math"
	"time"
)

const (
	// widthStart is how many HEADs are in flight at first: enough that a small bucket is not held up, and few beside what any store bears.
	widthStart = 32

	// widthFew is how many are kept in flight where the store is not what limits the run: more, once it does, come in a few doublings.
	widthFew = 4

	// A window is some round trips long, or answers that come in bursts, as they do from connections that were opened together, would
	// count as a change; and long enough that a busy machine's hiccups do not fill it, and chance does not make a tenth of it. Where
	// that takes long, tripsFew must do.
	windowLeast     = 200 * time.Millisecond
	windowLong      = time.Second
	windowLongest   = 10 * time.Second
	windowAnswers   = 100
	tripsFew        = 2
	doublingTrips   = 3
	climbingTrips   = 5
	settlingTrips   = 2 // for the new connections to be made, and to bring their first answers
	settlingLeast   = 50 * time.Millisecond
	windowsUnchosen = 5 // in a row that the store did not limit, before the width is narrowed for it

	// Doubling goes on while it brings so much more, and ends when it has not in three windows: BBR's test of whether a pipe is full, which
	// demands a quarter. To stop early costs more than to go too far by one.
	doublingGain    = 0.15
	doublingWindows = 3

	// What a wider step must bring, and what a narrower one may cost, as logarithms of the throughput, for a step of one half. A store
	// whose throughput is n/(n+k) of its best is asked with 12 k to 25 k in flight, where it gives 92 to 96 % of that.
	widerGain    = 0.03
	narrowerLoss = 0.02

	// pairsMin is from how many comparisons on their scatter is believed, and pairsMax after how many there is no difference.
	pairsMin = 3
	pairsMax = 8

	// plain is a difference that one comparison shows, whatever the noise.
	plain = 0.2

	// scatterLeast is how exact a mean of comparisons is at best.
	scatterLeast = 0.005

	// restLeast is how long after two steps in vain the next are tried; it doubles up to restLongest while they are in vain too.
	restLeast   = time.Second
	restLongest = 16 * time.Second

	// shift is how much the throughput changes, as a logarithm, when the store is another than it was, and shiftWindows for how long.
	shift        = 0.35
	shiftWindows = 3

	// starvedFrom is the share of their time in which workers have nothing to do, from which on the throughput says nothing of the store;
	// starvedTo what is left to them when their number is made fit.
	starvedFrom = 0.1
	starvedTo   = 0.2

	// pacedFrom is the part of its rate from which on it is a Gate that limits. It is more than that from which on the Gate allows more
	// (nearFrom), so that one of the two always grows.
	pacedFrom = 0.92

	// pacedSpare is how many times the HEADs that a limited rate keeps in flight there are workers for: latencies vary.
	pacedSpare = 2
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
	Took    time.Duration
	Answers int64
	Latency time.Duration // mean of the answers
	Idle    float64       // the share of their time in which workers had nothing to ask for, from 0 to 1
	Rate    float64       // requests per second that a Gate lets pass; 0: any number
}

// Speed is in answers per second.
func (w Window) Speed() float64 { return float64(w.Answers) / max(w.Took, time.Microsecond).Seconds() }

// Paced says whether it was a Gate that limited the Speed.
func (w Window) Paced() bool { return w.Rate > 0 && w.Speed() >= pacedFrom*w.Rate }

// Starved says whether the workers had so little to ask for that the Speed says nothing of the store.
func (w Window) Starved() bool { return w.Idle > starvedFrom }

// Width finds how many workers the store rewards: the least number whose throughput is nearly the best. It is not called concurrently,
// and knows no time but that of its Windows. Make it with NewWidth.
//
// It begins as TCP's slow start does (RFC 5681 §3.1), doubling, until a doubling brings too little, by the test with which BBR leaves its
// startup ("BBR: Congestion-Based Congestion Control", ACM Queue 14:5, 2016). Then it climbs by the throughput itself, as the thread pool
// of .NET does ("Optimizing Concurrency Levels in the .NET ThreadPool", Hellerstein et al., 2008): it goes a step wider or narrower and
// back again, several times, since throughput on a shared machine changes by itself more than by such a step, and only what was measured
// before and after can be compared. It does not infer a queue from latencies, as Vegas and Netflix's Gradient2 do: those keep latency
// low, for a server's sake; here only throughput counts, and latency grows where this machine is busy, too.
type Width struct {
	most  int
	depth int // HEADs in flight on each worker's connection

	home       int // the best that is known
	now        int // what is tried
	isSettling bool
	unchosen   int // windows in a row that the store did not limit
	latency    time.Duration
	answers    float64 // per second, in the last window

	isClimbing bool

	// While it doubles: the throughput before, 0 where that is not measured yet, and the best of the windows since.
	before, best float64
	windows      int

	// While it climbs.
	size    int       // of the step, an index into climbSteps
	isWider bool      // the direction that is tried
	speed   float64   // at home, in the last window there
	tried   float64   // away from home, in the last window there
	pairs   []float64 // logarithms of what was tried to what was at home before and after it
	vain    int       // directions in a row that were tried in vain
	rest    time.Duration
	pause   time.Duration // the next rest
	usual   float64       // at home, smoothed
	shifted int           // windows in a row that were unlike usual
}

// NewWidth returns a Width of at most so many workers, each of which has depth HEADs in flight; both are 1 at least.
func NewWidth(most, depth int) *Width {
	most, depth = max(1, most), max(1, depth)
	start := min(most, max(widthFew, widthStart/depth))
	return &Width{most: most, depth: depth, home: start, now: start, isSettling: true, pause: restLeast}
}

// Now is the width in force.
func (w *Width) Now() int { return w.now }

// Home is the best width that is known: what is in force, or will be if what is tried brings nothing.
func (w *Width) Home() int { return w.home }

// Soon is how wide it may be in some windows.
func (w *Width) Soon() int {
	if w.isClimbing {
		return min(w.most, w.step(true))
	}
	return min(w.most, 4*w.now)
}

// Window is how long the next window should be. What is seen in it is told to Next.
func (w *Width) Window() time.Duration {
	if w.isSettling {
		return min(windowLongest, max(settlingLeast, settlingTrips*w.latency))
	}
	trips := time.Duration(doublingTrips)
	if w.isClimbing {
		trips = climbingTrips
	}
	enough := windowLong
	if w.answers > windowAnswers {
		enough = time.Duration(windowAnswers / w.answers * float64(time.Second))
	}
	return min(windowLongest, max(windowLeast, enough, min(trips*w.latency, max(windowLong, tripsFew*w.latency))))
}

// IsSettling says whether what is seen until Window is over tells nothing yet.
func (w *Width) IsSettling() bool { return w.isSettling }

// Next takes in what was seen since the last call, and returns the width from now on.
func (w *Width) Next(seen Window) int {
	if seen.Answers == 0 {
		w.abandon() // a store that is away, or only slower: that shows when it answers
		return w.now
	}
	w.latency, w.answers = seen.Latency, seen.Speed()
	switch {
	case w.isSettling:
		w.isSettling = false
	case seen.Paced():
		w.home = max(w.home, w.now) // less may not reach the limit
		// So many are in flight, the others wait for the Gate.
		inFlight := seen.Speed() * seen.Latency.Seconds()
		w.hold(pacedSpare*inFlight/float64(w.depth) + 1)
	case seen.Starved():
		w.hold(float64(w.now) * (1 - seen.Idle) / (1 - starvedTo))
	case w.isClimbing:
		w.unchosen = 0
		w.climb(seen.Speed(), seen.Took)
	default:
		w.unchosen = 0
		w.double(seen.Speed())
	}
	return w.now
}

func (w *Width) set(width int) {
	width = max(1, min(width, w.most))
	if width != w.now {
		w.now, w.isSettling = width, true
	}
}

// begin begins to double from a width.
func (w *Width) begin(width int) {
	w.isClimbing = false
	w.before, w.best, w.windows = 0, 0, 0
	w.pause = restLeast
	w.set(width)
	w.home = w.now
}

// abandon gives up what is being tried.
func (w *Width) abandon() {
	w.set(w.home)
	w.pairs, w.tried, w.speed = w.pairs[:0], 0, 0
	w.before, w.best, w.windows, w.shifted = 0, 0, 0, 0
}

// hold is what is done in a window that says nothing of the store: nothing is concluded, and no wider width is kept than is of use.
func (w *Width) hold(use float64) {
	w.abandon()
	if w.unchosen++; w.unchosen < windowsUnchosen {
		return
	}
	w.unchosen = 0
	if fit := max(widthFew, int(math.Ceil(use))); float64(fit) < 0.8*float64(w.home) {
		w.begin(fit)
	}
}

// double goes on doubling, or finds that the last was one too many.
func (w *Width) double(speed float64) {
	if w.before == 0 {
		w.before, w.home = speed, w.now
		if w.set(2 * w.now); w.now == w.home {
			w.settle()
		}
		return
	}
	w.best = max(w.best, speed)
	w.windows++
	worth := 1 + doublingGain*(float64(w.now)/float64(w.home)-1)
	switch {
	case w.best >= worth*w.before:
		w.before, w.best, w.windows, w.home = w.best, 0, 0, w.now
		if w.set(2 * w.now); w.now == w.home {
			w.settle()
		}
	case w.windows < doublingWindows:
	default:
		if w.best > (1+widerGain)*w.before {
			w.home = w.now
		}
		w.settle()
	}
}

// settle begins to climb from home, and first down: the last doubling went too far.
func (w *Width) settle() {
	w.isClimbing, w.isWider = true, false
	w.vain, w.rest, w.usual, w.size, w.pause = 0, 0, 0, usualStep, restLeast
	w.abandon()
}

// step is a step from home.
func (w *Width) step(isWider bool) int {
	factor := climbSteps()[w.size]
	if isWider {
		return min(w.most, int(math.Ceil(float64(w.home)*factor)))
	}
	return max(1, int(float64(w.home)/factor))
}

// climb takes in a window at home or a step away, in turn.
func (w *Width) climb(speed float64, took time.Duration) {
	if w.now != w.home {
		w.tried = speed
		w.set(w.home)
		return
	}
	before := w.speed
	w.speed = speed
	if w.tried > 0 && math.Abs(math.Log(speed/before)) > shift { // it was another store that the pairs tell of
		w.settle()
		w.speed = speed
	}
	if w.tried > 0 {
		w.pairs = append(w.pairs, math.Log(w.tried/math.Sqrt(before*speed)))
		w.tried = 0
		if verdict := w.verdict(); verdict != undecided {
			w.take(verdict == helped)
		} else {
			w.set(w.step(w.isWider))
		}
		return
	}
	if w.rest -= took; w.rest > 0 {
		w.watch(speed)
		return
	}
	w.set(w.step(w.isWider))
	if w.now == w.home { // there is none
		w.take(false)
	}
}

// verdict on the step that is tried.
func (w *Width) verdict() outcome {
	least := -narrowerLoss
	if w.isWider {
		least = widerGain
	}
	if w.size < usualStep {
		least /= 2
	}
	n := float64(len(w.pairs))
	mean, squares := 0.0, 0.0
	for _, d := range w.pairs {
		mean += d / n
	}
	for _, d := range w.pairs {
		squares += (d - mean) * (d - mean)
	}
	scatter := plain
	if len(w.pairs) >= pairsMin {
		scatter = max(scatterLeast, math.Sqrt(squares/(n-1)/n))
	}
	switch {
	case mean-scatter > least, len(w.pairs) == pairsMax && !w.isWider && mean > 0:
		return helped
	case mean+scatter < least || len(w.pairs) == pairsMax:
		return inVain
	}
	return undecided
}

// take makes the step that was tried, or leaves it.
func (w *Width) take(isGood bool) {
	if !isGood {
		w.pairs = w.pairs[:0]
		w.isWider = !w.isWider
		w.vain++
		switch {
		case w.size > usualStep:
			w.size, w.vain = usualStep, 0
		case w.vain < 2:
		case w.size == usualStep:
			w.size, w.vain = w.size-1, 0
		default:
			w.size, w.vain, w.rest, w.usual, w.shifted = usualStep, 0, w.pause, 0, 0
			w.pause = min(2*w.pause, restLongest)
		}
		return
	}
	gain := 0.0
	for _, d := range w.pairs {
		gain += d / float64(len(w.pairs))
	}
	home := w.step(w.isWider)
	if w.isWider && gain > plain { // nearly in proportion: there is much more to be had
		w.begin(home)
		return
	}
	w.home, w.vain, w.pause = home, 0, restLeast
	w.size = min(w.size+1, coarsestStep)
	w.abandon()
}

// watch looks, between two tries, whether the store is still what it was.
func (w *Width) watch(speed float64) {
	if w.usual == 0 {
		w.usual = speed
		return
	}
	if math.Abs(math.Log(speed/w.usual)) < shift {
		w.usual += (speed - w.usual) / 4
		w.shifted = 0
		return
	}
	if w.shifted++; w.shifted < shiftWindows {
		return
	}
	if speed > w.usual {
		w.begin(w.home)
		return
	}
	w.settle() // it may be too many, or too few: the first shows at once
}
