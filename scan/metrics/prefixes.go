package metrics

import "slices"

// prefixSet is a sorted set of a few prefixes. The zero value is empty.
type prefixSet []string

// prefixesMax bounds a prefixSet: a store has one other prefix. A hostile one could make up a new one for each object.
const prefixesMax = 16

func (s *prefixSet) add(prefix string) {
	if at, found := slices.BinarySearch(*s, prefix); !found && len(*s) < prefixesMax {
		*s = slices.Insert(*s, at, prefix)
	}
}
