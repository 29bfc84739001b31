package scan

import (
	"fmt"
	"slices"

	"headcount/scan/list"
)

// pendingRanges is which Ranges are not committed yet, in the order of keys and not overlapping. There are never many more of them than there were at
// first and pages in flight. It belongs to the goroutine that commits.
type pendingRanges []list.Range

// remove takes the Range of a page out. That it lies within one open Range is what makes a run complete: anything else is
// an error of this program, and better told than written.
func (l *pendingRanges) remove(closed list.Range) error {
	i := slices.IndexFunc(*l, func(open list.Range) bool { return encloses(open, closed) })
	if i < 0 {
		return fmt.Errorf("the keys %v were to be committed twice, or never", closed)
	}
	open := (*l)[i]
	var rest []list.Range
	if closed.After != open.After {
		rest = append(rest, list.Range{After: open.After, Through: closed.After})
	}
	if closed.Through != open.Through {
		rest = append(rest, list.Range{After: closed.Through, Through: open.Through})
	}
	*l = slices.Replace(*l, i, i+1, rest...)
	return nil
}

// encloses says whether inner lies within outer.
func encloses(outer, inner list.Range) bool {
	return inner.After >= outer.After && (outer.Through == "" || inner.Through != "" && inner.Through <= outer.Through)
}
