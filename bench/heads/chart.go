package heads

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// The greatest width and height of the chart, in characters. A terminal has 80 columns or more.
const (
	chartColumns = 72
	chartRows    = 12
)

// chart draws the Report for a terminal: of a sweep HEADs/s as bars with the p99 beside them, of a single step HEADs/s
// and p99 over time. It is empty if there is nothing to draw, and else ends with a newline.
func (r *Report) chart() string {
	if r.best() == nil {
		return ""
	}
	if len(r.Steps) > 1 {
		return r.barChart()
	}
	return r.timeChart()
}

// barChart draws a row for each step, or for as many as chartedSteps returns.
func (r *Report) barChart() string {
	steps := r.chartedSteps()
	rows := [][3]string{{"workers", "HEADs/s", "p99, ms"}}
	if r.isOpen() {
		rows[0][0] = "planned/s"
	}
	for _, s := range steps {
		step := fmt.Sprint(s.Workers)
		if s.Rate > 0 {
			step = rateText(s.Rate)
		}
		rows = append(rows, [3]string{step, rateText(s.HeadsPerSecond), figureText(s.Latency.P99)})
	}
	var widths [3]int
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	const most, gaps, knee = 40, 5, "  knee"
	width := max(1, min(most, chartColumns-widths[0]-widths[1]-widths[2]-gaps-len(knee)))
	var text strings.Builder
	for i, row := range rows {
		blocks, mark := "", ""
		if i > 0 {
			blocks = bar(steps[i-1].HeadsPerSecond/r.best().HeadsPerSecond, width)
			if r.isKnee(steps[i-1]) {
				mark = knee
			}
		}
		fmt.Fprintf(&text, "%*s  %*s %-*s  %*s%s\n", widths[0], row[0], widths[1], row[1], width, blocks, widths[2],
			row[2], mark)
	}
	return text.String()
}

func (r *Report) isKnee(s Step) bool { return r.Knee != nil && r.Knee.Workers == s.Workers }

// chartedSteps returns as many steps as the chart has room for, in their order, including the best one and the knee.
func (r *Report) chartedSteps() []Step {
	const most = chartRows - 1
	if len(r.Steps) <= most {
		return r.Steps
	}
	best := r.best().HeadsPerSecond
	kept := map[int]bool{}
	keep := func(is func(Step) bool) {
		if i := slices.IndexFunc(r.Steps, is); i >= 0 {
			kept[i] = true
		}
	}
	keep(func(s Step) bool { return s.HeadsPerSecond == best })
	keep(r.isKnee)
	for i := range most - 2 { // evenly spaced, with the first and the last
		kept[i*(len(r.Steps)-1)/(most-3)] = true
	}
	var steps []Step
	for i, s := range r.Steps {
		if kept[i] {
			steps = append(steps, s)
		}
	}
	return steps
}

// eighths returns n eighths of a character, filled from the left.
func eighths(n int) string {
	return [...]string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}[n]
}

// level returns a character of which n eighths are filled from below.
func level(n int) string {
	return [...]string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}[n]
}

// bar draws a share of width characters. A share over 0 is visible.
func bar(share float64, width int) string {
	n := eighthsOf(share, width)
	return strings.Repeat("█", n/8) + eighths(n%8)
}

// eighthsOf returns a share of characters in eighths of a character.
func eighthsOf(share float64, characters int) int {
	if !(share > 0) {
		return 0
	}
	return min(8*characters, max(1, int(math.Round(min(share, 1)*8*float64(characters)))))
}

// The numbers of rows for HEADs/s and p99 in a chart over time, and of columns for the names and the time.
const (
	rateRows     = 5
	latencyRows  = 4
	namesColumns = 12
	timeColumns  = 56
)

// timeChart draws the only step: HEADs/s, and p99 below. Both axes begin at 0.
func (r *Report) timeChart() string {
	moments := mergeMoments(r.Steps)[0]
	if len(moments) == 0 {
		return ""
	}
	columns := min(timeColumns, len(moments))
	wide := timeColumns / columns // columns per moment
	part := make([]Moment, 0, columns)
	for i := range columns {
		from, to := i*len(moments)/columns, (i+1)*len(moments)/columns
		part = append(part, mergeMoment(moments[from:to]))
	}
	rates := blockRows(part, Moment.rate, wide, rateRows)
	latencies := blockRows(part, func(m Moment) float64 { return m.P99 }, wide, latencyRows)
	var text strings.Builder
	writeRows(&text, rates, "HEADs/s", rateText(greatest(part, Moment.rate)))
	fmt.Fprintf(&text, "%*s ├%s\n", namesColumns, "0", strings.Repeat("─", columns*wide))
	writeRows(&text, latencies, "p99", millisText(greatest(part, func(m Moment) float64 { return m.P99 })))
	width := columns * wide
	end := withUnit(figureText(part[len(part)-1].AtSeconds), "s")
	fmt.Fprintf(&text, "%*s └%s\n", namesColumns, "0", strings.Repeat("─", width))
	if slices.ContainsFunc(part, func(m Moment) bool { return m.Errors > 0 }) {
		var marks strings.Builder
		for _, m := range part {
			marks.WriteString(strings.Repeat(errorMark(m), wide))
		}
		fmt.Fprintf(&text, "%*s  %s\n", namesColumns, "errors", strings.TrimRight(marks.String(), " "))
	}
	fmt.Fprintf(&text, "%*s  0%*s\n", namesColumns, "", max(1+len(end), width-1), end)
	return text.String()
}

func errorMark(m Moment) string {
	if m.Errors > 0 {
		return "×"
	}
	return " "
}

// blockRows returns rows of blocks, the top row first.
func blockRows(moments []Moment, of func(Moment) float64, wide, rows int) []string {
	most := cmp.Or(greatest(moments, of), 1)
	lines := make([]string, rows)
	for _, m := range moments {
		n := 0
		if v := of(m); isMeasured(v) {
			n = eighthsOf(v/most, rows)
		}
		for i := range lines {
			lines[i] += strings.Repeat(level(min(max(n-8*(rows-1-i), 0), 8)), wide)
		}
	}
	return lines
}

// writeRows writes rows, with their name and the value of the top row before them.
func writeRows(w *strings.Builder, rows []string, name, top string) {
	for i, row := range rows {
		text, edge := "", "│"
		switch i {
		case 0:
			text, edge = top, "┤"
		case 1:
			text = name
		}
		w.WriteString(strings.TrimRight(fmt.Sprintf("%*s %s%s", namesColumns, text, edge, row), " ") + "\n")
	}
}
