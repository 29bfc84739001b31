package metrics

import (
	"maps"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headcount/scan/store"
)

// addressDigits makes a histogram of 4 kB, since a store may have hundreds of addresses.
const addressDigits = 1

// addressTotals sums up the addressRuns of one Address.
type addressTotals struct {
	latency                            *hdrhistogram.Histogram // of microseconds
	latencySum                         time.Duration
	answered, errorAnswers, unanswered int64
}

// addAddresses adds the counts of a worker to those of the addresses. The caller holds c.mu.
func (c *Collector) addAddresses(h *HeadCounts) {
	rest := h.Latencies
	for _, run := range h.addressRuns {
		latencies := rest[:run.answered]
		rest = rest[run.answered:]
		if run.address == nil {
			continue
		}
		a := c.addresses[run.address]
		if a == nil {
			a = &addressTotals{latency: hdrhistogram.New(1, latencyMax.Microseconds(), addressDigits)}
			c.addresses[run.address] = a
		}
		recordLatencies(a.latency, latencies)
		for _, latency := range latencies {
			a.latencySum += latency
		}
		a.answered += int64(run.answered)
		a.errorAnswers += int64(run.errorAnswers)
		a.unanswered += int64(run.unanswered)
	}
}

// AddressStats returns the counts of each address, in the order of the endpoints.
func (c *Collector) AddressStats() []AddressStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	addresses := slices.SortedFunc(maps.Keys(c.addresses), store.CompareAddresses)
	stats := make([]AddressStats, len(addresses))
	for i, address := range addresses {
		a := c.addresses[address]
		s := AddressStats{
			Endpoint: address.URL, Answered: a.answered, ErrorAnswers: a.errorAnswers, Unanswered: a.unanswered,
			Latency:     AddressLatency{P99: float64(a.latency.ValueAtQuantile(99)) / 1000},
			Connections: address.Opened(),
		}
		if a.answered > 0 {
			s.Latency.Mean = a.latencySum.Seconds() * 1000 / float64(a.answered)
		}
		if address.IP.IsValid() {
			s.Address = address.IP.String()
		}
		stats[i] = s
	}
	return stats
}
