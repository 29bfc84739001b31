package s3sim

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Counts is what a Server has done so far. A request counts once a status line
// was made for it, even if a fault then cut it; one that a fault left without
// any is in Faults alone. The maps belong to the caller.
type Counts struct {
	Connections int64               // accepted
	Heads       int64               // HEADs of objects
	Lists       int64               // LISTs
	Pages       int64               // LISTs answered with 200
	Others      int64               // everything else, malformed requests included
	HeadStatus  map[int]int64       // HEADs of objects, by status
	ListStatus  map[int]int64       // LISTs likewise
	Faults      map[FaultKind]int64 // faults played, on HEADs and LISTs
	Throttled   int64               // HEADs and LISTs that were beyond RateMax
}

// statusMax is above every status there is.
const statusMax = 600

// counters are what Counts is made of. Those per request are indexed by
// operation and status.
type counters struct {
	connections atomic.Int64
	throttled   atomic.Int64
	answers     [operationCount][statusMax]atomic.Int64
	mu          sync.Mutex
	faults      map[FaultKind]int64
}

// pendingCount counts a run of answers of one kind on one connection, so that the
// counters which all cores share are touched once a write and not once a request.
type pendingCount struct {
	op     operation
	status int
	n      int64
}

func (t *pendingCount) add(c *counters, op operation, status int) {
	if t.op != op || t.status != status {
		c.flush(t)
		t.op, t.status = op, status
	}
	t.n++
}

func (c *counters) flush(t *pendingCount) {
	if t.n > 0 {
		c.answers[t.op][t.status].Add(t.n)
		t.n = 0
	}
}

func (c *counters) countFault(kind FaultKind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults == nil {
		c.faults = map[FaultKind]int64{}
	}
	c.faults[kind]++
}

// Counts returns what was done so far. A request is counted before its answer
// is written. It may be called concurrently, and costs a few microseconds.
func (s *Server) Counts() Counts {
	counts := Counts{
		Connections: s.counts.connections.Load(),
		Throttled:   s.counts.throttled.Load(),
		HeadStatus:  map[int]int64{},
		ListStatus:  map[int]int64{},
	}
	for status := range statusMax {
		if n := s.counts.answers[opHead][status].Load(); n > 0 {
			counts.HeadStatus[status] = n
			counts.Heads += n
		}
		if n := s.counts.answers[opList][status].Load(); n > 0 {
			counts.ListStatus[status] = n
			counts.Lists += n
		}
		counts.Others += s.counts.answers[opOther][status].Load() +
			s.counts.answers[opHeadBucket][status].Load()
	}
	counts.Pages = counts.ListStatus[200]
	s.counts.mu.Lock()
	counts.Faults = maps.Clone(s.counts.faults)
	s.counts.mu.Unlock()
	return counts
}
