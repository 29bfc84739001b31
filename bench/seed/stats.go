package seed

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headcount/scan"
)

// Requests is the account of what was sent.
type Requests struct {
	DurationSeconds  float64 `json:"duration_seconds"`   // of Run alone, and not of a Count before it
	ObjectsPerSecond float64 `json:"objects_per_second"` // put or removed, from the first PUT or HEAD on

	// By operation ("list", "put", "head", "delete"), and by status or the class of what came in its place ("timeout", "reset", …).
	Sent    map[string]map[string]int64 `json:"requests"`
	Retries map[string]map[string]int64 `json:"retries"` // requests that were sent again because of it

	Latency   map[string]scan.Latency `json:"latency_ms"`           // to the answer's header
	RateLimit float64                 `json:"rate_limit,omitempty"` // requests per second that were allowed at the end; 0: any number
	Workers   int                     `json:"workers"`
}

const (
	latencyMax    = time.Hour // far over any timeout
	latencyDigits = 3         // a thousandth is finer than any network is steady
)

// meter collects what is sent. Its methods may be called concurrently.
type meter struct {
	ops map[string]*news // by operation

	mu    sync.Mutex
	lists map[string]int64
	again map[string]int64
}

// news is what was sent of one operation, and whether it succeeds.
type news struct {
	name  string // in the account
	isPut bool
	began time.Time

	good    atomic.Int64 // ns after began, when one succeeded last; 0: none has
	bad     atomic.Int64 // since when none has, although it was tried; 0: all is well
	refused atomic.Int64 // how many were since then

	mu            sync.Mutex
	sent, retries map[string]int64
	latency       *hdrhistogram.Histogram // of microseconds
}

func newMeter() *meter {
	began := time.Now()
	m := &meter{ops: map[string]*news{}, lists: map[string]int64{}, again: map[string]int64{}}
	for op, name := range map[string]string{opPut: "put", opHead: "head", opDelete: "delete"} {
		m.ops[op] = &news{
			name: name, isPut: op == opPut, began: began, sent: map[string]int64{}, retries: map[string]int64{},
			latency: hdrhistogram.New(1, latencyMax.Microseconds(), latencyDigits),
		}
	}
	return m
}

func (m *meter) of(op string) *news { return m.ops[op] }

// listSent counts one LIST.
func (m *meter) listSent(status string, again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists[status]++
	if again {
		m.again[status]++
	}
}

// sent counts a request that was sent.
func (m *meter) sent(op string, a *reply) {
	n := m.of(op)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent[a.result()]++
	if a.latency > 0 {
		// Out of range is only what took longer than latencyMax, which the deadlines rule out.
		_ = n.latency.RecordValue(max(1, a.latency.Microseconds()))
	}
}

// sentAgain counts one that will be sent again because of this reply.
func (m *meter) sentAgain(op string, a *reply) {
	n := m.of(op)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.retries[a.result()]++
}

func (n *news) since(at time.Time) int64 { return max(1, int64(at.Sub(n.began))) }

// success is told when a request did what it was to do.
func (n *news) success() {
	n.good.Store(n.since(time.Now()))
	n.bad.Store(0)
	n.refused.Store(0)
}

// trouble is told when one met trouble that may be the store's, and returns for how long none has succeeded.
func (n *news) trouble() time.Duration {
	now := n.since(time.Now())
	n.bad.CompareAndSwap(0, now)
	bad := n.bad.Load()
	if bad == 0 { // one has just succeeded
		return 0
	}
	return time.Duration(now - bad)
}

// refusedAll is told when one was refused, and says whether it seems that all will be.
func (n *news) refusedAll() bool {
	refused := n.refused.Add(1)
	return n.good.Load() == 0 && refused >= hopelessAfter || n.isPut && refused >= hopelessInARow
}

// fill writes what was counted into the account of what began then, done being so many objects since the moment from.
func (r *run) fill(q *Requests, began time.Time, done int64, from time.Time) {
	m := r.meter
	now := time.Now()
	q.DurationSeconds, q.Workers, q.RateLimit = now.Sub(began).Seconds(), r.cfg.Workers, r.limiter.Rate()
	if !from.IsZero() {
		q.ObjectsPerSecond = float64(done) / max(now.Sub(from).Seconds(), 1e-3)
	}
	m.mu.Lock()
	q.Sent = map[string]map[string]int64{"list": maps.Clone(m.lists)}
	q.Retries = map[string]map[string]int64{"list": maps.Clone(m.again)}
	m.mu.Unlock()
	q.Latency = map[string]scan.Latency{}
	for _, n := range m.ops {
		n.fill(q)
	}
}

func (n *news) fill(q *Requests) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.sent) == 0 {
		return
	}
	q.Sent[n.name], q.Retries[n.name] = maps.Clone(n.sent), maps.Clone(n.retries)
	ms := func(microseconds int64) float64 { return float64(microseconds) / 1000 }
	q.Latency[n.name] = scan.Latency{
		P50:  ms(n.latency.ValueAtQuantile(50)),
		P90:  ms(n.latency.ValueAtQuantile(90)),
		P99:  ms(n.latency.ValueAtQuantile(99)),
		P999: ms(n.latency.ValueAtQuantile(99.9)),
		Max:  ms(n.latency.Max()),
	}
}
