package list

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"sort"
)

// Keys is a listing that was made before: the objects to scan in the order of keys, each key once. The zero Keys is
// empty. A KeySorter makes Keys of more entries than memory holds. Keys never change, and may be used concurrently
// until Close.
type Keys struct {
	entries []Entry
	file    *keyFile // instead of entries
}

// NewKeys returns the Keys of entries, which may be in any order. Of entries with the same key, the last one counts.
func NewKeys(entries []Entry) *Keys { return &Keys{entries: sortedEntries(slices.Clone(entries))} }

// sortedEntries sorts entries in place, and keeps the last one of each key.
func sortedEntries(entries []Entry) []Entry {
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Key, b.Key) })
	kept := entries[:0]
	for i, e := range entries {
		if i+1 == len(entries) || entries[i+1].Key != e.Key {
			kept = append(kept, e)
		}
	}
	return kept
}

// Hash returns a hash of all keys: a checkpoint tells by it whether it belongs to these Keys.
func (k *Keys) Hash() string {
	if k.file != nil {
		return k.file.hash
	}
	h := newKeyHash()
	for i := range k.entries {
		h.add(k.entries[i].Key)
	}
	return h.String()
}

// Close removes the file of the Keys, if there is one.
func (k *Keys) Close() {
	if k != nil && k.file != nil {
		k.file.close()
	}
}

// Pager returns a PageSource of the keys in rng.
func (k *Keys) Pager(rng Range) PageSource {
	p := &keysPager{rng: rng}
	if k.file != nil {
		p.entries = k.file.readerAfter(rng.After)
	} else {
		first := sort.Search(len(k.entries), func(i int) bool { return k.entries[i].Key > rng.After })
		p.entries = &sliceReader{k.entries[first:]}
	}
	return p
}

// keysPager hands out the Keys of one Range. It belongs to one goroutine.
type keysPager struct {
	entries entryReader
	rng     Range
	next    *Entry // was read, and is on no Page yet
}

// entryReader reads entries in the order of keys.
type entryReader interface {
	read() (e *Entry, err error) // nil: there is no other
}

// Next returns the next Page, as Pager.Next does. Its error is the cause of ctx's end, or that of the file of the Keys.
func (p *keysPager) Next(ctx context.Context) (*Page, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var entries []Entry
	for len(entries) < pageKeysMax {
		if p.next == nil {
			var err error
			if p.next, err = p.entries.read(); err != nil {
				return nil, err
			}
		}
		if p.next == nil || p.rng.Through != "" && p.next.Key > p.rng.Through {
			break
		}
		if p.next.Key > p.rng.After {
			entries = append(entries, *p.next)
		}
		p.next = nil
	}
	if len(entries) == 0 {
		return nil, nil
	}
	page := &Page{Range: Range{After: p.rng.After, Through: entries[len(entries)-1].Key}, Entries: entries}
	p.rng.After = page.Range.Through
	return page, nil
}

// Rest returns the part of the Range that no Page has covered, as Pager.Rest does.
func (p *keysPager) Rest() (rest Range, ok bool) {
	return p.rng, p.rng.After != p.rng.Through || p.rng.After == ""
}

// sliceReader reads entries in memory.
type sliceReader struct{ rest []Entry }

func (r *sliceReader) read() (*Entry, error) {
	if len(r.rest) == 0 {
		return nil, nil
	}
	e := &r.rest[0]
	r.rest = r.rest[1:]
	return e, nil
}

// keyHash is the hash of keys that come in order.
type keyHash struct{ hash.Hash }

func newKeyHash() keyHash { return keyHash{sha256.New()} }

func (h keyHash) add(key string) { _, _ = fmt.Fprintf(h, "%d:%s", len(key), key) } // a Hash never fails

func (h keyHash) String() string { return hex.EncodeToString(h.Sum(nil)) }
