package scan

import (
	"fmt"
	"slices"

	"headcount/scan/list"
)

// pendingRanges is the Ranges that are not committed, in the order of their keys, without overlap. Their number is
// bounded by that of the Ranges at the start and the pages in flight. A Range may begin inside a key, and ends behind
// all versions of one.
type pendingRanges []list.Range

// remove takes out a Range. That each Range lies within one pending Range is what makes a run complete.
func (p *pendingRanges) remove(rng list.Range) error {
	i := slices.IndexFunc(*p, func(outer list.Range) bool { return encloses(outer, rng) })
	if i < 0 {
		return fmt.Errorf("internal error: page range %v is not pending", rng)
	}
	outer := (*p)[i]
	var rest []list.Range
	if rng.Start() != outer.Start() {
		rest = append(rest, list.Range{After: outer.After, AfterVersion: outer.AfterVersion, Through: rng.After})
	}
	if rng.End() != outer.End() {
		rest = append(rest, list.Range{
			After: rng.Through, AfterVersion: rng.ThroughVersion, Through: outer.Through,
		})
	}
	*p = slices.Replace(*p, i, i+1, rest...)
	return nil
}

// startAt reports whether one of the Ranges starts at a place.
func (p *pendingRanges) startAt(at list.Place) bool {
	return slices.ContainsFunc(*p, func(rng list.Range) bool { return rng.Start() == at })
}

// encloses reports whether inner lies within outer. Versions of a key have no order: a Range that begins inside a key
// is only known to lie within one that begins at the same version (committer.waiting).
func encloses(outer, inner list.Range) bool {
	if inner.Start() != outer.Start() && (inner.AfterVersion != "" || inner.After < outer.After) {
		return false
	}
	return outer.Through == "" || inner.Through != "" && inner.Through <= outer.Through
}
