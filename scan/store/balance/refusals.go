package balance

import (
	"sync"
	"time"
)

const (
	// refusalsMin and refusalsFor are how many refusals in a row, over how long a time, show that a target refuses
	// everything. A store that gets too many requests answers some of them within a second, at each of its endpoints.
	refusalsMin = 16
	refusalsFor = time.Second
)

// RefusalTracker distinguishes a target that is out of order from a store that refuses some objects, and from a store
// that is in trouble as a whole. The zero RefusalTracker is ready for use. All methods may be called concurrently.
type RefusalTracker[K comparable] struct {
	mu      sync.Mutex
	streaks map[K]*refusalStreak
	answers int // of all targets
}

// refusalStreak is the run of refusals of a target since its last answer.
type refusalStreak struct {
	refusals      int
	since         time.Time // the first refusal
	answersBefore int       // of all targets, at the first refusal
}

// ObserveAnswers records answers of a target, which end the target's streak.
func (r *RefusalTracker[K]) ObserveAnswers(k K, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers += n
	delete(r.streaks, k)
}

// ObserveRefusal records a refusal by a target. It reports whether the target alone refuses everything: refusalsMin
// refusals in a row, for at least refusalsFor, while other targets gave at least as many answers. After such a report
// the target's streak starts again.
func (r *RefusalTracker[K]) ObserveRefusal(k K) (isAlone bool) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.streaks[k]
	if s == nil {
		if r.streaks == nil {
			r.streaks = map[K]*refusalStreak{}
		}
		s = &refusalStreak{since: now, answersBefore: r.answers}
		r.streaks[k] = s
	}
	s.refusals++
	if s.refusals < refusalsMin || now.Sub(s.since) < refusalsFor || r.answers-s.answersBefore < refusalsMin {
		return false
	}
	delete(r.streaks, k)
	return true
}
