package heads

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"headcount/bench/figures"
	"headcount/output/console"
)

// Write writes a row for each Step, a chart, the knee, and the limits of the Steps.
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

// table returns a row for each Step. In an open loop a second row has the latencies from the send.
func (r *Report) table() [][]string {
	first := "workers"
	if r.Loop == Open {
		first = "rate"
	}
	rows := [][]string{{first, "HEADs/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "errors",
		"µs CPU per HEAD", "connections", "in flight", "limited by"}}
	for i := range r.Steps {
		s := &r.Steps[i]
		name := strconv.Itoa(s.Workers)
		if s.Rate > 0 {
			name = formatExact(s.Rate)
		}
		row := append([]string{name, formatRate(s.HeadsPerSecond)}, s.Latency.cells()...)
		rows = append(rows, append(row, console.Number(s.Errors), fmt.Sprintf("%.1f", s.CPUMicrosPerHead),
			strconv.Itoa(s.Connections), fmt.Sprintf("%.1f", s.InFlight), s.LimitedBy))
		if s.Service != nil {
			rows = append(rows, append(append([]string{"from send", ""}, s.Service.cells()...), "", "", "", "", ""))
		}
	}
	return rows
}

func (l *Latency) cells() []string {
	return []string{formatMillis(l.P50), formatMillis(l.P90), formatMillis(l.P99), formatMillis(l.P999),
		formatMillis(l.Max)}
}

// notes returns the lines for which the table has no column.
func (r *Report) notes() string {
	var text strings.Builder
	seen := map[string]bool{} // one text for each class of failure suffices
	if !r.Complete {
		text.WriteString("not complete: the run ended early\n")
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
			fmt.Fprintf(
				&text,
				"%s: %s planned HEADs were not sent before the end, and count with the time that they had waited\n",
				s.title(),
				console.Number(s.Unsent),
			)
		}
		if s.Resent > 0 {
			fmt.Fprintf(
				&text,
				"%s: %s HEADs were sent again, since the store closed their connections, and count from their first send\n",
				s.title(),
				console.Number(s.Resent),
			)
		}
	}
	return text.String()
}

// findings returns the knee and the limits.
func (r *Report) findings() string {
	var text strings.Builder
	if r.Knee != nil {
		fmt.Fprintf(&text, "knee: %s\n", r.Knee.Why)
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		if r.Knee == nil || s.Workers == r.Knee.Workers {
			fmt.Fprintf(&text, "%s: limited by %s: %s\n", s.title(), limitText(s.LimitedBy), s.LimitedWhy)
		}
	}
	return text.String()
}

// title names a Step for people.
func (s *Step) title() string {
	if s.Rate > 0 {
		return formatExact(s.Rate) + " HEADs/s planned"
	}
	return workersText(s.Workers)
}

// formatStatuses formats counts, the highest first.
func formatStatuses(statuses map[string]int64) string {
	var all []string
	for _, name := range namesByCount(statuses) {
		all = append(all, fmt.Sprintf("%s × %s", console.Number(statuses[name]), name))
	}
	return strings.Join(all, ", ")
}

// namesByCount returns the names, the one with the highest count first.
func namesByCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

// formatRate formats a measured rate: as a whole number, unless it is below 1.
func formatRate(rate float64) string {
	if rate > 0 && rate < 1 {
		return fmt.Sprintf("%.2g", rate)
	}
	return console.Number(int64(math.Round(rate)))
}

// formatExact formats a rate as the user gave it.
func formatExact(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }

// formatMillis formats milliseconds with three digits, or with all digits before the point.
func formatMillis(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
