package scan

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

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

func (o *Outcomes) add(other Outcomes) {
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
	Complete bool   `json:"complete"` // every key of the Range has its Outcome
	Error    string `json:"error,omitempty"`
	Limited  bool   `json:"limited,omitempty"` // Config.Limit was reached: there may be more objects
	Outcomes

	Runs            int     `json:"runs"`             // 1, and one for each time that it was resumed
	DurationSeconds float64 `json:"duration_seconds"` // of all of them
	Heads           int64   `json:"heads"`            // HEADs sent, answered or not
	HeadsPerSecond  float64 `json:"heads_per_second"`
	FromListing     int64   `json:"metadata_from_listing,omitempty"` // objects for which none was sent: the LIST gave their metadata
	HeadLatency     Latency `json:"head_latency"`

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
	LimitedWhy           string  `json:"limited_why"` // it is thought so
	WorkersPath          []Step  `json:"workers_path,omitempty"`

	Engine    string `json:"engine"`
	EngineWhy string `json:"engine_why"` // it was that one
	Workers   int    `json:"workers"`    // at the end
	Listers   int    `json:"listers"`    // the most that listed at once; 0: the objects were known
	Region    string `json:"region"`

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

// meter collects what the stages count. Its methods may be called concurrently; workers call them once a batch.
type meter struct {
	mu       sync.Mutex
	latency  *hdrhistogram.Histogram // of microseconds
	heads    int64
	requests map[string]map[string]int64
	retries  map[string]map[string]int64

	fromListing int64 // objects for which none was sent
	addresses   map[*store.Address]*addressMeter
}

func newMeter() *meter {
	return &meter{
		latency:  hdrhistogram.New(1, latencyMax.Microseconds(), latencyDigits),
		requests: map[string]map[string]int64{"list": {}, "head": {}},
		retries:  map[string]map[string]int64{"list": {}, "head": {}},

		addresses: map[*store.Address]*addressMeter{},
	}
}

// goOn takes over what earlier runs have counted.
func (m *meter) goOn(from *Checkpoint) error {
	if len(from.Latencies) > 0 {
		latency, err := hdrhistogram.Decode(from.Latencies)
		if err != nil {
			return fmt.Errorf("the latencies of a checkpoint: %w", err)
		}
		m.latency.Merge(latency)
	}
	m.heads, m.fromListing = from.Stats.Heads, from.Stats.FromListing
	for op := range m.requests {
		maps.Copy(m.requests[op], from.Stats.Requests[op])
		maps.Copy(m.retries[op], from.Stats.Retries[op])
	}
	return nil
}

// latencies are those of all HEADs so far, for goOn.
func (m *meter) latencies() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.latency.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}

// listSent counts one LIST.
func (m *meter) listSent(status string, again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests["list"][status]++
	if again {
		m.retries["list"][status]++
	}
}

// headsSent counts what a worker collected, and empties it.
func (m *meter) headsSent(h *headCounts) {
	m.mu.Lock()
	for _, latency := range h.latencies {
		// Out of range is only what took longer than latencyMax, which the deadlines rule out.
		_ = m.latency.RecordValue(max(1, latency.Microseconds()))
	}
	m.addressesSent(h)
	m.heads += h.heads
	m.fromListing += h.fromListing
	if h.ok > 0 {
		m.requests["head"]["200"] += h.ok
	}
	for status, n := range h.requests {
		m.requests["head"][status] += n
	}
	for status, n := range h.retries {
		m.retries["head"][status] += n
	}
	m.mu.Unlock()
	h.heads, h.ok, h.fromListing, h.latencies, h.stretches = 0, 0, 0, h.latencies[:0], h.stretches[:0]
	clear(h.requests)
	clear(h.retries)
}

// headAgain counts one HEAD that the judge lets be sent again.
func (m *meter) headAgain(e *ObjectError) {
	name := string(e.Class)
	if e.Status != 0 {
		name = statusName(e.Status)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retries["head"][name]++
}

// headCounts is what one worker counted since it last told the meter.
type headCounts struct {
	heads     int64
	ok        int64 // those of them that were answered by 200
	latencies []time.Duration
	stretches []stretch        // of all of them
	requests  map[string]int64 // those not answered by 200
	retries   map[string]int64

	fromListing int64 // objects for which none was sent
}

func newHeadCounts() headCounts {
	return headCounts{requests: map[string]int64{}, retries: map[string]int64{}}
}

// answer counts what became of one HEAD.
func (h *headCounts) answer(r *head.Result) {
	h.heads += 1 + int64(r.Resent)
	if r.Resent > 0 {
		h.requests["lost"] += int64(r.Resent)
	}
	h.stretch(r)
	if r.Err == nil {
		h.latencies = append(h.latencies, r.Latency)
	}
	if r.Err == nil && r.Status == http.StatusOK {
		h.ok++ // nearly always
	} else {
		h.requests[resultLabel(r)]++
	}
}

// statusName is the name under which an answer's status is counted.
func statusName(status int) string { return strconv.Itoa(status) }

// fill writes what was counted into the Stats.
func (m *meter) fill(s *Stats) {
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
