package list

import (
	"cmp"

	"headcount/scan/list/xmllist"
)

// restoreKeys undoes the decoding of keys, where a page has shown that this store encodes nothing. Most pages show
// nothing.
func (l *Lister) restoreKeys(listing *xmllist.Listing) {
	isNotEncoded := listing.NotEncoded || listing.KeysDeclared && isSortedAsWritten(listing.Entries)
	if isNotEncoded && !l.notEncoded.Swap(true) {
		l.cfg.Log.Warn("the store declares that it encodes keys, and does not: they are taken as they are")
	}
	if !listing.KeysDeclared || !l.notEncoded.Load() {
		return
	}
	listing.KeysDeclared = false
	for i := range listing.Entries {
		if e := &listing.Entries[i]; e.Encoded != "" {
			e.Key, e.Encoded = e.Encoded, ""
		}
	}
}

// isSortedAsWritten reports whether the keys increase as they were written, and do not as they were decoded.
func isSortedAsWritten(entries []xmllist.Entry) bool {
	written := func(e *xmllist.Entry) string { return cmp.Or(e.Encoded, e.Key) }
	sorted := true
	for i := 1; i < len(entries); i++ {
		before, e := &entries[i-1], &entries[i]
		if e.Encoded == "" && before.Encoded == "" {
			continue // the same as written
		}
		sorted = sorted && before.Key < e.Key
	}
	if sorted {
		return false
	}
	for i := 1; i < len(entries); i++ {
		if written(&entries[i-1]) >= written(&entries[i]) {
			return false
		}
	}
	return true
}
