package scan

import (
	"slices"
	"sync"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// page is a list.Page on its way: its objects get their Outcomes, in any order and from several workers, and with the
// last one it is finished.
type page struct {
	*list.Page
	slot chan struct{} // that it holds until it is committed

	mu       sync.Mutex
	pending  int // objects without an Outcome
	runs     []encodedRun
	outcomes metrics.Outcomes
	failures []*ObjectError
}

// encodedRun is the Records of neighbouring objects, from the one at first on.
type encodedRun struct {
	first int
	chunk Chunk
}

func newPage(p *list.Page, slot chan struct{}) *page {
	return &page{Page: p, slot: slot, pending: len(p.Entries), outcomes: metrics.Outcomes{Listed: int64(len(p.Entries))}}
}

// batchResult is what was found out about some objects of one page.
type batchResult struct {
	settled  int // how many of them have an Outcome now
	runs     []encodedRun
	outcomes metrics.Outcomes
	failures []*ObjectError
}

// addResult adds a ruling and says whether the page is finished by it: true once.
func (p *page) addResult(r *batchResult) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending -= r.settled
	p.runs = append(p.runs, r.runs...)
	p.outcomes.Add(r.outcomes)
	p.failures = append(p.failures, r.failures...)
	return p.pending == 0 && r.settled > 0
}

// chunks of a finished page, in the order of its keys.
func (p *page) chunks() []Chunk {
	slices.SortFunc(p.runs, func(a, b encodedRun) int { return a.first - b.first })
	chunks := make([]Chunk, len(p.runs))
	for i := range p.runs {
		chunks[i] = p.runs[i].chunk
	}
	return chunks
}

// batch is the part of a page that a worker takes at once: neighbouring objects that were not tried yet, or one that
// is tried again.
type batch struct {
	page     *page
	first    int // index into page.Entries
	count    int
	attempts attempts

	// While a worker asks for it.
	heads head.Batch
	begun time.Time
}

// begin makes the batch one to be asked for.
func (b *batch) begin() {
	b.heads.Reset(b.page.Entries[b.first : b.first+b.count])
	if b.page.Metadata != nil {
		b.heads.Metadata = b.page.Metadata[b.first : b.first+b.count]
	}
	b.heads.NewConn, b.heads.Avoid = b.attempts.newConn, b.attempts.avoid
	b.begun = time.Now()
}

// split takes away what its worker has not come to; nil: nothing.
func (b *batch) split() *batch {
	first, count := b.heads.Split()
	if count == 0 {
		return nil
	}
	return &batch{page: b.page, first: b.first + first, count: count, attempts: b.attempts}
}

// attempts is what an object without an Outcome has been through. The zero trial is that of one not tried yet.
type attempts struct {
	sent    int            // HEADs sent for it
	failed  int            // those of them that met trouble while others succeeded: what it is given up for
	last    time.Time      // when it met trouble last
	refused int            // those of them that were refused and that the canary vouched for
	avoid   *store.Address // that did not answer for it last: it is asked again at another endpoint, if there is one
	newConn bool           // it is asked again on a fresh connection, since its answer may have been another object's
}
