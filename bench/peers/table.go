package peers

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"headcount/bench/figures"
)

// Write writes a table and a chart for every server, and then the clients that were not measured.
func (r *Report) Write(w io.Writer) error {
	for _, s := range r.cfg.servers() {
		if err := r.writeServer(w, s); err != nil {
			return err
		}
	}
	var missing [][]string
	for _, a := range r.Absent {
		missing = append(missing, []string{a.Client, "absent", a.Reason})
	}
	for _, j := range r.Rejected {
		missing = append(missing, []string{j.Client, "rejected", j.Server + ": " + j.Reason})
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := io.WriteString(w, "not measured\n"); err != nil {
		return err
	}
	return figures.WriteColumns(w, missing, len(missing[0]))
}

func (r *Report) writeServer(w io.Writer, s server) error {
	rows := [][]string{{
		"client", "objects", "in flight", "HEADs/s", "of direct", "µs CPU per HEAD", "× direct", "to start, ms CPU",
		"max RSS, MB",
	}}
	var bars []chartBar
	for _, c := range r.cfg.clients() {
		runs := r.runsOf(s.name, c.name)
		if len(runs) == 0 {
			continue
		}
		rates, cpu := figures.SpreadOf(figuresOf(runs, headsPerSecond)), figures.SpreadOf(figuresOf(runs, cpuPerHead))
		rows = append(rows, []string{
			c.name, fmt.Sprint(runs[0].Objects), fmt.Sprint(runs[0].InFlight),
			formatSpread("%.0f", rates, len(runs)), formatShare(r.ratio(s.name, c.name, clientDirect, headsPerSecond)),
			formatSpread("%.1f", cpu, len(runs)), formatTimes(r.ratio(s.name, c.name, clientDirect, cpuPerHead)),
			fmt.Sprintf("%.0f", r.startupCPU(s.name, c.name)*1e3),
			fmt.Sprintf("%.1f", slices.Max(figuresOf(runs, maxRSS))/1e6),
		})
		bars = append(bars, chartBar{c.name, rates.Median})
	}
	if len(bars) == 0 {
		return nil
	}
	if _, err := io.WriteString(w, r.heading(s)); err != nil {
		return err
	}
	if err := figures.WriteColumns(w, rows, 1); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\nHEADs/s, on a logarithmic scale\n"+chart(bars)+"\n")
	return err
}

func (r *Report) heading(s server) string {
	rounds := fmt.Sprintf("medians of %d rounds", r.Rounds)
	if r.Rounds == 1 {
		rounds = "one round"
	}
	added := ""
	if s.latency > 0 {
		added = " added to every HEAD"
	}
	return s.name + added + "; " + rounds + "\n"
}

// formatSpread writes the Spread of so many runs. That of one run is its only value.
func formatSpread(verb string, s figures.Spread, runs int) string {
	if runs == 1 {
		return fmt.Sprintf(verb, s.Median)
	}
	return s.Format(verb)
}

// formatShare writes ratios below 1 as 1/15.2.
func formatShare(ratio float64) string {
	if ratio > 0 && ratio < 0.995 {
		return fmt.Sprintf("1/%.1f", 1/ratio)
	}
	return formatTimes(ratio)
}

// formatTimes writes a ratio; figures.None for 0, where direct was not run.
func formatTimes(ratio float64) string {
	switch {
	case ratio == 0:
		return figures.None
	case ratio < 9.95:
		return fmt.Sprintf("%.2f", ratio)
	}
	return fmt.Sprintf("%.1f", ratio)
}

// chartBar is one bar of the chart.
type chartBar struct {
	name string
	rate float64 // over 0
}

const chartWidth = 60

// chart draws bars on a logarithmic scale, from the power of ten below the least rate to the greatest rate.
func chart(bars []chartBar) string {
	if len(bars) == 0 {
		return ""
	}
	low, high, width := math.Inf(1), 0.0, 0
	for _, b := range bars {
		low, high, width = min(low, b.rate), max(high, b.rate), max(width, len(b.name))
	}
	from := math.Floor(math.Log10(low))
	length := math.Log10(high) - from
	var text strings.Builder
	for _, b := range bars {
		share := 1.0
		if length > 0 {
			share = (math.Log10(b.rate) - from) / length
		}
		fmt.Fprintf(&text, "%-*s  %s %.0f\n", width, b.name,
			strings.Repeat("█", max(1, int(math.Round(share*chartWidth)))), b.rate)
	}
	return text.String()
}
