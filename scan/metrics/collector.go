package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headcount/scan/fault"
	"headcount/scan/store"
)

const (
	latencyMax    = time.Hour // far above every request timeout
	latencyDigits = 3         // latencies vary by more than 1/1000 on every network
)

// Collector sums up the requests, retries and latencies of a run. Its methods may be called concurrently; a worker
// calls AddHeads once a batch, so that the lock costs little. Make it with NewCollector.
type Collector struct {
	mu          sync.Mutex
	latency     *hdrhistogram.Histogram // of microseconds
	heads       int64
	fromListing int64                       // objects whose metadata the LIST gave
	requests    map[string]map[string]int64 // as Stats.Requests
	retries     map[string]map[string]int64 // as Stats.Retries
	addresses   map[*store.Address]*addressTotals
	prefixes    prefixSet
}

// NewCollector returns an empty Collector.
func NewCollector() *Collector {
	return &Collector{
		latency:   hdrhistogram.New(1, latencyMax.Microseconds(), latencyDigits),
		requests:  map[string]map[string]int64{"list": {}, "head": {}},
		retries:   map[string]map[string]int64{"list": {}, "head": {}},
		addresses: map[*store.Address]*addressTotals{},
	}
}

// Restore sets the counts to those of earlier runs: their Stats and what EncodeLatencies returned for them, which
// may be empty. It is called before anything is counted. It fails if latencies is not what EncodeLatencies returns.
func (c *Collector) Restore(stats *Stats, latencies []byte) error {
	if len(latencies) > 0 {
		latency, err := hdrhistogram.Decode(latencies)
		if err != nil {
			return fmt.Errorf("decode the latencies of the checkpoint: %w", err)
		}
		c.latency.Merge(latency)
	}
	c.heads, c.fromListing, c.prefixes = stats.Heads, stats.FromListing, slices.Clone(stats.OtherPrefixes)
	for op := range stats.Requests {
		c.requests[op], c.retries[op] = map[string]int64{}, map[string]int64{}
		maps.Copy(c.requests[op], stats.Requests[op])
		maps.Copy(c.retries[op], stats.Retries[op])
	}
	return nil
}

// EncodeLatencies returns the distribution of all latencies so far, in a form for Restore.
func (c *Collector) EncodeLatencies() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latency.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}

// CountList counts one attempt to LIST by its status or failure class, and whether it is repeated.
func (c *Collector) CountList(status string, repeated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests["list"][status]++
	if repeated {
		c.retries["list"][status]++
	}
}

// CountLookup counts one further request of a kind, by its status or failure class, and whether it is repeated.
func (c *Collector) CountLookup(kind, status string, repeated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests[kind] == nil {
		c.requests[kind], c.retries[kind] = map[string]int64{}, map[string]int64{}
	}
	c.requests[kind][status]++
	if repeated {
		c.retries[kind][status]++
	}
}

// CountHeadRetries counts n HEADs that are repeated because of an answer with that status or, if status is 0, because
// of a failure of that class.
func (c *Collector) CountHeadRetries(n int64, status int, class fault.Class) {
	label := string(class)
	if status != 0 {
		label = statusLabel(status)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retries["head"][label] += n
}

// AddHeads adds the counts of a worker and empties them.
func (c *Collector) AddHeads(h *HeadCounts) {
	c.mu.Lock()
	recordLatencies(c.latency, h.Latencies)
	c.addAddresses(h)
	c.heads += h.Heads
	c.fromListing += h.FromListing
	if h.ok > 0 {
		c.requests["head"]["200"] += h.ok
	}
	for _, prefix := range h.prefixes {
		c.prefixes.add(prefix)
	}
	for label, n := range h.requests {
		c.requests["head"][label] += n
	}
	c.mu.Unlock()
	h.reset()
}

// recordLatencies adds latencies to a histogram of microseconds. The HEADs that share a connection at the same time
// (head.Config.Pipeline) often have equal latencies, which are added at once.
func recordLatencies(h *hdrhistogram.Histogram, latencies []time.Duration) {
	for len(latencies) > 0 {
		latency, n := latencies[0], 1
		for n < len(latencies) && latencies[n] == latency {
			n++
		}
		// The only error is a latency above latencyMax, which the request timeout rules out.
		_ = h.RecordValues(max(1, latency.Microseconds()), int64(n))
		latencies = latencies[n:]
	}
}

// Fill sets the members of s that the Collector counts, except Addresses.
func (c *Collector) Fill(s *Stats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Heads, s.FromListing, s.OtherPrefixes = c.heads, c.fromListing, slices.Clone(c.prefixes)
	ms := func(microseconds int64) float64 { return float64(microseconds) / 1000 }
	s.HeadLatency = Latency{
		P50:  ms(c.latency.ValueAtQuantile(50)),
		P90:  ms(c.latency.ValueAtQuantile(90)),
		P99:  ms(c.latency.ValueAtQuantile(99)),
		P999: ms(c.latency.ValueAtQuantile(99.9)),
		Max:  ms(c.latency.Max()),
	}
	s.Requests, s.Retries = cloneCounts(c.requests), cloneCounts(c.retries)
}

// cloneCounts copies both levels: the Stats outlive the lock.
func cloneCounts(counts map[string]map[string]int64) map[string]map[string]int64 {
	clone := make(map[string]map[string]int64, len(counts))
	for op, byLabel := range counts {
		clone[op] = maps.Clone(byLabel)
	}
	return clone
}

// statusLabel returns the key of an HTTP status in Stats.Requests.
func statusLabel(status int) string { return strconv.Itoa(status) }
