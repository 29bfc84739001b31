package scan

import (
	"fmt"
	"slices"

	"headcount/scan/list"
)

// pendingRanges is the Ranges that are not committed, in the order of their keys, without overlap. Their number is
// bounded by that of the Ranges at the start and the pages in flight.
type pendingRanges []list.Range

// remove takes out a Range. That each Range lies within one pending Range is what makes a run complete.
func (p *pendingRanges) remove(rng list.Range) error {
	i := slices.IndexFunc(*p, func(outer list.Range) bool { return encloses(outer, rng) })
	if i < 0 {
		return fmt.Errorf("internal error: page range %v is not pending", rng)
	}
	outer := (*p)[i]
	var rest []list.Range
	if rng.After != outer.After {
		rest = append(rest, list.Range{After: outer.After, Through: rng.After})
	}
	if rng.Through != outer.Through {
		rest = append(rest, list.Range{After: rng.Through, Through: outer.Through})
	}
	*p = slices.Replace(*p, i, i+1, rest...)
	return nil
}

// encloses reports whether inner lies within outer.
func encloses(outer, inner list.Range) bool {
	return inner.After >= outer.After && (outer.Through == "" || inner.Through != "" && inner.Through <= outer.Through)
}
