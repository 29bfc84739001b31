package store

import (
	"sync"
	"time"
)

const (
	// An endpoint is alone with its refusals when it has refused refusalsMin HEADs in a row, for refusalsFor at least, and another has
	// answered as many in that time. A store that is asked for too much answers some within a second, from all of its endpoints.
	refusalsMin = 16
	refusalsFor = time.Second
)

// refusals tells an endpoint that is out of order from a store that refuses some objects, or is in trouble as a whole. It may be used
// concurrently.
type refusals struct {
	mu    sync.Mutex
	known map[int]*refusalStreak // by endpoint
}

// refusalStreak is what an endpoint has refused since it last answered.
type refusalStreak struct {
	answers int // that it has brought so far
	refused int
	since   time.Time
	before  int // what all endpoints had answered by then
}

// at is the streak of an endpoint; r.mu is held.
func (r *refusals) at(endpoint int) *refusalStreak {
	s := r.known[endpoint]
	if s == nil {
		if r.known == nil {
			r.known = map[int]*refusalStreak{}
		}
		s = new(refusalStreak)
		r.known[endpoint] = s
	}
	return s
}

// answered ends an endpoint's streak.
func (r *refusals) answered(endpoint, answers int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.at(endpoint)
	s.answers += answers
	s.refused = 0
}

// alone counts a refusal, and says whether the endpoint is alone with its own. Its streak begins anew then.
func (r *refusals) alone(endpoint int) bool {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.at(endpoint)
	answers := 0
	for _, other := range r.known {
		answers += other.answers
	}
	if s.refused++; s.refused == 1 {
		s.since, s.before = now, answers
	}
	if s.refused < refusalsMin || now.Sub(s.since) < refusalsFor || answers-s.before < refusalsMin {
		return false
	}
	s.refused = 0
	return true
}
