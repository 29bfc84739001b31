package audit

import (
	"fmt"
	"io"

	"headcount/bench/figures"
)

// The thresholds: µs of CPU per object beyond the case scan, MiB of resident memory, and how much longer a filter on
// the LIST may take than the LIST, in which nothing is decided and nothing is written.
const (
	filterMax, jsonlMax, csvMax, parquetMax = 0.5, 0.6, 0.8, 2.5

	rssMax, rssMaxParquet = 64.0, 160.0
	listedMax             = 1.25
)

// costs are the thresholds of the cases that do more than the case scan.
var costs = []struct {
	name string
	max  float64
}{{caseFilter, filterMax}, {caseJSONL, jsonlMax}, {caseCSV, csvMax}, {caseParquet, parquetMax}}

// figure reads one figure of a Run.
type figure func(Run) float64

func cpu(r Run) float64  { return r.CPUMicrosPerObject }
func wall(r Run) float64 { return r.WallSeconds }
func rss(r Run) float64  { return float64(r.MaxRSSBytes) / (1 << 20) }

// figures returns a figure of each Run of a Case.
func (r *Report) figures(name string, of figure) []float64 {
	var all []float64
	for _, run := range r.Runs {
		if run.Case == name {
			all = append(all, of(run))
		}
	}
	return all
}

// compare returns, for each round, what combine makes of a figure of a Case and of another Case.
func (r *Report) compare(name, base string, of figure, combine func(a, b float64) float64) figures.Spread {
	bases := r.figures(base, of)
	values := r.figures(name, of)
	combined := make([]float64, min(len(values), len(bases)))
	for i := range combined {
		combined[i] = combine(values[i], bases[i])
	}
	return figures.SpreadOf(combined)
}

func difference(a, b float64) float64 { return a - b }
func ratio(a, b float64) float64      { return a / b }

// Write writes a row for every Case: the medians of the rounds, and in brackets the least and the greatest value.
func (r *Report) Write(w io.Writer) error {
	rows := [][]string{{"case", "µs CPU per object", "beyond the scan", "seconds", "max RSS, MiB", "HEADs", "output, MB"}}
	for _, c := range Cases() {
		var heads, bytes int64
		for _, run := range r.Runs {
			if run.Case == c.Name {
				heads, bytes = run.Heads, run.Bytes
			}
		}
		beyond := figures.None
		if c.Name != caseScan && !c.lists {
			beyond = r.compare(c.Name, caseScan, cpu, difference).Format("%.2f")
		}
		rows = append(rows, []string{
			c.Name, figures.SpreadOf(r.figures(c.Name, cpu)).Format("%.2f"), beyond,
			figures.SpreadOf(r.figures(c.Name, wall)).Format("%.2f"),
			figures.SpreadOf(r.figures(c.Name, rss)).Format("%.0f"),
			fmt.Sprint(heads), fmt.Sprintf("%.1f", float64(bytes)/1e6),
		})
	}
	return figures.WriteColumns(w, rows, 1)
}

// Check writes each threshold, the measured value and whether the value meets it. It returns how many thresholds are
// missed and how many there are. The Report must be complete.
func (r *Report) Check(w io.Writer) (missed, checked int, err error) {
	var verdicts []figures.Verdict
	add := func(threshold, measured string, met bool) {
		verdicts = append(verdicts, figures.Verdict{Threshold: threshold, Measured: measured, Met: met})
	}
	for _, c := range costs {
		value := r.compare(c.name, caseScan, cpu, difference).Median
		add(fmt.Sprintf("%s ≤ %.1f µs beyond the scan", c.name, c.max), fmt.Sprintf("%.2f µs", value), value <= c.max)
	}
	for _, c := range Cases() {
		most := rssMax
		if c.Name == caseParquet {
			most = rssMaxParquet
		}
		value := figures.SpreadOf(r.figures(c.Name, rss)).Max
		add(fmt.Sprintf("%s ≤ %.0f MiB resident", c.Name, most), fmt.Sprintf("%.1f MiB", value), value <= most)
	}
	heads := figures.SpreadOf(r.figures(caseListed, func(r Run) float64 { return float64(r.Heads) })).Max
	add(caseListed+": no HEAD", fmt.Sprintf("%.0f", heads), heads == 0)
	value := r.compare(caseListed, caseListing, wall, ratio).Median
	add(fmt.Sprintf("%s ≤ %.2f × the time of the listing", caseListed, listedMax), fmt.Sprintf("%.2f ×", value),
		value <= listedMax)
	return figures.WriteVerdicts(w, verdicts)
}
