package pace

import (
	"math"
	"time"
)

// Tuning of the climb. No specification gives these numbers.
const (
	// gainMin is what a step up must bring, and lossMax what a step down may cost, as logarithms of the throughput, for
	// a step of one half. With a store whose throughput is n/(n+k) of its best for n in flight, the climb ends with 12
	// k to 25 k in flight, at 92 to 96 % of the best.
	gainMin = 0.03
	lossMax = 0.02

	// samplesMin is the number of samples from which on their deviation is used. After samplesMax samples without a
	// result there is no difference.
	samplesMin = 3
	samplesMax = 8

	// obviousDifference is a difference in the logarithm that one sample shows, whatever the noise.
	obviousDifference = 0.2

	// deviationMin is the minimum standard deviation of a mean of samples: a few equal samples are no proof.
	deviationMin = 0.005

	// cooldownMin is the time between a pair of failed trials and the next trial. It doubles up to cooldownMax while
	// all fail.
	cooldownMin = time.Second
	cooldownMax = 16 * time.Second

	// shift is the change in the logarithm of the throughput, over shiftWindows windows, which shows that the store has
	// changed: a factor of 1.4.
	shift        = 0.35
	shiftWindows = 3

	// smoothing is the weight of the last window in the mean throughput.
	smoothing = 1.0 / 4
)

// stepFactors returns the factors of a step up or down, from the finest to the coarsest. The finer a step is, the
// smaller is the difference to see above the noise; the coarser it is, the more a failed trial costs. The climb starts
// with usualStep, takes a coarser step after a success, and a finer one after both directions failed.
func stepFactors() [coarsestStep + 1]float64 { return [...]float64{1.2, 1.5, 2.25, 4} }

const (
	usualStep    = 1
	coarsestStep = 3
)

// direction is that of a step.
type direction bool

const (
	down direction = false
	up   direction = true
)

// outcome is the result of a trial.
type outcome uint8

const (
	undecided outcome = iota
	helped
	failed
)

// climb is the state of a Concurrency that climbs: it runs at its best number of workers and a step away, in turn.
type climb struct {
	stepIndex int // into stepFactors
	direction direction
	failed    int // directions in a row that failed

	// The present trial.
	atBest  float64   // throughput of the last window at the best number; 0: none
	atStep  float64   // throughput of the window at the step since; 0: none
	samples []float64 // logarithms of the throughput at the step, in relation to that at the best before and after

	cooldown     time.Duration // until the next trial
	nextCooldown time.Duration

	// Between trials.
	mean   float64 // throughput; 0: not known
	shifts int     // windows in a row with a shift
}

func (b *climb) resetTrial() { b.samples, b.atStep, b.atBest, b.shifts = b.samples[:0], 0, 0, 0 }

// startClimb climbs from the best number, first down: the last doubling was one too many.
func (c *Concurrency) startClimb() {
	c.climbing = true
	c.climb = climb{stepIndex: usualStep, direction: down, nextCooldown: cooldownMin, samples: c.climb.samples}
	c.reset()
}

// step returns the number of workers a step away from the best.
func (c *Concurrency) step(d direction) int {
	factor := stepFactors()[c.climb.stepIndex]
	if d == up {
		return min(c.max, int(math.Ceil(float64(c.best)*factor)))
	}
	return max(1, int(float64(c.best)/factor))
}

// updateClimb takes a window at the best number of workers or a step away, in turn.
func (c *Concurrency) updateClimb(throughput float64, elapsed time.Duration) {
	b := &c.climb
	if c.current != c.best {
		b.atStep = throughput
		c.setCurrent(c.best)
		return
	}
	before := b.atBest
	b.atBest = throughput
	if b.atStep > 0 && isShift(throughput, before) { // the samples are of a store that has changed
		c.startClimb()
		b.atBest = throughput
	}
	if b.atStep > 0 {
		b.samples = append(b.samples, math.Log(b.atStep/math.Sqrt(before*throughput)))
		b.atStep = 0
		c.endSample()
		return
	}
	if b.cooldown -= elapsed; b.cooldown > 0 {
		c.watchForShift(throughput)
		return
	}
	c.setCurrent(c.step(b.direction))
	if c.current == c.best { // there is no further step
		c.reject()
	}
}

// endSample ends the trial if it has enough samples.
func (c *Concurrency) endSample() {
	switch c.climb.evaluate() {
	case helped:
		c.accept()
	case failed:
		c.reject()
	case undecided:
		c.setCurrent(c.step(c.climb.direction))
	}
}

// evaluate returns the outcome of the samples so far.
func (b *climb) evaluate() outcome {
	required := -lossMax
	if b.direction == up {
		required = gainMin
	}
	if b.stepIndex < usualStep {
		required /= 2
	}
	mean := b.gain()
	deviation := b.deviation(mean)
	switch {
	case mean-deviation > required, len(b.samples) == samplesMax && b.direction == down && mean > 0:
		return helped
	case mean+deviation < required || len(b.samples) == samplesMax:
		return failed
	}
	return undecided
}

// gain returns the mean of the samples.
func (b *climb) gain() float64 {
	sum := 0.0
	for _, sample := range b.samples {
		sum += sample
	}
	return sum / float64(len(b.samples))
}

// deviation returns the standard deviation of the mean.
func (b *climb) deviation(mean float64) float64 {
	n := float64(len(b.samples))
	if n < samplesMin {
		return obviousDifference
	}
	squares := 0.0
	for _, sample := range b.samples {
		squares += (sample - mean) * (sample - mean)
	}
	return max(deviationMin, math.Sqrt(squares/(n-1)/n))
}

// accept makes the step that was tried.
func (c *Concurrency) accept() {
	b := &c.climb
	gain, best := b.gain(), c.step(b.direction)
	if b.direction == up && gain > obviousDifference { // nearly proportional: there is much more to gain
		c.startDoubling(best)
		return
	}
	c.best, b.failed, b.nextCooldown = best, 0, cooldownMin
	b.stepIndex = min(b.stepIndex+1, coarsestStep)
	c.reset()
}

// reject tries the other direction next, or a finer step, or nothing before a cooldown.
func (c *Concurrency) reject() {
	b := &c.climb
	b.samples = b.samples[:0]
	b.direction = !b.direction
	b.failed++
	switch {
	case b.stepIndex > usualStep:
		b.stepIndex, b.failed = usualStep, 0
	case b.failed < 2:
	case b.stepIndex == usualStep:
		b.stepIndex, b.failed = b.stepIndex-1, 0
	default:
		b.stepIndex, b.failed, b.cooldown = usualStep, 0, b.nextCooldown
		b.mean, b.shifts = 0, 0
		b.nextCooldown = min(2*b.nextCooldown, cooldownMax)
	}
}

func isShift(throughput, before float64) bool { return math.Abs(math.Log(throughput/before)) > shift }

// watchForShift checks, between two trials, whether the store has changed.
func (c *Concurrency) watchForShift(throughput float64) {
	b := &c.climb
	if b.mean == 0 {
		b.mean = throughput
		return
	}
	if !isShift(throughput, b.mean) {
		b.mean += (throughput - b.mean) * smoothing
		b.shifts = 0
		return
	}
	if b.shifts++; b.shifts < shiftWindows {
		return
	}
	if throughput > b.mean {
		c.startDoubling(c.best)
		return
	}
	c.startClimb() // there may be too many workers or too few: a step down shows first whether they are too many
}
