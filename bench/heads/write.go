package heads

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"headcount/bench/engines"
)

// Write writes a row for each Step, a chart, the knee, and what limited the Steps.
func (r *Report) Write(w io.Writer) error {
	if err := engines.WriteColumns(w, r.table(), 0); err != nil {
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
			name = plain(s.Rate)
		}
		row := append([]string{name, perSecond(s.HeadsPerSecond)}, s.Latency.cells()...)
		rows = append(rows, append(row, thousands(float64(s.Errors)), fmt.Sprintf("%.1f", s.CPUMicrosPer),
			strconv.Itoa(s.Connections), fmt.Sprintf("%.1f", s.InFlight), s.LimitedBy))
		if s.Service != nil {
			rows = append(rows, append(append([]string{"from sending", ""}, s.Service.cells()...), "", "", "", "", ""))
		}
	}
	return rows
}

func (l *Latency) cells() []string {
	return []string{short(l.P50), short(l.P90), short(l.P99), short(l.P999), short(l.Max)}
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
			fmt.Fprintf(&text, "%s: %s\n", s.name(), tellStatuses(s.Statuses))
		}
		for _, class := range slices.Sorted(maps.Keys(s.Failures)) {
			if !seen[class] {
				fmt.Fprintf(&text, "%s: %s\n", class, s.Failures[class])
			}
			seen[class] = true
		}
		if s.Late > 0 {
			fmt.Fprintf(&text, "%s: %s HEADs that were planned were not sent before the end, and count for as long as they waited\n",
				s.name(), thousands(float64(s.Late)))
		}
		if s.SentAgain > 0 {
			fmt.Fprintf(&text, "%s: %s HEADs were sent again, since the store closed their connections, and count from when they were sent first\n",
				s.name(), thousands(float64(s.SentAgain)))
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
			fmt.Fprintf(&text, "%s: limited by %s: %s\n", s.name(), limitName(s.LimitedBy), s.LimitedWhy)
		}
	}
	return text.String()
}

// limitName is what people are told of what limited a Step.
func limitName(by string) string {
	switch by {
	case byCPU:
		return "this machine's CPU"
	case byMachine:
		return "what else ran on this machine"
	case byRate:
		return "--rate"
	case byWorkers:
		return "--workers"
	}
	return "the " + by
}

// name is what people are told a Step is.
func (s *Step) name() string {
	if s.Rate > 0 {
		return plain(s.Rate) + " HEADs/s planned"
	}
	return number(s.Workers, "worker")
}

// tellStatuses writes counts, the highest first.
func tellStatuses(statuses map[string]int64) string {
	var all []string
	for _, name := range byCount(statuses) {
		all = append(all, fmt.Sprintf("%s × %s", thousands(float64(statuses[name])), name))
	}
	return strings.Join(all, ", ")
}

// byCount are names, the one with the highest count first.
func byCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

// number writes n and its noun: 1 worker, 2 workers.
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// thousands writes a whole number with commas between the thousands.
func thousands(figure float64) string {
	digits := strconv.FormatFloat(figure, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// perSecond writes a rate that was measured: whole, or it is below 1.
func perSecond(rate float64) string {
	if rate > 0 && rate < 1 {
		return fmt.Sprintf("%.2g", rate)
	}
	return thousands(rate)
}

// plain writes a rate as it was given.
func plain(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }

// short writes milliseconds by three digits, or as many as there are before the point.
func short(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
