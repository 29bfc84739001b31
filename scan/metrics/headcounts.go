package metrics

import (
	"net/http"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/store"
)

// HeadCounts are the counts of one worker since its last Collector.AddHeads. One goroutine uses them. Make them
// with NewHeadCounts.
type HeadCounts struct {
	Heads       int64           // HEADs sent
	FromListing int64           // objects whose metadata the LIST gave: no HEAD was sent
	Latencies   []time.Duration // of the answered HEADs, in the order of the answers

	ok          int64            // HEADs answered with 200: nearly all of them, so they cost no map access
	requests    map[string]int64 // all others, by resultLabel
	prefixes    prefixSet
	addressRuns []addressRun
}

// addressRun counts consecutive HEADs of a worker to the same Address. The latencies of its answered HEADs are
// consecutive in HeadCounts.Latencies, in the order of the runs.
type addressRun struct {
	address                            *store.Address // nil: no address was reached
	answered, errorAnswers, unanswered int
}

// NewHeadCounts returns empty HeadCounts.
func NewHeadCounts() HeadCounts {
	return HeadCounts{requests: map[string]int64{}}
}

// Add counts one HEAD by its Result, and the earlier HEADs that were sent again. Without credentials none was sent.
func (h *HeadCounts) Add(r *head.Result) {
	if r.Resent > 0 {
		h.Heads += int64(r.Resent)
		h.requests["lost"] += int64(r.Resent)
	}
	if r.Err != nil && fault.ClassOf(r.Err) == fault.Credentials {
		return
	}
	h.Heads++
	h.countAddress(r)
	if r.Err == nil {
		h.Latencies = append(h.Latencies, r.Latency)
	}
	if r.Err == nil && r.Status == http.StatusOK {
		h.ok++
	} else {
		h.requests[resultLabel(r)]++
	}
}

// countAddress counts one HEAD in the run of its Address.
func (h *HeadCounts) countAddress(r *head.Result) {
	last := len(h.addressRuns) - 1
	if last < 0 || h.addressRuns[last].address != r.Address {
		h.addressRuns = append(h.addressRuns, addressRun{address: r.Address})
		last++
	}
	run := &h.addressRuns[last]
	switch {
	case r.Err != nil:
		run.unanswered++
	case r.Status == http.StatusOK || r.Status == http.StatusNotFound:
		run.answered++
	default:
		run.answered++
		run.errorAnswers++
	}
}

// AddOtherPrefix notes a prefix of metadata that are not taken (head.Result.OtherPrefix).
func (h *HeadCounts) AddOtherPrefix(prefix string) { h.prefixes.add(prefix) }

// reset empties the counts and keeps their memory.
func (h *HeadCounts) reset() {
	h.Heads, h.ok, h.FromListing = 0, 0, 0
	h.Latencies, h.addressRuns = h.Latencies[:0], h.addressRuns[:0]
	h.prefixes = h.prefixes[:0]
	clear(h.requests)
}

// resultLabel returns the key of a Result in Stats.Requests: its status, or without an answer the class of its
// failure.
func resultLabel(r *head.Result) string {
	if r.Err != nil {
		return string(fault.ClassOf(r.Err))
	}
	return statusLabel(r.Status)
}
