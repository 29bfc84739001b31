package list

import (
	"strconv"
	"strings"
)

// Range is the interval (After, Through] of keys, compared as bytes. An empty Through is the end of the bucket. The
// zero Range is the whole bucket.
//
// A listing is split, handed out and resumed in Ranges. The boundary belongs to the lower Range. So two neighbours
// share one key, and every key that was listed is a valid After.
type Range struct {
	After   string
	Through string
}

// Contains reports whether key lies in the Range.
func (r Range) Contains(key string) bool {
	return key > r.After && (r.Through == "" || key <= r.Through)
}

// String returns the Range in mathematical notation; an open end is ∞.
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
