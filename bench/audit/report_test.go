package audit

import (
	"strings"
	"testing"
)

// report returns a Report of two rounds, in which each Case has the figures of r, changed by change.
func report(change func(*Run)) *Report {
	r := &Report{Complete: true}
	for round := range 2 {
		for _, c := range Cases() {
			run := Run{
				Case: c.Name, Round: round + 1, CPUMicrosPerObject: 3 + float64(round), WallSeconds: 2, MaxRSSBytes: 40 << 20,
			}
			change(&run)
			r.Runs = append(r.Runs, run)
		}
	}
	return r
}

// Each threshold is missed by the figure that it is about, and by no other.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		missed string // the only threshold that is; empty: none is
		change func(*Run)
	}{
		{"", func(*Run) {}},
		{"filter ≤ 0.5 µs beyond the scan", add(caseFilter, 0.51)},
		{"jsonl ≤ 0.6 µs beyond the scan", add(caseJSONL, 0.61)},
		{"csv ≤ 0.8 µs beyond the scan", add(caseCSV, 0.81)},
		{"parquet ≤ 2.5 µs beyond the scan", add(caseParquet, 2.51)},
		{"csv ≤ 64 MiB resident", func(r *Run) {
			if r.Case == caseCSV && r.Round == 2 || r.Case == caseParquet {
				r.MaxRSSBytes = 65 << 20
			}
		}},
		{"parquet ≤ 160 MiB resident", func(r *Run) {
			if r.Case == caseParquet {
				r.MaxRSSBytes = 161 << 20
			}
		}},
		{"listed filter: no HEAD", func(r *Run) {
			if r.Case == caseListed && r.Round == 1 {
				r.Heads = 1
			}
		}},
		{"listed filter ≤ 1.25 × the time of the listing", func(r *Run) {
			if r.Case == caseListed {
				r.WallSeconds = 2.51
			}
		}},
	} {
		var text strings.Builder
		missed, checked, err := report(c.change).Check(&text)
		want := 0
		if c.missed != "" {
			want = 1
		}
		if err != nil || missed != want || checked != len(costs)+len(Cases())+2 {
			t.Errorf("%q: %d of %d missed, %v\n%s", c.missed, missed, checked, err, text.String())
		}
		for line := range strings.Lines(text.String()) {
			if isMissed := strings.Contains(line, " missed "); isMissed != (c.missed != "" && strings.HasPrefix(line, c.missed)) {
				t.Errorf("%q: %s", c.missed, line)
			}
		}
	}
}

// add adds to the CPU time of a Case.
func add(name string, micros float64) func(*Run) {
	return func(r *Run) {
		if r.Case == name {
			r.CPUMicrosPerObject += micros
		}
	}
}
