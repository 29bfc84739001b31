package scan

import (
	"fmt"
	"slices"

	"headcount/scan/list"
)

// withoutRange returns ranges without rng, which has to lie within one of them.
func withoutRange(ranges []list.Range, rng list.Range) ([]list.Range, error) {
	i := slices.IndexFunc(ranges, func(outer list.Range) bool { return encloses(outer, rng) })
	if i < 0 {
		return ranges, fmt.Errorf("internal error: page range %v is not pending", rng)
	}
	outer := ranges[i]
	var rest []list.Range
	if rng.After != outer.After {
		rest = append(rest, list.Range{After: outer.After, Through: rng.After})
	}
	if rng.Through != outer.Through {
		rest = append(rest, list.Range{After: rng.Through, Through: outer.Through})
	}
	return slices.Replace(slices.Clone(ranges), i, i+1, rest...), nil
}

// encloses reports whether inner lies within outer.
func encloses(outer, inner list.Range) bool {
	return inner.After >= outer.After && (outer.Through == "" || inner.Through != "" && inner.Through <= outer.Through)
}
