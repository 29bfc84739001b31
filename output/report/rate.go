package report

import (
	"math"
	"time"
)

// smoothing is the period over which a shown rate is smoothed, so that a person can read it.
const smoothing = 3 * time.Second

// rate is the rate of a count, smoothed exponentially: the older an observation, the lower its weight. If observations
// are further apart than smoothing, it is nearly the rate between the last two.
type rate struct {
	at    time.Time // of the last observation; for the first one, the beginning
	count int64

	weightedCount, weightedSeconds float64
}

func (r *rate) observe(count int64, now time.Time) {
	elapsed := now.Sub(r.at).Seconds()
	decay := math.Exp(-elapsed / smoothing.Seconds())
	r.weightedCount = r.weightedCount*decay + float64(count-r.count)
	r.weightedSeconds = r.weightedSeconds*decay + elapsed
	r.at, r.count = now, count
}

func (r *rate) perSecond() float64 { return r.weightedCount / max(r.weightedSeconds, 1e-3) }

// remaining returns how long n more take. It is 0 if n is 0 or nothing was counted yet.
func (r *rate) remaining(n int64) time.Duration {
	if r.weightedCount == 0 {
		return 0
	}
	return time.Duration(float64(n) / r.perSecond() * float64(time.Second))
}
