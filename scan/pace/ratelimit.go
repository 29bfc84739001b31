package pace

import (
	"math"
	"time"
)

// Tuning. No specification gives these numbers: the model tests and `bench pace` check them.
const (
	// windowMin is how often the rate is adjusted: several round trips, so that the answers are to requests that were
	// sent at the present rate.
	windowMin = 100 * time.Millisecond

	// windowMax is how long a window waits for more refusals after the first ones.
	windowMax = time.Second

	// windowRequestsMin is the number of requests in a window, however low the rate: one refusal among fewer says
	// little.
	windowRequestsMin = 10

	// burstTime is how much unused time can be made up for at once. A timer is late by 1 ms, and by some 10 ms on a
	// busy machine. A store that counts requests by the second does not notice such a burst.
	burstTime = 20 * time.Millisecond

	// refusalShareMax is the share of refusals up to which the rate does not decrease: a quarter of the 2 % that a
	// store may see at most.
	refusalShareMax = 0.005

	// refusalShareMaxFar replaces refusalShareMax while the rate increases fast. The step beyond the store's capacity
	// results in a larger share. A constant share, which cannot be measured at a low rate, does not end the increase.
	refusalShareMaxFar = 0.15

	// refusalsMin is the number of refusals below which the rate does not decrease, and refusalsMinFar the same while
	// it increases fast.
	refusalsMin    = 3
	refusalsMinFar = 6

	// decreaseTo is the new rate in relation to the store's capacity. The difference lets the store's queue drain.
	decreaseTo = 0.93

	// growthNear and growthFar are the increases in a windowMin. Near the capacity, it takes a second to make up for a
	// decrease. Far from it the capacity is not known, and the window before the next refusal is at most a quarter too
	// fast.
	growthNear = 1.004
	growthFar  = 1.25

	// A rate is near the capacity from nearFrom to nearTo times the capacity.
	nearFrom = 0.9
	nearTo   = 1.1

	// rateMin is the minimum rate, in requests/s: at a lower rate a window takes longer than a user waits.
	rateMin = 1.0

	// forgetAfter is how long after the last refusal a rate that the requests do not reach is forgotten.
	forgetAfter = 30 * time.Second

	// reportDelayMax bounds the age of answers when they are observed: a worker of package scan reports them in groups.
	reportDelayMax = 5 * time.Millisecond

	// decreasesInVain is how many decreases without effect show that the refusals do not depend on the rate. One does
	// not: before the first decrease, a store may have answered more than its capacity by tokens that it had saved.
	decreasesInVain = 2

	// expectedMin is how many refusals a window after a decrease would have if the decrease had no effect. Of so many,
	// hardly ever less than half come by chance.
	expectedMin = 8

	// evaluateMax is how long a window after a decrease lasts at most.
	evaluateMax = 5 * time.Second

	// constantShareMax is the maximum share of refusals that may be independent of the rate: half of the backends
	// behind a proxy are out of order. A store that refuses more is overloaded, or cannot work at all.
	constantShareMax = 0.55

	// constantShareFor is how long a measured constant share is used. To measure it again costs a few windows at a
	// reduced rate.
	constantShareFor = 10 * time.Second

	// resumeDivisor is the factor by which the rate is reduced after a pause. growthFar makes up for it in 0.6 s.
	resumeDivisor = 4
)

// rateLimit computes the rate at which requests may be sent, from the user's limit and from the store's refusals. The
// zero rateLimit has no limit. It has no goroutine: each call first ends the window if it is over. Its methods must not
// be called concurrently.
//
// A store that gets too many requests answers as many as it can and refuses the others. Then the answers in a window
// are its capacity, to which the rate decreases. Refusals whose share stays the same after several decreases do not
// depend on the rate: a proxy refuses so when one of its backends is out of order. The rate from before the decreases
// is restored, and the constant share of refusals is tolerated for a while.
type rateLimit struct {
	maxRate float64 // the user's limit, requests/s; 0: none
	rate    float64 // in force, requests/s; 0: no limit

	nextSend     time.Time     // when the next request may be sent
	capacity     float64       // answers/s when the rate last decreased; 0: not known
	lastRefusal  time.Time     // zero: there was none
	refusalDelay time.Duration // from a request to its refusal

	// The present window. windowStart is in the future while answers arrive to requests sent at a former rate.
	windowStart             time.Time
	sent, answers, refusals int64
	lastThroughput          float64 // answers/s in the last complete window

	// Decreases in a row, and the rate and the share of refusals before the first of them.
	decreases   int
	rateBefore  float64
	shareBefore float64

	constantShare      float64 // of requests that the store refuses at any rate
	constantShareUntil time.Time
}

// grant returns how many of n requests may be sent now. If none, the caller should ask again after wait.
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

// charge counts n requests as sent, whether or not they were granted.
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

func (l *rateLimit) observeAnswers(now time.Time, n int64) {
	l.endWindow(now)
	if !now.Before(l.windowStart) {
		l.answers += n
	}
}

// observeRefusal records the refusal of a request that was sent at the time sent.
func (l *rateLimit) observeRefusal(now, sent time.Time) {
	l.endWindow(now)
	l.lastRefusal, l.refusalDelay = now, now.Sub(sent)
	if !now.Before(l.windowStart) {
		l.refusals++
	}
}

func (l *rateLimit) startWindow(at time.Time) {
	l.windowStart, l.sent, l.answers, l.refusals = at, 0, 0, 0
}

// throughput returns the answers per second of the present window.
func (l *rateLimit) throughput(now time.Time) float64 {
	return float64(l.answers) / max(now.Sub(l.windowStart), time.Millisecond).Seconds()
}

// endWindow adjusts the rate if the window is over.
func (l *rateLimit) endWindow(now time.Time) {
	if l.windowStart.IsZero() {
		l.startWindow(now)
	}
	elapsed := now.Sub(l.windowStart)
	if elapsed < windowMin || l.rate > 0 && elapsed.Seconds()*l.rate < windowRequestsMin {
		return
	}
	if l.decreases > 0 {
		l.evaluate(now, elapsed)
		return
	}
	if now.After(l.constantShareUntil) {
		l.constantShare = 0
	}
	isExcess, isCertain := l.excess()
	switch {
	case isExcess && isCertain:
		l.rateBefore = l.rate
		l.decrease(now)
		return
	case isExcess && elapsed < windowMax:
		return // until there are more refusals, or they are few among more answers
	}
	switch {
	case l.rate == 0:
	case float64(l.sent) > nearFrom*l.rate*elapsed.Seconds():
		l.increase(elapsed)
	case l.maxRate == 0 && now.Sub(l.lastRefusal) > forgetAfter:
		l.rate = 0
	}
	l.lastThroughput = l.throughput(now)
	l.startWindow(now)
}

// excess reports whether the window has more refusals than are tolerated, and whether they are enough to be certain.
func (l *rateLimit) excess() (isExcess, isCertain bool) {
	all := float64(l.answers + l.refusals)
	tolerated, enough := refusalShareMax*all, refusalsMin
	if l.farFromCapacity() {
		tolerated, enough = refusalShareMaxFar*all, refusalsMinFar
	}
	if l.constantShare > 0 {
		// By chance there are hardly ever more than twice the expected refusals, and two more.
		tolerated = max(tolerated, 2*l.constantShare*all+2)
	}
	return float64(l.refusals) > tolerated, int(l.refusals) >= enough
}

// evaluate ends a window after a decrease if the window shows whether the decrease had an effect on the refusals. If
// several had none, it restores the rate. A share that grew by half comes from a store whose capacity falls.
func (l *rateLimit) evaluate(now time.Time, elapsed time.Duration) {
	all := float64(l.answers + l.refusals)
	excess, expected := float64(l.refusals)-l.constantShare*all, l.shareBefore*all
	switch {
	case expected >= expectedMin && excess < expected/2,
		expected < expectedMin && elapsed >= evaluateMax:
		l.decreases = 0
		l.startWindow(now)
	case expected < expectedMin:
	case l.decreases < decreasesInVain || excess > 1.5*expected || float64(l.refusals) > constantShareMax*all:
		l.decrease(now)
	default:
		l.constantShare += (l.shareBefore + excess/all) / 2 // the mean of this window and the one before
		l.constantShareUntil = now.Add(constantShareFor)
		l.rate, l.capacity, l.decreases = l.rateBefore, 0, 0
		l.startWindow(now)
	}
}

// decrease sets the rate to a little less than the store's capacity.
func (l *rateLimit) decrease(now time.Time) {
	l.decreases++
	l.shareBefore = float64(l.refusals)/float64(l.answers+l.refusals) - l.constantShare
	l.capacity = l.throughput(now)
	if l.rate > 0 { // the throughput of a busy machine may be far below the rate, and below the capacity
		l.capacity = l.rate * float64(l.answers) / float64(l.answers+l.refusals)
	}
	l.setRate(decreaseTo * l.capacity)
	l.startWindow(now.Add(min(l.refusalDelay, time.Second) + reportDelayMax))
}

func (l *rateLimit) increase(elapsed time.Duration) {
	steps := min(elapsed.Seconds()/windowMin.Seconds(), windowRequestsMin)
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

// farFromCapacity reports whether there is a rate, and it is far from the capacity or the capacity is not known.
func (l *rateLimit) farFromCapacity() bool {
	return l.rate > 0 && (l.rate < nearFrom*l.capacity || l.rate > nearTo*l.capacity)
}

func (l *rateLimit) setRate(rate float64) {
	l.rate = max(rate, rateMin)
	if l.maxRate > 0 {
		l.rate = min(l.rate, l.maxRate)
	}
}

// resume sets the rate after a pause in which no requests were sent: the store's present capacity is not known. If the
// store refused because of too many requests, its throughput since before the pause, over all that time, is an estimate
// of the capacity. If the store was down, a part of its former throughput is one.
func (l *rateLimit) resume(now time.Time) {
	before := l.rate
	if before == 0 {
		before = l.lastThroughput
	}
	start := max(decreaseTo*l.throughput(now), before/resumeDivisor)
	if l.rate > 0 {
		start = min(start, l.rate)
	}
	l.setRate(start)
	if l.capacity == 0 {
		l.capacity = l.lastThroughput
	}
	l.decreases = 0
	l.nextSend = now
	l.startWindow(now)
}
