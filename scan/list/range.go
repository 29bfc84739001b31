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
//
// In a listing of versions, a key stands for all its versions. A key can have more of them than a page: its pages end
// between two versions. Versions of a key have no order of their own, so Ranges are only split at keys.
type Range struct {
	After   string
	Through string

	// AfterVersion is the version of the key After behind which the Range begins, in the order of the listing; empty:
	// behind all of them. ThroughVersion is the last one of the key Through in the Range; empty: all are.
	AfterVersion, ThroughVersion string
}

// Place is a place between two keys, or between two versions of a key. It is comparable.
type Place struct{ Key, Version string }

// Start returns the place at which the Range begins.
func (r Range) Start() Place { return Place{r.After, r.AfterVersion} }

// End returns the place at which the Range ends.
func (r Range) End() Place { return Place{r.Through, r.ThroughVersion} }

// Contains reports whether key, or one of its versions, lies in the Range.
func (r Range) Contains(key string) bool {
	return (key > r.After || r.AfterVersion != "" && key == r.After) && (r.Through == "" || key <= r.Through)
}

// startsBefore reports whether the Range begins before another one, with which it does not overlap.
func (r Range) startsBefore(other Range) bool {
	return r.After < other.After || r.After == other.After && r.AfterVersion != "" && other.AfterVersion == ""
}

// String returns the Range in mathematical notation; an open end is ∞.
func (r Range) String() string {
	var b strings.Builder
	b.WriteString("(")
	writePlace(&b, r.Start())
	b.WriteString(", ")
	if r.Through == "" {
		b.WriteString("∞)")
		return b.String()
	}
	writePlace(&b, r.End())
	b.WriteString("]")
	return b.String()
}

func writePlace(b *strings.Builder, p Place) {
	b.WriteString(strconv.Quote(p.Key))
	if p.Version != "" {
		b.WriteString("@" + p.Version)
	}
}
