package scan

import (
	"context"
	"sync"
)

const (
	// pageKeys is how many keys a page usually has.
	pageKeys = 1000

	// waitingPages is how many pages may wait for their last object while others are worked on. A page takes 170 kB, and
	// about twice that with the default GOGC.
	waitingPages = 24
)

// maxPages returns how many pages may be in flight with so many workers, batches of so many keys, and so many listers.
// The workers send HEADs for some pages. As many pages are ready for them, and waitingPages wait for a last object.
// Each lister can hold one page that is not with the workers yet, so there are at least as many of these as listers.
func maxPages(workers, batchSize, listers int) int {
	sending := (workers*batchSize + pageKeys - 1) / pageKeys
	return sending + max(sending+waitingPages, listers)
}

// pageLimit bounds the pages in flight, and with them memory: a page is in flight from before its LIST until it is
// committed. The limit only grows. All methods may be called concurrently.
type pageLimit struct {
	mu        sync.Mutex
	limit     int
	inFlight  int           // pages, without those of the reserve
	reserved  int           // pages in flight that hold a place of the reserve for ordered output
	batchSize func(int) int // keys in a batch, by the number of workers
	workers   int           // the most that the limit was raised for
	listers   int
	freed     chan struct{} // closed when a page may be listed
}

func newPageLimit(batchSize func(workers int) int) *pageLimit {
	return &pageLimit{batchSize: batchSize, freed: make(chan struct{})}
}

// grow raises the limit to what so many workers need, and so many more listers than before.
func (l *pageLimit) grow(workers, moreListers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.workers, l.listers = max(1, l.workers, workers), l.listers+moreListers
	if limit := maxPages(l.workers, l.batchSize(l.workers), l.listers); limit > l.limit {
		l.limit = limit
		l.wake()
	}
}

// firstFunc is Walk.IsFirst.
type firstFunc func() (first bool, changed <-chan struct{})

// acquire waits until one more page may be in flight. Whoever gets release calls it once.
//
// isFirst is for ordered output, else nil. Ordered pages wait for those before them, so all pages in flight may wait
// for one that is not listed yet. The walk of the smallest unlisted keys (isFirst) therefore has a reserve of its own.
// changed is closed when the answer of isFirst may be another.
func (l *pageLimit) acquire(ctx context.Context, isFirst firstFunc) (release func(), err error) {
	for {
		first, changed := false, (<-chan struct{})(nil)
		if isFirst != nil {
			first, changed = isFirst()
		}
		release, freed := l.tryAcquire(first)
		if release != nil {
			return release, nil
		}
		select {
		case <-freed:
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// tryAcquire returns release, or where no page may be listed now, a channel that is closed when that changes.
func (l *pageLimit) tryAcquire(first bool) (release func(), freed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.inFlight < l.limit:
		l.inFlight++
		return func() { l.release(&l.inFlight) }, nil
	case first && l.reserved < waitingPages:
		l.reserved++
		return func() { l.release(&l.reserved) }, nil
	}
	return nil, l.freed
}

func (l *pageLimit) release(count *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*count--
	l.wake()
}

func (l *pageLimit) wake() {
	close(l.freed)
	l.freed = make(chan struct{})
}

// full reports whether no more pages may be listed until one is committed.
func (l *pageLimit) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight >= l.limit
}
