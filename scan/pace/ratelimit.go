package pace

import (
	"math"
	"time"
)

const (
	// windowMin is how often the limit is looked at: some round trips, so that the answers tell of the limit in force.
	windowMin = 100 * time.Millisecond

	// windowMax is how long a window waits for more refusals to make sure of a few.
	windowMax = time.Second

	// windowRequestsMin is how many a window has at least, however slow the store: one refusal among fewer says little.
	windowRequestsMin = 10

	// burstTime is what may be sent at once after a time in which less was sent than allowed. A timer is a millisecond late,
	// and a busy machine some tens; a store that counts by the second does not notice.
	burstTime = 20 * time.Millisecond

	// refusalShareMax is the share of refusals that is no reason to slow down: a quarter of the 2 % that a store should see.
	refusalShareMax = 0.005

	// refusalShareMaxFar is the same while the limit grows fast: the step beyond what the store allows shows by more than that,
	// and noise, of which nothing can be known at a low rate, does not end the growth.
	refusalShareMaxFar = 0.15

	// refusalsMin is how many there are before they are a reason for anything, and refusalsFar likewise while it grows fast.
	refusalsMin    = 3
	refusalsMinFar = 6

	// The limit is cut to a little less than what the store was found to allow, so that what is owed to it can be made up.
	decreaseTo = 0.93

	// Growth in a windowMin. Around the rate at which the store refused last it takes a second to make up for a cut; far
	// from there nothing is known of the store, and the next refusal costs a window of a quarter too much.
	growthNear = 1.004
	growthFar  = 1.25
	nearFrom   = 0.9
	nearTo     = 1.1

	// rateMin is below every store: at less, nothing would be learnt of it in a patient user's time.
	rateMin = 1.0

	// forgetAfter is how long without a refusal a limit is kept that nobody uses.
	forgetAfter = 30 * time.Second

	// reportDelayMax is how old good news may be when they are told (see scan's worker), and still count for the time before a cut.
	reportDelayMax = 5 * time.Millisecond
)

// rateLimit is how many requests may be sent in a second: what the user allows, and what the store was found to allow. The
// zero limit is none. It is lazy: it does all that time brings when it is told or asked something, and belongs to
// whoever does that, one at a time.
//
// A store that is asked for too much answers what it can and refuses the rest. So while it refuses, the answers in a
// window are what it allows, and that is what the limit is cut to.
type rateLimit struct {
	maxRate float64 // the user's, requests/s; 0: none
	rate    float64 // in force, requests/s; 0: none

	nextSend     time.Time // when the next request may be sent
	capacity     float64   // answers/s when the store last refused too much; 0: not known
	lastRefusal  time.Time // when it last refused
	refusalDelay time.Duration

	// The present window. It begins later than now while answers come to what was sent under another limit.
	windowStart             time.Time
	sent, answers, refusals int64
	lastThroughput          float64 // answers/s in the last whole one

	noise noise
}

// grant is how many of n requests may be sent now; if none, it is looked at again after wait.
func (l *rateLimit) grant(now time.Time, n int) (granted int, wait time.Duration) {
	l.endWindow(now)
	if l.rate == 0 {
		return n, 0
	}
	if wait := l.nextSend.Sub(now); wait > 0 {
		return 0, wait
	}
	n = min(n, max(1, int(l.rate*burstTime.Seconds())))
	l.charge(now, n)
	return n, 0
}

// charge counts n requests as sent, whether they are due or not.
func (l *rateLimit) charge(now time.Time, n int) {
	if l.rate == 0 {
		return
	}
	if earliest := now.Add(-burstTime); l.nextSend.Before(earliest) {
		l.nextSend = earliest
	}
	l.nextSend = l.nextSend.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	l.sent += int64(n)
}

// observeAnswers takes in n answers.
func (l *rateLimit) observeAnswers(now time.Time, n int64) {
	l.endWindow(now)
	if !now.Before(l.windowStart) {
		l.answers += n
	}
}

// observeRefusal takes in the refusal of a request that was sent under this limit.
func (l *rateLimit) observeRefusal(now, sent time.Time) {
	l.endWindow(now)
	l.lastRefusal, l.refusalDelay = now, now.Sub(sent)
	if !now.Before(l.windowStart) {
		l.refusals++
	}
}

// startWindow begins a window.
func (l *rateLimit) startWindow(at time.Time) {
	l.windowStart, l.sent, l.answers, l.refusals = at, 0, 0, 0
}

// throughput is the answers per second of the present window.
func (l *rateLimit) throughput(now time.Time) float64 {
	return float64(l.answers) / max(now.Sub(l.windowStart), time.Millisecond).Seconds()
}

// endWindow ends a window that is over, and draws the conclusions.
func (l *rateLimit) endWindow(now time.Time) {
	if l.windowStart.IsZero() {
		l.startWindow(now)
	}
	took := now.Sub(l.windowStart)
	if l.noise.tries > 0 {
		l.evaluate(now, took)
		return
	}
	if took < windowMin || l.rate > 0 && took.Seconds()*l.rate < windowRequestsMin {
		return
	}
	l.noise.age(now)
	all := float64(l.answers + l.refusals)
	bearable, enough := refusalShareMax*all, refusalsMin
	if l.farFromCapacity() {
		bearable, enough = refusalShareMaxFar*all, refusalsMinFar
	}
	isMuch := float64(l.refusals) > max(bearable, l.noise.most(all))
	switch {
	case isMuch && int(l.refusals) >= enough:
		l.decrease(now)
		return
	case isMuch && took < windowMax:
		return // until there are enough, or they are few among many
	case l.rate == 0:
	case float64(l.sent) > nearFrom*l.rate*took.Seconds():
		l.increase(took)
	case l.maxRate == 0 && now.Sub(l.lastRefusal) > forgetAfter:
		l.rate = 0
	}
	l.lastThroughput = l.throughput(now)
	l.startWindow(now)
}

// decrease sets the limit below what the store was found to allow, and begins to try whether that helps.
func (l *rateLimit) decrease(now time.Time) {
	l.noise.try(l.rate, l.answers, l.refusals)
	l.capacity = l.throughput(now)
	if l.rate > 0 { // what the limit let through but for a machine that was busy, too
		l.capacity = l.rate * float64(l.answers) / float64(l.answers+l.refusals)
	}
	l.setRate(decreaseTo * l.capacity)
	l.startWindow(now.Add(min(l.refusalDelay, time.Second) + reportDelayMax))
}

// evaluate ends a trial that has seen enough.
func (l *rateLimit) evaluate(now time.Time, took time.Duration) {
	switch l.noise.outcome(now, took, l.answers, l.refusals) {
	case undecided:
		return
	case unclear:
		l.decrease(now)
		return
	case inVain: // what the store allows is still to be found
		l.rate, l.capacity = l.noise.before, 0
	case helped:
	}
	l.noise.end()
	l.startWindow(now)
}

func (l *rateLimit) increase(took time.Duration) {
	steps := min(took.Seconds()/windowMin.Seconds(), windowRequestsMin)
	far := l.rate * math.Pow(growthFar, steps)
	switch {
	case !l.farFromCapacity():
		l.setRate(l.rate * math.Pow(growthNear, steps))
	case l.rate < l.capacity:
		l.setRate(min(far, decreaseTo*l.capacity))
	default:
		l.setRate(far)
	}
}

// farFromCapacity says whether there is a limit, and it is far from where the store refused last.
func (l *rateLimit) farFromCapacity() bool {
	return l.rate > 0 && (l.rate < nearFrom*l.capacity || l.rate > nearTo*l.capacity)
}

func (l *rateLimit) setRate(rate float64) {
	l.rate = max(rate, rateMin)
	if l.maxRate > 0 {
		l.rate = min(l.rate, l.maxRate)
	}
}

// resume sets the limit after a pause in which the store was asked for nothing. Nobody knows what it bears now. What it
// answered since before the pause, over all that time, is an estimate for a store that refused because it was asked for too
// much; for one that was away, a part of what it bore before is.
func (l *rateLimit) resume(now time.Time) {
	base := l.rate
	if base == 0 {
		base = l.lastThroughput
	}
	start := max(decreaseTo*l.throughput(now), base/resumeDivisor)
	if l.rate > 0 {
		start = min(start, l.rate)
	}
	l.setRate(start)
	if l.capacity == 0 {
		l.capacity = l.lastThroughput
	}
	l.noise.end()
	l.nextSend = now
	l.startWindow(now)
}

// resumeDivisor of the rate before a pause is made up by growthFar in half a second.
const resumeDivisor = 4
