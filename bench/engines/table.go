package engines

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Write writes a row for every way: medians of the rounds, and in brackets the least and the most.
func (r *Report) Write(w io.Writer) error {
	rows := [][]string{{"way", "µs CPU per object", "× floor", "of sdk", "of gosdk", "k objects/s", "max RSS, MB"}}
	for _, way := range r.cfg.ways() {
		rows = append(rows, []string{
			way.name,
			spreadOf(r.figures(way.name, cpuPerObject)).format("%.2f"),
			spreadOf(r.ratios(way.name, sameTLS(way.name, wayFloor), cpuPerObject)).format("%.2f"),
			shareOf(spreadOf(r.ratios(way.name, sameTLS(way.name, waySDK), cpuPerObject))),
			shareOf(spreadOf(r.ratios(way.name, sameTLS(way.name, wayGoSDK), cpuPerObject))),
			spreadOf(r.figures(way.name, func(run Run) float64 { return objectsPerSecond(run) / 1e3 })).format("%.1f"),
			fmt.Sprintf("%.1f", float64(r.maxRSS(way.name))/1e6),
		})
	}
	return writeColumns(w, rows, 1)
}

// none stands for a ratio to a way that was not run.
const none = "-"

func (s spread) format(verb string) string {
	switch s {
	case spread{}:
		return none
	case spread{1, 1, 1}: // a way's ratio to itself
		return "1"
	}
	return fmt.Sprintf(verb+" ("+verb+"–"+verb+")", s.median, s.min, s.max)
}

// shareOf writes ratios below 1 as bars of the SDK's have them: 1/15.2.
func shareOf(s spread) string {
	if s.median == 0 || s.median >= 1 {
		return s.format("%.2f")
	}
	return fmt.Sprintf("1/%.1f (1/%.1f–1/%.1f)", 1/s.median, 1/s.min, 1/s.max)
}

// writeColumns aligns rows, the first columns to the left and the others to the right.
func writeColumns(w io.Writer, rows [][]string, left int) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			width := widths[i]
			if i < left {
				width = -width // fmt's for the left
			}
			fmt.Fprintf(&line, "%*s  ", width, cell)
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}
