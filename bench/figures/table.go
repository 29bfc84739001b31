package figures

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteColumns aligns rows: the first left columns to the left, the others to the right. All rows have as many cells as
// the first.
func WriteColumns(w io.Writer, rows [][]string, left int) error {
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
				width = -width // fmt aligns a negative width to the left
			}
			fmt.Fprintf(&line, "%*s  ", width, cell)
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// Verdict is the comparison of a measured value with a threshold.
type Verdict struct {
	Threshold string
	Measured  string // empty: the threshold is not measured, and not checked
	Met       bool
}

// WriteVerdicts writes a row for each Verdict. It returns how many thresholds are missed and how many were checked.
func WriteVerdicts(w io.Writer, verdicts []Verdict) (missed, checked int, err error) {
	rows := [][]string{{"threshold", "verdict", "measured"}}
	for _, v := range verdicts {
		switch {
		case v.Measured == "":
			rows = append(rows, []string{v.Threshold, "not measured", None})
			continue
		case v.Met:
			rows = append(rows, []string{v.Threshold, "met", v.Measured})
		default:
			rows = append(rows, []string{v.Threshold, "missed", v.Measured})
			missed++
		}
		checked++
	}
	return missed, checked, WriteColumns(w, rows, 2)
}
