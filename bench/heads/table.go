package heads

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"headcount/bench/figures"
)

// Write writes a row for each Step, a chart, the knee, and what limited the Steps.
func (r *Report) Write(w io.Writer) error {
	if err := figures.WriteColumns(w, r.table(), 0); err != nil {
		return err
	}
	for _, part := range []string{r.notes(), r.chart(), r.findings()} {
		if part == "" {
			continue
		}
		if _, err := io.WriteString(w, "\n"+part); err != nil {
			return err
		}
	}
	return nil
}

// table has a row for each Step, and in an open loop another one, of latencies from when HEADs were sent.
func (r *Report) table() [][]string {
	first := "workers"
	if r.Loop == Open {
		first = "rate"
	}
	rows := [][]string{{first, "HEADs/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "errors", "µs CPU per HEAD", "connections", "in flight", "limited by"}}
	for i := range r.Steps {
		s := &r.Steps[i]
		name := strconv.Itoa(s.Workers)
		if s.Rate > 0 {
			name = formatExact(s.Rate)
		}
		row := append([]string{name, formatRate(s.HeadsPerSecond)}, s.Latency.cells()...)
		rows = append(rows, append(row, formatWhole(float64(s.Errors)), fmt.Sprintf("%.1f", s.CPUMicrosPerHead),
			strconv.Itoa(s.Connections), fmt.Sprintf("%.1f", s.InFlight), s.LimitedBy))
		if s.Service != nil {
			rows = append(rows, append(append([]string{"from sending", ""}, s.Service.cells()...), "", "", "", "", ""))
		}
	}
	return rows
}

func (l *Latency) cells() []string {
	return []string{formatMillis(l.P50), formatMillis(l.P90), formatMillis(l.P99), formatMillis(l.P999), formatMillis(l.Max)}
}

// notes are what the table has no column for.
func (r *Report) notes() string {
	var text strings.Builder
	seen := map[string]bool{} // classes of failure: one text each says enough
	if !r.Complete {
		text.WriteString("not complete: it ended before its end\n")
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.Errors > 0 {
			fmt.Fprintf(&text, "%s: %s\n", s.title(), formatStatuses(s.Statuses))
		}
		for _, class := range slices.Sorted(maps.Keys(s.Failures)) {
			if !seen[class] {
				fmt.Fprintf(&text, "%s: %s\n", class, s.Failures[class])
			}
			seen[class] = true
		}
		if s.Unsent > 0 {
			fmt.Fprintf(&text, "%s: %s HEADs that were planned were not sent before the end, and count for as long as they waited\n",
				s.title(), formatWhole(float64(s.Unsent)))
		}
		if s.Resent > 0 {
			fmt.Fprintf(&text, "%s: %s HEADs were sent again, since the store closed their connections, and count from when they were sent first\n",
				s.title(), formatWhole(float64(s.Resent)))
		}
	}
	return text.String()
}

// findings are what came of it, for people.
func (r *Report) findings() string {
	var text strings.Builder
	if r.Knee != nil {
		fmt.Fprintf(&text, "knee: %s\n", r.Knee.Why)
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		if r.Knee == nil || s.Workers == r.Knee.Workers {
			fmt.Fprintf(&text, "%s: limited by %s: %s\n", s.title(), limitName(s.LimitedBy), s.LimitedWhy)
		}
	}
	return text.String()
}

// limitName is what people are told of what limited a Step.
func limitName(by string) string {
	switch by {
	case limitCPU:
		return "this machine's CPU"
	case limitMachine:
		return "what else ran on this machine"
	case limitRate:
		return "--rate"
	case limitWorkers:
		return "--workers"
	}
	return "the " + by
}

// title is what people are told a Step is.
func (s *Step) title() string {
	if s.Rate > 0 {
		return formatExact(s.Rate) + " HEADs/s planned"
	}
	return countOf(s.Workers, "worker")
}

// formatStatuses writes counts, the highest first.
func formatStatuses(statuses map[string]int64) string {
	var all []string
	for _, name := range namesByCount(statuses) {
		all = append(all, fmt.Sprintf("%s × %s", formatWhole(float64(statuses[name])), name))
	}
	return strings.Join(all, ", ")
}

// namesByCount are names, the one with the highest count first.
func namesByCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

// countOf writes n and its noun: 1 worker, 2 workers.
func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// formatWhole writes a whole number with commas between the thousands.
func formatWhole(figure float64) string {
	digits := strconv.FormatFloat(figure, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// formatRate writes a rate that was measured: whole, or it is below 1.
func formatRate(rate float64) string {
	if rate > 0 && rate < 1 {
		return fmt.Sprintf("%.2g", rate)
	}
	return formatWhole(rate)
}

// formatExact writes a rate as it was given.
func formatExact(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }

// formatMillis writes milliseconds by three digits, or as many as there are before the point.
func formatMillis(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
