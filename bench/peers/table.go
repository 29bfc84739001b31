package peers

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"headcount/bench/engines"
)

// Write writes for every server a table and a chart of what was measured on it, and at the end what was not measured.
func (r *Report) Write(w io.Writer) error {
	for _, s := range r.cfg.servers() {
		if err := r.writeServer(w, s); err != nil {
			return err
		}
	}
	var missing [][]string
	for _, a := range r.Absent {
		missing = append(missing, []string{a.Way, "absent", a.Reason})
	}
	for _, wrong := range r.Wrong {
		missing = append(missing, []string{wrong.Way, "wrong", wrong.Server + ": " + wrong.Reason})
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := io.WriteString(w, "not measured\n"); err != nil {
		return err
	}
	return engines.WriteColumns(w, missing, len(missing[0]))
}

func (r *Report) writeServer(w io.Writer, s server) error {
	rows := [][]string{{"way", "objects", "in flight", "HEADs/s", "of direct", "µs CPU per HEAD", "× direct", "to start, ms CPU", "max RSS, MB"}}
	var bars []charted
	for _, way := range r.cfg.ways() {
		runs := r.of(s.name, way.name)
		if len(runs) == 0 {
			continue
		}
		rates, cpu := figures(runs, headsPerSecond), figures(runs, cpuPerHead)
		rows = append(rows, []string{
			way.name, fmt.Sprint(runs[0].Objects), fmt.Sprint(runs[0].InFlight),
			spread("%.0f", rates), shareOf(r.ratio(s.name, way.name, wayDirect, headsPerSecond)),
			spread("%.1f", cpu), timesOf(r.ratio(s.name, way.name, wayDirect, cpuPerHead)),
			fmt.Sprintf("%.0f", r.start(s.name, way.name)*1e3),
			fmt.Sprintf("%.1f", slices.Max(figures(runs, maxRSS))/1e6),
		})
		bars = append(bars, charted{way.name, engines.Median(rates)})
	}
	if len(bars) == 0 {
		return nil
	}
	if _, err := io.WriteString(w, r.heading(s)); err != nil {
		return err
	}
	if err := engines.WriteColumns(w, rows, 1); err != nil {
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

// none stands for a ratio where direct was not run.
const none = "-"

// spread is the median of some figures, and where there are several, the least and the most.
func spread(verb string, figures []float64) string {
	if len(figures) == 1 {
		return fmt.Sprintf(verb, figures[0])
	}
	return fmt.Sprintf(verb+" ("+verb+"–"+verb+")", engines.Median(figures), slices.Min(figures), slices.Max(figures))
}

// shareOf writes ratios below 1 as 1/15.2.
func shareOf(ratio float64) string {
	if ratio > 0 && ratio < 0.995 {
		return fmt.Sprintf("1/%.1f", 1/ratio)
	}
	return timesOf(ratio)
}

func timesOf(ratio float64) string {
	switch {
	case ratio == 0:
		return none
	case ratio < 9.95:
		return fmt.Sprintf("%.2f", ratio)
	}
	return fmt.Sprintf("%.1f", ratio)
}

// charted is a bar of the chart.
type charted struct {
	name string
	rate float64 // over 0
}

const chartWidth = 60

// chart draws bars as long as the logarithms, from the power of ten below the least to the greatest.
func chart(bars []charted) string {
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
		fmt.Fprintf(&text, "%-*s  %s %.0f\n", width, b.name, strings.Repeat("█", max(1, int(math.Round(share*chartWidth)))), b.rate)
	}
	return text.String()
}
