package list

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Keys is a listing that was made before: the objects to ask for, in the order of their keys, each once. The zero Keys is empty. It is not
// changed once it is made.
type Keys struct{ entries []Entry }

// NewKeys makes Keys of entries, in whatever order they are. Of those with the same key the last counts.
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

// Hash tells Keys from others: those with other keys have another.
func (k *Keys) Hash() string {
	h := sha256.New()
	for _, e := range k.entries {
		_, _ = fmt.Fprintf(h, "%d:%s", len(e.Key), e.Key) // it never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Pager hands out those in rng, as a Pager hands out what a bucket lists.
func (k *Keys) Pager(rng Range) *KeysPager { return &KeysPager{rest: k.entries, rng: rng} }

// KeysPager walks Keys. It belongs to one goroutine.
type KeysPager struct {
	rest []Entry
	rng  Range
}

// Next is like Pager.Next.
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

// Rest is like Pager.Rest.
func (p *KeysPager) Rest() (rest Range, ok bool) {
	return p.rng, p.rng.After != p.rng.Through || p.rng.After == ""
}
