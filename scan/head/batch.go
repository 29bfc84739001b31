package head

import (
	"sync/atomic"

	"headcount/scan/list"
	"headcount/scan/store"
)

// Batch is some Entries that one Session asks for, from the front on, while others may take the last of them away: what is asked for takes as long
// as the store likes, and what waits behind it need not. The zero Batch is empty. Claim and Release are called by the Session alone, and
// Split concurrently with them.
type Batch struct {
	// Metadata is what the LIST gave of each entry; nil: it was not asked. It is set after Reset.
	Metadata []list.Metadata

	// NewConn sends the first HEAD over a connection that carried no request before. It is set after Reset.
	NewConn bool

	// Avoid is the address that failed the entries before. The first HEAD goes to another endpoint, or to another address of the only
	// endpoint, if one is available. nil avoids none. It is set after Reset.
	Avoid *store.Address

	entries []list.Entry
	state   atomic.Uint64 // how many are claimed, and above them where the Batch ends
}

// NewBatch is a Batch of these entries.
func NewBatch(entries []list.Entry) *Batch {
	b := new(Batch)
	b.Reset(entries)
	return b
}

// Reset makes it a Batch of these entries, and clears Metadata, NewConn and Avoid. Nobody else may be using it.
func (b *Batch) Reset(entries []list.Entry) {
	b.entries, b.Metadata, b.NewConn, b.Avoid = entries, nil, false, nil
	b.state.Store(batchState(0, len(entries)))
}

func batchState(claimed, end int) uint64 { return uint64(end)<<32 | uint64(claimed) }

// Claim returns what is claimed: what was before, and so many more, or as many as there are.
func (b *Batch) Claim(more int) []list.Entry {
	for {
		state := b.state.Load()
		claimed, end := int(uint32(state)), int(state>>32)
		next := min(claimed+more, end)
		if next == claimed || b.state.CompareAndSwap(state, batchState(next, end)) {
			return b.entries[:next]
		}
	}
}

// Release gives back what is claimed from the n-th entry on, and returns what still is. Nothing of it is asked for then.
func (b *Batch) Release(n int) []list.Entry {
	for {
		state := b.state.Load()
		if b.state.CompareAndSwap(state, batchState(n, int(state>>32))) {
			return b.entries[:n]
		}
	}
}

// Split ends the Batch behind what is claimed. What it takes away are the count entries from the first-th on.
func (b *Batch) Split() (first, count int) {
	for {
		state := b.state.Load()
		claimed, end := int(uint32(state)), int(state>>32)
		if b.state.CompareAndSwap(state, batchState(claimed, claimed)) {
			return claimed, end - claimed
		}
	}
}
