package figures

import (
	"fmt"
	"slices"
)

// Spread summarizes the values of several rounds. The zero Spread is that of no values.
type Spread struct{ Median, Min, Max float64 }

// SpreadOf returns the Spread of values, which it does not change.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return Spread{median, sorted[0], sorted[len(sorted)-1]}
}

// None stands for a value that was not measured.
const None = "-"

// Format writes the median by a verb of fmt, and in brackets the least and the greatest value.
func (s Spread) Format(verb string) string {
	if s == (Spread{}) {
		return None
	}
	return fmt.Sprintf(verb+" ("+verb+"–"+verb+")", s.Median, s.Min, s.Max)
}
