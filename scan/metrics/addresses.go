package metrics

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headcount/scan/head"
	"headcount/scan/store"
)

// AddressStats is the account of the HEADs that went to one address of one endpoint.
type AddressStats struct {
	Endpoint string `json:"endpoint,omitempty"` // its URL; none where only the SDK knows it
	Address  string `json:"address,omitempty"`  // IP:port; none where there was no connection, and beyond the first 256 addresses

	Answered     int64 `json:"answered"`      // that were answered
	ErrorAnswers int64 `json:"error_answers"` // those of them that were answered by neither 200 nor 404
	Unanswered   int64 `json:"unanswered"`    // HEADs that were not answered

	Latency     AddressLatency `json:"latency_ms"`
	Connections int64          `json:"connections"` // that were opened for HEADs
}

// AddressLatency is the time to an answer, in milliseconds; 0 where there was none.
type AddressLatency struct {
	Mean float64 `json:"mean"`
	P99  float64 `json:"p99"` // to a sixteenth
}

// addressDigits makes a histogram of 4 kB: there may be hundreds of addresses.
const addressDigits = 1

// addressTotals collects what was counted of one Address.
type addressTotals struct {
	latency                   *hdrhistogram.Histogram // of microseconds
	took                      time.Duration           // all answers together
	answered, refused, failed int64
}

// addressRun is HEADs of a worker, one after the other, that went to the same Address. The latencies are those of the answered ones.
type addressRun struct {
	to                        *store.Address
	answered, refused, failed int
}

// countAddress counts what became of one HEAD under its Address.
func (h *HeadCounts) countAddress(r *head.Result) {
	last := len(h.addressRuns) - 1
	if last < 0 || h.addressRuns[last].to != r.Address {
		h.addressRuns = append(h.addressRuns, addressRun{to: r.Address})
		last++
	}
	s := &h.addressRuns[last]
	switch {
	case r.Err != nil:
		s.failed++
	case r.Status == http.StatusOK || r.Status == http.StatusNotFound:
		s.answered++
	default:
		s.answered++
		s.refused++
	}
}

// addAddresses counts what a worker collected by Address; m.mu is held.
func (m *Collector) addAddresses(h *HeadCounts) {
	latencies := h.Latencies
	for _, s := range h.addressRuns {
		here := latencies[:s.answered]
		latencies = latencies[s.answered:]
		if s.to == nil {
			continue
		}
		a := m.addresses[s.to]
		if a == nil {
			a = &addressTotals{latency: hdrhistogram.New(1, latencyMax.Microseconds(), addressDigits)}
			m.addresses[s.to] = a
		}
		for _, latency := range here {
			_ = a.latency.RecordValue(max(1, latency.Microseconds())) // as in AddHeads
			a.took += latency
		}
		a.answered += int64(s.answered)
		a.refused += int64(s.refused)
		a.failed += int64(s.failed)
	}
}

// AddressStats is the account by Address, in the order of endpoints.
func (m *Collector) AddressStats() []AddressStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	addresses := slices.SortedFunc(maps.Keys(m.addresses), store.CompareAddresses)
	stats := make([]AddressStats, len(addresses))
	for i, at := range addresses {
		a := m.addresses[at]
		s := AddressStats{
			Endpoint: at.URL, Answered: a.answered, ErrorAnswers: a.refused, Unanswered: a.failed, Connections: at.Opened(),
			Latency: AddressLatency{P99: float64(a.latency.ValueAtQuantile(99)) / 1000},
		}
		if a.answered > 0 {
			s.Latency.Mean = a.took.Seconds() * 1000 / float64(a.answered)
		}
		if at.IP.IsValid() {
			s.Address = at.IP.String()
		}
		stats[i] = s
	}
	return stats
}
