package peers

import (
	"fmt"
	"io"
	"slices"

	"headcount/bench/engines"
)

// bar is what direct must reach beside a peer.
type bar struct {
	text   string
	least  float64
	strict bool                  // least is not enough
	ratio  func(*Report) float64 // of the peer's CPU to direct's, or of direct's HEADs per second to the peer's; 0: not measured
}

// The bars of CPU for each HEAD without latency. boto3 one by one was measured at 889 to 1,478 µs, and the programs in Rust and
// Go at 100 and 142, where direct took 10.
func cpuLeast(s server, peer string) float64 {
	if s.name != "s3sim" {
		return 1
	}
	switch peer {
	case wayBoto3:
		return 100
	case wayRust:
		return 10
	case wayGo:
		return 12
	}
	return 1
}

// tied is how much of a peer's HEADs per second direct must have where both only wait: with as many HEADs in flight, neither can
// have more than that number ÷ latency.
const tiedLeast = 0.95

func (cfg Config) bars() []bar {
	if !slices.Contains(cfg.Ways, wayDirect) {
		return nil
	}
	var all []bar
	for _, s := range cfg.servers() {
		for _, w := range cfg.ways() {
			if w.ours {
				continue
			}
			least := 1.0
			if s.latency > 0 && w.inFlight == cfg.Workers {
				least = tiedLeast
			}
			all = append(all, newBar(s.name+": HEADs/s of direct", w.name, least, func(r *Report) float64 {
				return r.ratio(s.name, wayDirect, w.name, headsPerSecond)
			}))
			all = append(all, newBar(s.name+": CPU per HEAD of "+w.name, wayDirect, cpuLeast(s, w.name), func(r *Report) float64 {
				return r.ratio(s.name, w.name, wayDirect, cpuPerHead)
			}))
		}
	}
	return all
}

// newBar is a bar that what is at least so many times the other; more than once where that is one.
func newBar(what, other string, least float64, ratio func(*Report) float64) bar {
	if least == 1 {
		return bar{what + " > " + other, least, true, ratio}
	}
	return bar{fmt.Sprintf("%s ≥ %g × %s", what, least, other), least, false, ratio}
}

// HasBars says whether Check has anything to check: direct, and a peer.
func (cfg Config) HasBars() bool { return len(cfg.bars()) > 0 }

func (b bar) isMet(ratio float64) bool {
	return ratio > b.least || ratio == b.least && !b.strict
}

// Check writes for each bar what was measured and whether that is met, and returns how many are missed and how many
// there are. A peer that is absent or wrong is measured nowhere, and its bars are neither. The Report must be complete.
func (r *Report) Check(w io.Writer) (missed, checked int, err error) {
	rows := [][]string{{"bar", "verdict", "measured"}}
	for _, b := range r.cfg.bars() {
		ratio := b.ratio(r)
		if ratio == 0 {
			rows = append(rows, []string{b.text, "not measured", none})
			continue
		}
		verdict := "met"
		if !b.isMet(ratio) {
			verdict = "missed"
			missed++
		}
		checked++
		rows = append(rows, []string{b.text, verdict, timesOf(ratio) + " ×"})
	}
	return missed, checked, engines.WriteColumns(w, rows, 2)
}
