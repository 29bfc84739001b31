package list

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Keys is a listing that was made before: the objects to scan in the order of keys, each key once. The zero Keys is
// empty. Keys never change, and may be used concurrently.
type Keys struct{ entries []Entry }

// NewKeys returns the Keys of entries, which may be in any order. Of entries with the same key, the last one counts.
func NewKeys(entries []Entry) *Keys {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Key, b.Key) })
	kept := entries[:0]
	for i, e := range entries {
		if i+1 == len(entries) || entries[i+1].Key != e.Key {
			kept = append(kept, e)
		}
	}
	return &Keys{kept}
}

// Hash returns a hash of all keys: a checkpoint tells by it whether it belongs to these Keys.
func (k *Keys) Hash() string {
	h := sha256.New()
	for _, e := range k.entries {
		_, _ = fmt.Fprintf(h, "%d:%s", len(e.Key), e.Key) // a Hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Pager returns a KeysPager for the keys in rng.
func (k *Keys) Pager(rng Range) *KeysPager { return &KeysPager{rest: k.entries, rng: rng} }

// KeysPager hands out the Keys of one Range. It belongs to one goroutine.
type KeysPager struct {
	rest []Entry
	rng  Range
}

// Next returns the next Page, as Pager.Next does. The only error is the cause of ctx's end.
func (p *KeysPager) Next(ctx context.Context) (*Page, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for len(p.rest) > 0 && p.rest[0].Key <= p.rng.After {
		p.rest = p.rest[1:]
	}
	n := 0
	for n < min(len(p.rest), pageKeysMax) && p.rng.Contains(p.rest[n].Key) {
		n++
	}
	if n == 0 {
		return nil, nil
	}
	page := &Page{Range: Range{p.rng.After, p.rest[n-1].Key}, Entries: slices.Clone(p.rest[:n])}
	p.rest, p.rng.After = p.rest[n:], page.Range.Through
	return page, nil
}

// Rest returns the part of the Range that no Page has covered, as Pager.Rest does.
func (p *KeysPager) Rest() (rest Range, ok bool) {
	return p.rng, p.rng.After != p.rng.Through || p.rng.After == ""
}
