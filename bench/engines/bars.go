package engines

import (
	"fmt"
	"io"
	"slices"
)

// bar is what a way must reach.
type bar struct {
	text  string
	way   string
	other string // to whose figure way's is a ratio, round by round; empty: way's own figure
	of    figure
	limit float64
	least bool // limit is the least that it may be; otherwise the most
	show  func(measured float64) string
}

// bars are those of the measurement whose ways are all run. Each leaves room for noise above what a prototype was
// measured at (two quiet cores, 64 connections, 200,000 objects): 10 µs where the floor was 9 and the SDK 142; with 8
// HEADs pipelined 2.7 µs and 340,000 objects/s. The SDK did the listing too, as it does in gosdk: headcount's own sdk engine is
// cheaper than that by the LIST decoder and all else that it shares with direct.
func (cfg Config) bars() []bar {
	all := []bar{
		{"direct ≤ 1.25 × floor", wayDirect, wayFloor, cpuPerObject, 1.25, false, showTimes},
		{"direct ≤ 1/13 of gosdk", wayDirect, wayGoSDK, cpuPerObject, 1.0 / 13, false, showShare},
		{"direct-tls ≤ 1.25 × floor-tls", wayDirect + tlsSuffix, wayFloor + tlsSuffix, cpuPerObject, 1.25, false, showTimes},
		{"pipelined ≤ 0.35 × floor", wayPipelined, wayFloor, cpuPerObject, 0.35, false, showTimes},
		{"pipelined ≤ 1/45 of gosdk", wayPipelined, wayGoSDK, cpuPerObject, 1.0 / 45, false, showShare},
		{"pipelined ≥ 250 k objects/s", wayPipelined, "", objectsPerSecond, 250e3, true, showRate},
	}
	if cfg.Latency > 0 {
		all = cfg.latencyBars()
	}
	return slices.DeleteFunc(all, func(b bar) bool {
		return !slices.Contains(cfg.Ways, b.way) || b.other != "" && !slices.Contains(cfg.Ways, b.other)
	})
}

// latencyBars are those where workers wait and CPU is no matter. No engine that has one HEAD in flight on each
// connection can do more than workers ÷ latency; 15 % of that are for the time to begin, to end, and between HEADs.
func (cfg Config) latencyBars() []bar {
	const share = 0.85
	most := float64(cfg.Workers) / cfg.Latency.Seconds()
	return []bar{
		{
			fmt.Sprintf("direct ≥ 85 %% of %d ÷ %s = %s", cfg.Workers, cfg.Latency, showRate(share*most)),
			wayDirect, "", objectsPerSecond, share * most, true, showRate,
		},
		{"direct ≥ 4 × gosdk, in objects/s", wayDirect, wayGoSDK, objectsPerSecond, 4, true, showTimes},
	}
}

// HasBars says whether Check has anything to check.
func (cfg Config) HasBars() bool { return len(cfg.bars()) > 0 }

func showTimes(ratio float64) string { return fmt.Sprintf("%.2f ×", ratio) }
func showShare(ratio float64) string { return fmt.Sprintf("1/%.1f", 1/ratio) }
func showRate(rate float64) string   { return fmt.Sprintf("%.1f k objects/s", rate/1e3) }

// measured is the median of the rounds, of the figure that the bar is about.
func (b bar) measured(r *Report) float64 {
	if b.other == "" {
		return spreadOf(r.figures(b.way, b.of)).median
	}
	return spreadOf(r.ratios(b.way, b.other, b.of)).median
}

func (b bar) isMet(measured float64) bool {
	if b.least {
		return measured >= b.limit
	}
	return measured <= b.limit
}

// Check writes for each bar what was measured and whether that is met, and returns how many are missed and how many
// there are. The Report must be complete.
func (r *Report) Check(w io.Writer) (missed, checked int, err error) {
	rows := [][]string{{"bar", "verdict", "measured"}}
	for _, b := range r.cfg.bars() {
		measured, verdict := b.measured(r), "met"
		if !b.isMet(measured) {
			verdict = "missed"
			missed++
		}
		checked++
		rows = append(rows, []string{b.text, verdict, b.show(measured)})
	}
	return missed, checked, writeColumns(w, rows, 2)
}
