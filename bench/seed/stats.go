package seed

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headcount/scan/fault"
	"headcount/scan/metrics"
)

// Requests are the statistics of the requests.
type Requests struct {
	DurationSeconds  float64 `json:"duration_seconds"`   // of Run, without a Count before it
	ObjectsPerSecond float64 `json:"objects_per_second"` // objects put or removed, since the first PUT or HEAD

	// By operation ("list", "put", "head", "delete"), and by status or class of failure ("timeout", "reset", …).
	Sent    map[string]map[string]int64 `json:"requests"`
	Retries map[string]map[string]int64 `json:"retries"` // requests that were sent again because of that result

	Latency map[string]metrics.Latency `json:"latency_ms"` // until the answer's header
	// of the limiter at the end, in requests per second; 0: no limit
	RateLimit float64 `json:"rate_limit,omitempty"`
	Workers   int     `json:"workers"`
}

const (
	latencyMax    = time.Hour // far above any timeout
	latencyDigits = 3         // finer than the jitter of any network
)

// counters counts requests. Its methods may be called concurrently.
type counters struct {
	ops map[string]*opHealth // by operation

	mu          sync.Mutex
	lists       map[string]int64
	listRetries map[string]int64
}

// opHealth counts the requests of one operation, and tracks whether they succeed.
type opHealth struct {
	name    string // in the statistics
	put     bool
	health  *fault.Health
	refused atomic.Int64 // refusals since the last success

	mu            sync.Mutex
	sent, retries map[string]int64
	latency       *hdrhistogram.Histogram // of microseconds
}

func newCounters() *counters {
	m := &counters{ops: map[string]*opHealth{}, lists: map[string]int64{}, listRetries: map[string]int64{}}
	for op, name := range map[string]string{opPut: "put", opHead: "head", opDelete: "delete"} {
		m.ops[op] = &opHealth{
			name: name, put: op == opPut, health: fault.NewHealth(op), sent: map[string]int64{},
			retries: map[string]int64{},
			latency: hdrhistogram.New(1, latencyMax.Microseconds(), latencyDigits),
		}
	}
	return m
}

func (m *counters) of(op string) *opHealth { return m.ops[op] }

// listSent counts a LIST.
func (m *counters) listSent(status string, again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists[status]++
	if again {
		m.listRetries[status]++
	}
}

// sent counts a request.
func (m *counters) sent(op string, a *reply) {
	n := m.of(op)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent[a.outcome()]++
	if a.latency > 0 {
		// Only latencies above latencyMax are out of range, and the timeouts exclude them.
		_ = n.latency.RecordValue(max(1, a.latency.Microseconds()))
	}
}

// resent counts a request that will be sent again because of this reply.
func (m *counters) resent(op string, a *reply) {
	n := m.of(op)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.retries[a.outcome()]++
}

// succeeded must be called when a request succeeded.
func (n *opHealth) succeeded() {
	n.health.OK(time.Now())
	n.refused.Store(0)
}

// refusedAll must be called when a request was refused. It reports whether all requests seem to be refused.
func (n *opHealth) refusedAll() bool {
	refused := n.refused.Add(1)
	return !n.health.EverOK() && refused >= refusedAtStart || n.put && refused >= refusedInARow
}

// fill adds the counts to q. began is when the run began; done objects were put or removed since from.
func (r *run) fill(q *Requests, began time.Time, done int64, from time.Time) {
	m := r.counters
	now := time.Now()
	q.DurationSeconds, q.Workers, q.RateLimit = now.Sub(began).Seconds(), r.cfg.Workers, r.limiter.Rate()
	if !from.IsZero() {
		q.ObjectsPerSecond = float64(done) / max(now.Sub(from).Seconds(), 1e-3)
	}
	m.mu.Lock()
	q.Sent = map[string]map[string]int64{"list": maps.Clone(m.lists)}
	q.Retries = map[string]map[string]int64{"list": maps.Clone(m.listRetries)}
	m.mu.Unlock()
	q.Latency = map[string]metrics.Latency{}
	for _, n := range m.ops {
		n.fill(q)
	}
}

func (n *opHealth) fill(q *Requests) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.sent) == 0 {
		return
	}
	q.Sent[n.name], q.Retries[n.name] = maps.Clone(n.sent), maps.Clone(n.retries)
	ms := func(microseconds int64) float64 { return float64(microseconds) / 1000 }
	q.Latency[n.name] = metrics.Latency{
		P50:  ms(n.latency.ValueAtQuantile(50)),
		P90:  ms(n.latency.ValueAtQuantile(90)),
		P99:  ms(n.latency.ValueAtQuantile(99)),
		P999: ms(n.latency.ValueAtQuantile(99.9)),
		Max:  ms(n.latency.Max()),
	}
}
