package s3sim

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"unicode/utf16"
	"unicode/utf8"
)

// orderedObjectsMax bounds the bucket of a Server that does not list in the order of bytes: only that order is computed
// and not stored.
const orderedObjectsMax = 1_000_000

// listingOrder is the order in which a Server lists, where it is not that of bytes. It never changes.
type listingOrder struct {
	keys    *Keyspace
	compare func(a, b []byte) int
	indexes []int64 // of all keys, in this order
}

// comparison returns how a Quirk compares keys; nil: as bytes.
func (q Quirk) comparison() func(a, b []byte) int {
	switch q {
	case FolderOrder:
		return compareFolders
	case UTF16Order:
		return compareUTF16
	case NoOrder:
		return compareHashes
	}
	return nil
}

// newListingOrder returns the order of a Quirk, and nil for the order of bytes.
func newListingOrder(q Quirk, keys *Keyspace) *listingOrder {
	compare := q.comparison()
	if compare == nil {
		return nil
	}
	o := &listingOrder{keys: keys, compare: compare, indexes: make([]int64, keys.Len())}
	names := make([][]byte, keys.Len())
	for i := range o.indexes {
		o.indexes[i], names[i] = int64(i), keys.Key(int64(i))
	}
	slices.SortFunc(o.indexes, func(a, b int64) int { return compare(names[a], names[b]) })
	return o
}

// fill sets the entries of the page. It knows no delimiter.
func (o *listingOrder) fill(p *page, scratch []byte) {
	q := &p.query
	p.entries, p.truncated = p.entries[:0], false
	begin := 0
	if len(q.start.last) > 0 {
		begin = sort.Search(len(o.indexes), func(i int) bool {
			return o.compare(o.keys.Append(scratch[:0], o.indexes[i]), q.start.last) > 0
		})
	}
	for _, index := range o.indexes[begin:] {
		if !bytes.HasPrefix(o.keys.Append(scratch[:0], index), q.prefix) {
			continue
		}
		if len(p.entries) == q.maxKeys {
			p.truncated = q.maxKeys > 0
			return
		}
		p.entries = append(p.entries, entry{index: index})
	}
}

// compareFolders compares as a walk through folders does: all keys of a folder come before its neighbours.
func compareFolders(a, b []byte) int {
	rank := func(c byte) int {
		if c == '/' {
			return 0
		}
		return int(c) + 1
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return cmp.Compare(rank(a[i]), rank(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

// compareUTF16 compares the UTF-16 units of the keys, as Java and JavaScript do.
func compareUTF16(a, b []byte) int {
	return cmp.Or(slices.Compare(units(a), units(b)), bytes.Compare(a, b))
}

// units returns the UTF-16 units of a text.
func units(text []byte) (units []uint16) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		units, text = utf16.AppendRune(units, r), text[size:]
	}
	return units
}

// compareHashes compares hashes of the keys, as a store of encrypted keys does.
func compareHashes(a, b []byte) int {
	return cmp.Or(cmp.Compare(hashKey(a), hashKey(b)), bytes.Compare(a, b))
}
