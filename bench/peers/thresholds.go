package peers

import (
	"fmt"
	"io"
	"slices"

	"headcount/bench/figures"
)

// threshold is a ratio that direct must reach, compared with a peer.
type threshold struct {
	text      string
	min       float64
	exclusive bool                  // the ratio must be greater than min
	ratio     func(*Report) float64 // 0: not measured
}

// cpuRatioMin is the least ratio of the peer's CPU per HEAD to direct's. Without latency, boto3 with one HEAD at a time
// took 889 to 1,478 µs, and the programs in Rust and Go 100 and 142, where direct took 10.
func cpuRatioMin(s server, peer string) float64 {
	if s.name != "s3sim" {
		return 1
	}
	switch peer {
	case clientBoto3:
		return 100
	case clientRust:
		return 10
	case clientGo:
		return 12
	}
	return 1
}

// parityMin is the least ratio of direct's HEADs per second to a peer's where both only wait for the server: with as
// many HEADs in flight, neither can exceed that number ÷ latency.
const parityMin = 0.95

func (cfg Config) thresholds() []threshold {
	if !slices.Contains(cfg.Clients, clientDirect) {
		return nil
	}
	var all []threshold
	for _, s := range cfg.servers() {
		for _, c := range cfg.clients() {
			if c.own {
				continue
			}
			rateMin := 1.0
			if s.latency > 0 && c.inFlight == cfg.Workers {
				rateMin = parityMin
			}
			all = append(all, newThreshold(s.name+": HEADs/s of direct", c.name, rateMin, func(r *Report) float64 {
				return r.ratio(s.name, clientDirect, c.name, headsPerSecond)
			}))
			all = append(all, newThreshold(s.name+": CPU per HEAD of "+c.name, clientDirect, cpuRatioMin(s, c.name),
				func(r *Report) float64 {
					return r.ratio(s.name, c.name, clientDirect, cpuPerHead)
				}))
		}
	}
	return all
}

// newThreshold returns the threshold that a ratio is at least min, or greater than min where min is 1.
func newThreshold(value, baseline string, min float64, ratio func(*Report) float64) threshold {
	if min == 1 {
		return threshold{value + " > " + baseline, min, true, ratio}
	}
	return threshold{fmt.Sprintf("%s ≥ %g × %s", value, min, baseline), min, false, ratio}
}

// HasThresholds reports whether Check has anything to check: direct, and a peer.
func (cfg Config) HasThresholds() bool { return len(cfg.thresholds()) > 0 }

func (t threshold) met(ratio float64) bool {
	return ratio > t.min || ratio == t.min && !t.exclusive
}

// Check writes each threshold, the measured ratio and whether it is met. It returns how many thresholds are missed and
// how many were checked. The thresholds of a peer that is absent or rejected are not checked. The Report must be
// complete.
func (r *Report) Check(w io.Writer) (missed, checked int, err error) {
	var verdicts []figures.Verdict
	for _, t := range r.cfg.thresholds() {
		v := figures.Verdict{Threshold: t.text}
		if ratio := t.ratio(r); ratio != 0 {
			v.Measured, v.Met = formatTimes(ratio)+" ×", t.met(ratio)
		}
		verdicts = append(verdicts, v)
	}
	return figures.WriteVerdicts(w, verdicts)
}
