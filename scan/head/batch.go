package head

import (
	"sync/atomic"

	"headcount/scan/list"
	"headcount/scan/store"
)

// Batch is a sequence of entries. One Session claims entries from the front and sends HEADs for them. Another goroutine
// may take all unclaimed entries away (Split). So a slow answer delays the claimed entries only.
//
// The zero Batch is empty. Claim and Release must be called by the Session only; Split may be called concurrently
// with them.
type Batch struct {
	// Metadata is the metadata from the LIST, one for each entry; nil if the LIST was not asked for metadata. Set it
	// after Reset.
	Metadata []list.Metadata

	// NewConn makes the first HEAD use a connection that carried no request before. Set it after Reset.
	NewConn bool

	// Avoid is the address to which the last HEADs for the entries were sent. The first HEAD goes to another endpoint, or
	// to another address of the only endpoint, if one is available. nil avoids none. Set it after Reset.
	Avoid *store.Address

	// Sending shows when the Session waits for the store over a connection without an answer so far; nil shows nothing.
	// Set it after Reset.
	Sending *Sending

	entries []list.Entry
	state   atomic.Uint64 // low half: the number of claimed entries; high half: the end of the Batch
}

// NewBatch returns a Batch of entries.
func NewBatch(entries []list.Entry) *Batch {
	b := new(Batch)
	b.Reset(entries)
	return b
}

// Reset makes b a Batch of entries and clears the exported fields. Nobody else may be using b.
func (b *Batch) Reset(entries []list.Entry) {
	b.entries, b.Metadata, b.NewConn, b.Avoid, b.Sending = entries, nil, false, nil, nil
	b.state.Store(batchState(0, len(entries)))
}

func batchState(claimed, end int) uint64 { return uint64(end)<<32 | uint64(claimed) }

// Claim claims up to more entries that are not claimed yet, and returns all claimed entries.
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

// Release returns the claimed entries from the n-th on to the Batch. No HEAD may be in flight for them. It returns
// the entries that are still claimed.
func (b *Batch) Release(n int) []list.Entry {
	for {
		state := b.state.Load()
		if b.state.CompareAndSwap(state, batchState(n, int(state>>32))) {
			return b.entries[:n]
		}
	}
}

// BeginSending is called by the Session when it begins to connect for a HEAD. It has waited for the Limiter by then.
func (b *Batch) BeginSending() {
	if b.Sending != nil {
		b.Sending.begin()
	}
}

// Split ends the Batch after the claimed entries. It returns the index and the number of the entries that it cut off.
func (b *Batch) Split() (first, count int) {
	for {
		state := b.state.Load()
		claimed, end := int(uint32(state)), int(state>>32)
		if b.state.CompareAndSwap(state, batchState(claimed, claimed)) {
			return claimed, end - claimed
		}
	}
}
