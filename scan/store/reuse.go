package store

import "sync/atomic"

// reuseTable says at which endpoints a connection may carry several requests. A store that sends more bytes than its
// answers, or an answer twice, makes a request take bytes for its answer that are not. At such an endpoint every HEAD
// gets a connection of its own.
type reuseTable struct {
	distrusted []atomic.Bool // by index of the endpoint
	count      atomic.Int64
}

// DistrustReuse records that the endpoint of an Address sends more than the answers to its requests. It returns true
// once for each endpoint. It changes the Generation.
func (s *Store) DistrustReuse(a *Address) (first bool) {
	if s.reuse.distrusted[a.endpoint].Swap(true) {
		return false
	}
	s.reuse.count.Add(1)
	s.generation.Add(1)
	return true
}

// ReuseDistrusted reports whether every HEAD to the endpoint needs a connection of its own.
func (s *Store) ReuseDistrusted(e *Endpoint) bool { return s.reuse.distrusted[e.index].Load() }

// Distrusts returns the number of endpoints for which DistrustReuse was called. It costs one atomic load.
func (s *Store) Distrusts() int64 { return s.reuse.count.Load() }
