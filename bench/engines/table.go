package engines

import (
	"fmt"
	"io"

	"headcount/bench/figures"
)

// Write writes a row for every client: the medians of the rounds, and in brackets the least and the greatest value.
func (r *Report) Write(w io.Writer) error {
	rows := [][]string{{"client", "µs CPU per object", "× floor", "of sdk", "of gosdk", "k objects/s", "max RSS, MB"}}
	for _, c := range r.cfg.clients() {
		ratio := func(baseline string) figures.Spread {
			return figures.SpreadOf(r.ratios(c.name, baselineOf(c.name, baseline), cpuPerObject))
		}
		rows = append(rows, []string{
			c.name,
			figures.SpreadOf(r.figures(c.name, cpuPerObject)).Format("%.2f"),
			formatRatio(ratio(clientFloor)),
			formatShare(ratio(clientSDK)),
			formatShare(ratio(clientGoSDK)),
			figures.SpreadOf(r.figures(c.name,
				func(run Run) float64 { return objectsPerSecond(run) / 1e3 })).Format("%.1f"),
			fmt.Sprintf("%.1f", float64(r.maxRSS(c.name))/1e6),
		})
	}
	return figures.WriteColumns(w, rows, 1)
}

// formatRatio writes the ratio of a client to itself as 1.
func formatRatio(s figures.Spread) string {
	if s == (figures.Spread{Median: 1, Min: 1, Max: 1}) {
		return "1"
	}
	return s.Format("%.2f")
}

// formatShare writes ratios below 1 as 1/15.2, as the thresholds do.
func formatShare(s figures.Spread) string {
	if s.Median == 0 || s.Median >= 1 {
		return formatRatio(s)
	}
	return fmt.Sprintf("1/%.1f (1/%.1f–1/%.1f)", 1/s.Median, 1/s.Min, 1/s.Max)
}
