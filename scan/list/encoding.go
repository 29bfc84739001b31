package list

import "headcount/scan/list/xmllist"

// restoreKeys undoes the decoding of keys, where a page has shown that this store encodes nothing. Most pages show
// nothing. The order of keys shows nothing either: folder by folder, keys are often sorted as they are written.
func (l *Lister) restoreKeys(listing *xmllist.Listing) {
	if listing.NotEncoded && !l.notEncoded.Swap(true) {
		l.cfg.Log.Warn("the store declares that it encodes keys, and does not: they are taken as they are")
	}
	if !listing.KeysDeclared || !l.notEncoded.Load() {
		return
	}
	listing.KeysDeclared = false
	for _, entries := range [][]Entry{listing.Entries, listing.Prefixes} {
		for i := range entries {
			if e := &entries[i]; e.Encoded != "" {
				e.Key, e.Encoded = e.Encoded, ""
			}
		}
	}
}
