package metrics

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/store"
)

// Outcomes counts objects. Every listed object is counted under exactly one other name.
type Outcomes struct {
	Listed          int64 `json:"listed"`
	Emitted         int64 `json:"emitted"`
	WithoutMetadata int64 `json:"without_metadata"`
	Filtered        int64 `json:"filtered"`
	Gone            int64 `json:"gone"`
	Failed          int64 `json:"failed"`

	// Changed counts those emitted that were overwritten between LIST and HEAD.
	Changed int64 `json:"changed"`
}

// Add adds the counts of other to o.
func (o *Outcomes) Add(other Outcomes) {
	o.Listed += other.Listed
	o.Emitted += other.Emitted
	o.WithoutMetadata += other.WithoutMetadata
	o.Filtered += other.Filtered
	o.Gone += other.Gone
	o.Failed += other.Failed
	o.Changed += other.Changed
}

// Balanced says whether every listed object has exactly one Outcome.
func (o *Outcomes) Balanced() bool {
	return o.Listed == o.Emitted+o.WithoutMetadata+o.Filtered+o.Gone+o.Failed
}

// Stats is the account of a run, and of those that it goes on with.
type Stats struct {
	Complete     bool   `json:"complete"` // every key of the Range has its Outcome
	Error        string `json:"error,omitempty"`
	LimitReached bool   `json:"limit_reached,omitempty"` // Config.Limit was reached: there may be more objects
	Outcomes

	Runs            int     `json:"runs"`             // 1, and one for each time that it was resumed
	DurationSeconds float64 `json:"duration_seconds"` // of all of them
	Heads           int64   `json:"heads"`            // HEADs sent, answered or not
	HeadsPerSecond  float64 `json:"heads_per_second"`
	FromListing     int64   `json:"metadata_from_listing,omitempty"` // objects for which none was sent: the LIST gave their metadata
	HeadLatency     Latency `json:"head_latency_ms"`

	CPUSeconds         float64 `json:"cpu_seconds"` // of the process, user and system
	CPUMicrosPerObject float64 `json:"cpu_us_per_object"`
	MaxRSSBytes        int64   `json:"max_rss_bytes,omitempty"`

	// By status, or by the class of what came in its place ("timeout", "reset", …). HEADs that an engine sent again by
	// itself are "lost".
	Requests map[string]map[string]int64 `json:"requests"` // of "list", "head"
	Retries  map[string]map[string]int64 `json:"retries"`  // requests that were sent again because of it

	// RateLimit is how many requests per second were allowed at the end, by the user and by what the store was found to
	// bear; 0: any number.
	RateLimit float64 `json:"rate_limit,omitempty"`

	// What the run was found to bear, by the last of those that are counted here: HEADs in flight, what they brought per second once their
	// number was found, and what kept it from more: "store", "cpu" (this machine's), "listing", "output" or "rate" (the user's).
	InFlight             int     `json:"in_flight"`
	SteadyHeadsPerSecond float64 `json:"steady_heads_per_second"`
	LimitedBy            string  `json:"limited_by"`
	LimitedByReason      string  `json:"limited_by_reason"` // it is thought so
	WorkersHistory       []Step  `json:"workers_history,omitempty"`

	Engine       string `json:"engine"`
	EngineReason string `json:"engine_reason"` // it was that one
	Workers      int    `json:"workers"`       // at the end
	Listers      int    `json:"listers"`       // the most that listed at once; 0: the objects were known
	Region       string `json:"region"`

	Addresses []AddressStats `json:"addresses,omitempty"` // of the last run alone
}

// Latency is the distribution of the time to an answer, in milliseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

const (
	latencyMax    = time.Hour // far over any timeout
	latencyDigits = 3         // a thousandth is finer than any network is steady
)

// Collector collects what the stages count. Its methods may be called concurrently; workers call them once a batch.
type Collector struct {
	mu       sync.Mutex
	latency  *hdrhistogram.Histogram // of microseconds
	heads    int64
	requests map[string]map[string]int64
	retries  map[string]map[string]int64

	fromListing int64 // objects for which none was sent
	addresses   map[*store.Address]*addressTotals
}

// NewCollector returns a Collector that has counted nothing.
func NewCollector() *Collector {
	return &Collector{
		latency:  hdrhistogram.New(1, latencyMax.Microseconds(), latencyDigits),
		requests: map[string]map[string]int64{"list": {}, "head": {}},
		retries:  map[string]map[string]int64{"list": {}, "head": {}},

		addresses: map[*store.Address]*addressTotals{},
	}
}

// Restore adds the counts and latencies (see EncodeLatencies) of earlier runs.
func (m *Collector) Restore(stats *Stats, latencies []byte) error {
	if len(latencies) > 0 {
		latency, err := hdrhistogram.Decode(latencies)
		if err != nil {
			return fmt.Errorf("the latencies of a checkpoint: %w", err)
		}
		m.latency.Merge(latency)
	}
	m.heads, m.fromListing = stats.Heads, stats.FromListing
	for op := range m.requests {
		maps.Copy(m.requests[op], stats.Requests[op])
		maps.Copy(m.retries[op], stats.Retries[op])
	}
	return nil
}

// EncodeLatencies returns the latencies of all HEADs so far, for Restore.
func (m *Collector) EncodeLatencies() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.latency.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}

// CountList counts one LIST.
func (m *Collector) CountList(status string, isRetry bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests["list"][status]++
	if isRetry {
		m.retries["list"][status]++
	}
}

// AddHeads counts what a worker collected, and empties it.
func (m *Collector) AddHeads(h *HeadCounts) {
	m.mu.Lock()
	for _, latency := range h.Latencies {
		// Out of range is only what took longer than latencyMax, which the deadlines rule out.
		_ = m.latency.RecordValue(max(1, latency.Microseconds()))
	}
	m.addAddresses(h)
	m.heads += h.Heads
	m.fromListing += h.FromListing
	if h.ok > 0 {
		m.requests["head"]["200"] += h.ok
	}
	for status, n := range h.requests {
		m.requests["head"][status] += n
	}
	for status, n := range h.Retries {
		m.retries["head"][status] += n
	}
	m.mu.Unlock()
	h.Heads, h.ok, h.FromListing, h.Latencies, h.addressRuns = 0, 0, 0, h.Latencies[:0], h.addressRuns[:0]
	clear(h.requests)
	clear(h.Retries)
}

// CountHeadRetry counts one HEAD that is sent again because of an answer with that status or, where status is 0, of a failure of that class.
func (m *Collector) CountHeadRetry(status int, class fault.Class) {
	name := string(class)
	if status != 0 {
		name = statusName(status)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retries["head"][name]++
}

// HeadCounts is what one worker counted since it last told the Collector. Make it with NewHeadCounts. It belongs to one goroutine.
type HeadCounts struct {
	Heads       int64            // sent
	FromListing int64            // objects for which none was sent
	Latencies   []time.Duration  // of those that were answered
	Retries     map[string]int64 // by ResultLabel

	ok          int64            // HEADs that were answered by 200
	addressRuns []addressRun     // of all of them
	requests    map[string]int64 // those not answered by 200
}

// NewHeadCounts returns empty HeadCounts.
func NewHeadCounts() HeadCounts {
	return HeadCounts{requests: map[string]int64{}, Retries: map[string]int64{}}
}

// Add counts what became of one HEAD.
func (h *HeadCounts) Add(r *head.Result) {
	h.Heads += 1 + int64(r.Resent)
	if r.Resent > 0 {
		h.requests["lost"] += int64(r.Resent)
	}
	h.countAddress(r)
	if r.Err == nil {
		h.Latencies = append(h.Latencies, r.Latency)
	}
	if r.Err == nil && r.Status == http.StatusOK {
		h.ok++ // nearly always
	} else {
		h.requests[ResultLabel(r)]++
	}
}

// ResultLabel is the name under which a Result is counted.
func ResultLabel(r *head.Result) string {
	if r.Err != nil {
		return string(fault.ClassOf(r.Err))
	}
	return statusName(r.Status)
}

// statusName is the name under which an answer's status is counted.
func statusName(status int) string { return strconv.Itoa(status) }

// Fill writes what was counted into the Stats.
func (m *Collector) Fill(s *Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.Heads, s.FromListing = m.heads, m.fromListing
	ms := func(microseconds int64) float64 { return float64(microseconds) / 1000 }
	s.HeadLatency = Latency{
		P50:  ms(m.latency.ValueAtQuantile(50)),
		P90:  ms(m.latency.ValueAtQuantile(90)),
		P99:  ms(m.latency.ValueAtQuantile(99)),
		P999: ms(m.latency.ValueAtQuantile(99.9)),
		Max:  ms(m.latency.Max()),
	}
	s.Requests, s.Retries = cloneCounts(m.requests), cloneCounts(m.retries)
}

func cloneCounts(counts map[string]map[string]int64) map[string]map[string]int64 {
	clone := make(map[string]map[string]int64, len(counts))
	for op, byStatus := range counts {
		clone[op] = maps.Clone(byStatus)
	}
	return clone
}
