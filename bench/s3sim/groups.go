package s3sim

import (
	"slices"
	"sort"
	"strings"
)

// keyGroup is a run of keys of the form prefix, counter of fixed width, suffix.
type keyGroup struct {
	prefix, suffix string
	keys           int64
	firstIndex     int64  // number of the group's first key in the bucket
	firstKey       string // that key
}

// groupedKeys are groups in order. A prefix must not be another prefix followed by a digit: the keys of the two groups
// would interleave.
type groupedKeys []keyGroup

func newGroupedKeys(groups []keyGroup) groupedKeys {
	groups = slices.DeleteFunc(groups, func(g keyGroup) bool { return g.keys == 0 })
	slices.SortFunc(groups, func(a, b keyGroup) int {
		// The counter is part of the comparison: "a/0" is before "a0".
		return strings.Compare(a.prefix+"0", b.prefix+"0")
	})
	first := int64(0)
	for i := range groups {
		groups[i].firstIndex = first
		groups[i].firstKey = groups[i].prefix + strings.Repeat("0", counterWidth) + groups[i].suffix
		first += groups[i].keys
	}
	return groups
}

func (g groupedKeys) append(dst []byte, i int64) []byte {
	// The last group that does not begin above i.
	at := 0
	if len(g) > 1 {
		at = sort.Search(len(g), func(n int) bool { return g[n].firstIndex > i }) - 1
	}
	group := &g[at]
	dst = append(dst, group.prefix...)
	dst = appendDigits(dst, i-group.firstIndex, counterWidth)
	return append(dst, group.suffix...)
}

func (g groupedKeys) parse(key []byte) (i int64, ok bool) {
	// The last group whose first key is not above key.
	at := sort.Search(len(g), func(n int) bool { return g[n].firstKey > string(key) }) - 1
	if at < 0 {
		return 0, false
	}
	group := &g[at]
	if len(key) != len(group.prefix)+counterWidth+len(group.suffix) {
		return 0, false
	}
	n, ok := parseDigits(key[len(group.prefix) : len(group.prefix)+counterWidth])
	return group.firstIndex + n, ok && n < group.keys
}
