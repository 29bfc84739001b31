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

// Keys is a listing that was made before: the objects to scan in the order of keys, and of the texts of their versions,
// each once. The zero Keys is
// empty. A KeySorter makes Keys of more entries than memory holds. Keys never change, and may be used concurrently
// until Close.
type Keys struct {
	entries []Entry
	file    *keyFile // instead of entries
}

// NewKeys returns the Keys of entries, which may be in any order. Of entries with the same key, the last one counts.
func NewKeys(entries []Entry) *Keys { return &Keys{entries: sortedEntries(slices.Clone(entries))} }

// compareEntries orders entries by key, and by the text of their version.
func compareEntries(a, b *Entry) int {
	if a.Key != b.Key {
		return cmp.Compare(a.Key, b.Key)
	}
	return cmp.Compare(a.VersionID(), b.VersionID())
}

// isBefore reports whether an entry of Keys comes behind the place.
func (p Place) isBefore(e *Entry) bool {
	return e.Key > p.Key || e.Key == p.Key && p.Version != "" && e.VersionID() > p.Version
}

// sortedEntries sorts entries in place, and keeps the last one of each object.
func sortedEntries(entries []Entry) []Entry {
	slices.SortStableFunc(entries, func(a, b Entry) int { return compareEntries(&a, &b) })
	kept := entries[:0]
	for i, e := range entries {
		if i+1 == len(entries) || compareEntries(&entries[i+1], &e) != 0 {
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
		h.add(&k.entries[i])
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
		p.entries = k.file.readerAfter(rng.Start())
	} else {
		first := sort.Search(len(k.entries), func(i int) bool { return rng.Start().isBefore(&k.entries[i]) })
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
	for {
		if p.next == nil {
			var err error
			if p.next, err = p.entries.read(); err != nil {
				return nil, err
			}
		}
		if p.next == nil || p.rng.Through != "" && p.next.Key > p.rng.Through {
			break
		}
		if n := len(entries); n >= pageKeysMax && !continues(&entries[n-1], p.next) {
			break
		}
		if p.rng.Start().isBefore(p.next) {
			entries = append(entries, *p.next)
		}
		p.next = nil
	}
	if len(entries) == 0 {
		return nil, nil
	}
	last := &entries[len(entries)-1]
	page := &Page{Range: p.rng, Entries: entries}
	page.Range.Through, page.Range.ThroughVersion = last.Key, last.VersionID()
	p.rng.After, p.rng.AfterVersion = last.Key, last.VersionID()
	return page, nil
}

// continues reports whether no Page may end between two entries of Keys: the first is of the key without a version, and
// a place at it would be behind all of its versions.
func continues(last, next *Entry) bool { return last.VersionID() == "" && last.Key == next.Key }

// Rest returns the part of the Range that no Page has covered, as Pager.Rest does.
func (p *keysPager) Rest() (rest Range, ok bool) {
	return p.rng, p.rng.Start() != p.rng.End() || p.rng.After == ""
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

func (h keyHash) add(e *Entry) {
	_, _ = fmt.Fprintf(h, "%d:%s", len(e.Key), e.Key) // a Hash never fails
	if version := e.VersionID(); version != "" {
		_, _ = fmt.Fprintf(h, "@%d:%s", len(version), version)
	}
}

func (h keyHash) String() string { return hex.EncodeToString(h.Sum(nil)) }
