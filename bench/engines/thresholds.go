package engines

import (
	"fmt"
	"io"
	"slices"

	"headcount/bench/figures"
)

// threshold is a value that a client must reach.
type threshold struct {
	text     string
	client   string
	baseline string // the value is a ratio to this client's figure, round by round; empty: the client's own figure
	of       figure
	limit    float64
	atLeast  bool // limit is the least value that is met; otherwise the greatest
	format   func(value float64) string
}

// thresholds are those of the clients that are measured. Each leaves room for noise above the figures of a prototype
// (two quiet cores, 64 connections, 200,000 objects): 10 µs where the floor was 9 and the SDK 142; with 8 HEADs
// pipelined 2.7 µs and 340,000 objects/s. In the prototype the SDK did the listing too, as it does in gosdk.
// headcount's own sdk engine is cheaper: it shares the LIST decoder and more with direct.
func (cfg Config) thresholds() []threshold {
	all := []threshold{
		{"direct ≤ 1.25 × floor", clientDirect, clientFloor, cpuPerObject, 1.25, false, formatTimes},
		{"direct ≤ 1/13 of gosdk", clientDirect, clientGoSDK, cpuPerObject, 1.0 / 13, false, formatFraction},
		{"direct-tls ≤ 1.25 × floor-tls", clientDirect + tlsSuffix, clientFloor + tlsSuffix, cpuPerObject, 1.25, false,
			formatTimes},
		{"pipelined ≤ 0.35 × floor", clientPipelined, clientFloor, cpuPerObject, 0.35, false, formatTimes},
		{"pipelined ≤ 1/45 of gosdk", clientPipelined, clientGoSDK, cpuPerObject, 1.0 / 45, false, formatFraction},
		{"pipelined ≥ 250 k objects/s", clientPipelined, "", objectsPerSecond, 250e3, true, formatRate},
	}
	if cfg.Latency > 0 {
		all = cfg.latencyThresholds()
	}
	return slices.DeleteFunc(all, func(t threshold) bool {
		return !slices.Contains(cfg.Clients, t.client) || t.baseline != "" && !slices.Contains(cfg.Clients, t.baseline)
	})
}

// latencyThresholds are those of a store with latency, where workers wait and CPU does not matter. A client with one
// HEAD in flight on each connection cannot exceed workers ÷ latency; 15 % of that are for the start, the end, and the
// time between HEADs.
func (cfg Config) latencyThresholds() []threshold {
	const share = 0.85
	most := float64(cfg.Workers) / cfg.Latency.Seconds()
	return []threshold{
		{
			fmt.Sprintf("direct ≥ 85 %% of %d ÷ %s = %s", cfg.Workers, cfg.Latency, formatRate(share*most)),
			clientDirect, "", objectsPerSecond, share * most, true, formatRate,
		},
		{"direct ≥ 4 × gosdk, in objects/s", clientDirect, clientGoSDK, objectsPerSecond, 4, true, formatTimes},
	}
}

// HasThresholds reports whether Check has anything to check.
func (cfg Config) HasThresholds() bool { return len(cfg.thresholds()) > 0 }

func formatTimes(ratio float64) string    { return fmt.Sprintf("%.2f ×", ratio) }
func formatFraction(ratio float64) string { return fmt.Sprintf("1/%.1f", 1/ratio) }
func formatRate(rate float64) string      { return fmt.Sprintf("%.1f k objects/s", rate/1e3) }

// value is the median of the rounds.
func (t threshold) value(r *Report) float64 {
	if t.baseline == "" {
		return figures.SpreadOf(r.figures(t.client, t.of)).Median
	}
	return figures.SpreadOf(r.ratios(t.client, t.baseline, t.of)).Median
}

func (t threshold) met(value float64) bool {
	if t.atLeast {
		return value >= t.limit
	}
	return value <= t.limit
}

// Check writes each threshold, the measured value and whether the value meets it. It returns how many thresholds are
// missed and how many there are. The Report must be complete.
func (r *Report) Check(w io.Writer) (missed, checked int, err error) {
	var verdicts []figures.Verdict
	for _, t := range r.cfg.thresholds() {
		value := t.value(r)
		verdicts = append(verdicts, figures.Verdict{Threshold: t.text, Measured: t.format(value), Met: t.met(value)})
	}
	return figures.WriteVerdicts(w, verdicts)
}
