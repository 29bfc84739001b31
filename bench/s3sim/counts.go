package s3sim

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Counts is what a Server has done so far. A request counts once the Server has made a status line for it, even if a
// fault then cuts the response. A request that a fault leaves without a status line is in Faults alone.
// The caller owns the maps.
type Counts struct {
	Connections int64               // accepted
	Heads       int64               // HEADs of objects
	Lists       int64               // LISTs
	Pages       int64               // LISTs answered with 200
	Tags        int64               // GetObjectTagging
	Annotations int64               // ListObjectAnnotations
	Others      int64               // all other requests, malformed ones included
	HeadStatus  map[int]int64       // HEADs of objects by status
	ListStatus  map[int]int64       // LISTs by status
	Faults      map[FaultKind]int64 // faults injected, by kind
	Throttled   int64               // requests above RateMax
}

// statusMax is above every status code.
const statusMax = 600

// counters are the source of Counts. responses is indexed by operation and status.
type counters struct {
	connections atomic.Int64
	throttled   atomic.Int64
	responses   [operationCount][statusMax]atomic.Int64
	mu          sync.Mutex
	faults      map[FaultKind]int64
}

// pendingCount counts consecutive responses of one connection that have the same operation and status. It keeps the
// cores from sharing the counters on every request: they are updated once a write.
type pendingCount struct {
	op     operation
	status int
	n      int64
}

func (p *pendingCount) add(c *counters, op operation, status int) {
	if p.op != op || p.status != status {
		c.flush(p)
		p.op, p.status = op, status
	}
	p.n++
}

// flush adds p to the counters and sets it to zero.
func (c *counters) flush(p *pendingCount) {
	if p.n > 0 {
		c.responses[p.op][p.status].Add(p.n)
		p.n = 0
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

// Counts returns the counts so far. The Server counts a request before it writes the response. Counts may be called
// concurrently, and takes a few microseconds.
func (s *Server) Counts() Counts {
	counts := Counts{
		Connections: s.counts.connections.Load(),
		Throttled:   s.counts.throttled.Load(),
		HeadStatus:  map[int]int64{},
		ListStatus:  map[int]int64{},
	}
	for status := range statusMax {
		if n := s.counts.responses[opHead][status].Load(); n > 0 {
			counts.HeadStatus[status] = n
			counts.Heads += n
		}
		if n := s.counts.responses[opList][status].Load(); n > 0 {
			counts.ListStatus[status] = n
			counts.Lists += n
		}
		counts.Tags += s.counts.responses[opTags][status].Load()
		counts.Annotations += s.counts.responses[opAnnotations][status].Load()
		counts.Others += s.counts.responses[opOther][status].Load() +
			s.counts.responses[opHeadBucket][status].Load()
	}
	counts.Pages = counts.ListStatus[200]
	s.counts.mu.Lock()
	counts.Faults = maps.Clone(s.counts.faults)
	s.counts.mu.Unlock()
	return counts
}
