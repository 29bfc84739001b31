package list

import (
	"strconv"
	"strings"
)

// Range is the keys after After up to and including Through, compared as bytes: (After, Through]. The empty Through
// is the end of the bucket; the zero Range is the whole of it.
//
// It is the unit in which a listing is split, shared out and resumed. The boundary belongs to the left, so that two
// neighbours need to agree on one key only, and a key that was seen is always a valid After.
type Range struct {
	After   string
	Through string
}

// Contains says whether key lies in the Range.
func (r Range) Contains(key string) bool {
	return key > r.After && (r.Through == "" || key <= r.Through)
}

// String is the Range as people write it; an open end is ∞.
func (r Range) String() string {
	var b strings.Builder
	b.WriteString("(")
	b.WriteString(strconv.Quote(r.After))
	b.WriteString(", ")
	if r.Through == "" {
		b.WriteString("∞)")
		return b.String()
	}
	b.WriteString(strconv.Quote(r.Through))
	b.WriteString("]")
	return b.String()
}
