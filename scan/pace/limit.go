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

	// windowRequests is how many a window has at least, however slow the store: one refusal among fewer says little.
	windowRequests = 10

	// slack is what may be sent at once after a time in which less was sent than allowed. A timer is a millisecond late,
	// and a busy machine some tens; a store that counts by the second does not notice.
	slack = 20 * time.Millisecond

	// tolerated is the share of refusals that is no reason to slow down: a quarter of the 2 % that a store should see.
	tolerated = 0.005

	// toleratedFar is the same while the limit grows fast: the step beyond what the store allows shows by more than that,
	// and noise, of which nothing can be known at a low rate, does not end the growth.
	toleratedFar = 0.15

	// refusalsMin is how many there are before they are a reason for anything, and refusalsFar likewise while it grows fast.
	refusalsMin = 3
	refusalsFar = 6

	// The limit is cut to a little less than what the store was found to allow, so that what is owed to it can be made up.
	cutTo = 0.93

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

	// toldAfter is how old good news may be when they are told (see scan's worker), and still count for the time before a cut.
	toldAfter = 5 * time.Millisecond
)

// limit is how many requests may be sent in a second: what the user allows, and what the store was found to allow. The
// zero limit is none. It is lazy: it does all that time brings when it is told or asked something, and belongs to
// whoever does that, one at a time.
//
// A store that is asked for too much answers what it can and refuses the rest. So while it refuses, the answers in a
// window are what it allows, and that is what the limit is cut to.
type limit struct {
	most float64 // the user's, requests/s; 0: none
	rate float64 // in force, requests/s; 0: none

	due     time.Time // when the next request may be sent
	refused float64   // answers/s when the store last refused too much; 0: not known
	badAt   time.Time // when it last refused
	lag     time.Duration

	// The present window. It begins later than now while answers come to what was sent under another limit.
	began           time.Time
	sent, good, bad int64
	usual           float64 // answers/s in the last whole one

	noise noise
}

// allow is how many of n requests may be sent now; if none, it is looked at again after wait.
func (l *limit) allow(now time.Time, n int) (granted int, wait time.Duration) {
	l.roll(now)
	if l.rate == 0 {
		return n, 0
	}
	if wait := l.due.Sub(now); wait > 0 {
		return 0, wait
	}
	n = min(n, max(1, int(l.rate*slack.Seconds())))
	l.spend(now, n)
	return n, 0
}

// spend counts n requests as sent, whether they are due or not.
func (l *limit) spend(now time.Time, n int) {
	if l.rate == 0 {
		return
	}
	if earliest := now.Add(-slack); l.due.Before(earliest) {
		l.due = earliest
	}
	l.due = l.due.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	l.sent += int64(n)
}

// answered takes in n answers.
func (l *limit) answered(now time.Time, n int64) {
	l.roll(now)
	if !now.Before(l.began) {
		l.good += n
	}
}

// throttled takes in the refusal of a request that was sent under this limit.
func (l *limit) throttled(now, sent time.Time) {
	l.roll(now)
	l.badAt, l.lag = now, now.Sub(sent)
	if !now.Before(l.began) {
		l.bad++
	}
}

// begin begins a window.
func (l *limit) begin(at time.Time) {
	l.began, l.sent, l.good, l.bad = at, 0, 0, 0
}

// speed is the answers per second of the present window.
func (l *limit) speed(now time.Time) float64 {
	return float64(l.good) / max(now.Sub(l.began), time.Millisecond).Seconds()
}

// roll ends a window that is over, and draws the conclusions.
func (l *limit) roll(now time.Time) {
	if l.began.IsZero() {
		l.begin(now)
	}
	took := now.Sub(l.began)
	if l.noise.tries > 0 {
		l.judge(now, took)
		return
	}
	if took < windowMin || l.rate > 0 && took.Seconds()*l.rate < windowRequests {
		return
	}
	l.noise.age(now)
	all := float64(l.good + l.bad)
	bearable, enough := tolerated*all, refusalsMin
	if l.isFar() {
		bearable, enough = toleratedFar*all, refusalsFar
	}
	isMuch := float64(l.bad) > max(bearable, l.noise.most(all))
	switch {
	case isMuch && int(l.bad) >= enough:
		l.cut(now)
		return
	case isMuch && took < windowMax:
		return // until there are enough, or they are few among many
	case l.rate == 0:
	case float64(l.sent) > nearFrom*l.rate*took.Seconds():
		l.grow(took)
	case l.most == 0 && now.Sub(l.badAt) > forgetAfter:
		l.rate = 0
	}
	l.usual = l.speed(now)
	l.begin(now)
}

// cut sets the limit below what the store was found to allow, and begins to try whether that helps.
func (l *limit) cut(now time.Time) {
	l.noise.try(l.rate, l.good, l.bad)
	l.refused = l.speed(now)
	if l.rate > 0 { // what the limit let through but for a machine that was busy, too
		l.refused = l.rate * float64(l.good) / float64(l.good+l.bad)
	}
	l.set(cutTo * l.refused)
	l.begin(now.Add(min(l.lag, time.Second) + toldAfter))
}

// judge ends a trial that has seen enough.
func (l *limit) judge(now time.Time, took time.Duration) {
	switch l.noise.outcome(now, took, l.good, l.bad) {
	case undecided:
		return
	case unclear:
		l.cut(now)
		return
	case inVain: // what the store allows is still to be found
		l.rate, l.refused = l.noise.before, 0
	case helped:
	}
	l.noise.end()
	l.begin(now)
}

func (l *limit) grow(took time.Duration) {
	steps := min(took.Seconds()/windowMin.Seconds(), windowRequests)
	far := l.rate * math.Pow(growthFar, steps)
	switch {
	case !l.isFar():
		l.set(l.rate * math.Pow(growthNear, steps))
	case l.rate < l.refused:
		l.set(min(far, cutTo*l.refused))
	default:
		l.set(far)
	}
}

// isFar says whether there is a limit, and it is far from where the store refused last.
func (l *limit) isFar() bool {
	return l.rate > 0 && (l.rate < nearFrom*l.refused || l.rate > nearTo*l.refused)
}

func (l *limit) set(rate float64) {
	l.rate = max(rate, rateMin)
	if l.most > 0 {
		l.rate = min(l.rate, l.most)
	}
}

// reopen sets the limit after a pause in which the store was asked for nothing. Nobody knows what it bears now. What it
// answered since before the pause, over all that time, is an estimate for a store that refused because it was asked for too
// much; for one that was away, a part of what it bore before is.
func (l *limit) reopen(now time.Time) {
	base := l.rate
	if base == 0 {
		base = l.usual
	}
	start := max(cutTo*l.speed(now), base/reopenPart)
	if l.rate > 0 {
		start = min(start, l.rate)
	}
	l.set(start)
	if l.refused == 0 {
		l.refused = l.usual
	}
	l.noise.end()
	l.due = now
	l.begin(now)
}

// reopenPart of the rate before a pause is made up by growthFar in half a second.
const reopenPart = 4
