package scan

import (
	"context"
	"sync"
	"unsafe"

	"headcount/scan/list"
)

const (
	// pageKeys is how many keys a page usually has.
	pageKeys = 1000

	// waitingPages is how many pages may wait for their last object while others are worked on. A page takes 190 kB, and
	// about twice that with the default GOGC.
	waitingPages = 24

	// placeBytes is how much of the texts of a page one place stands for. A usual page has 150 kB, and one of 1,000 of the
	// longest keys of S3 has 1.2 MB.
	placeBytes = 1 << 20
)

// placesFor returns how many places a page takes: memory is bounded by the bytes of the pages in flight, not by their
// number.
func placesFor(p *list.Page) int {
	bytes := 0
	for i := range p.Entries {
		e := &p.Entries[i]
		bytes += len(e.Key) + len(e.Encoded) + len(e.ETag) + len(e.LastModified) + len(e.StorageClass)
	}
	bytes += len(p.Entries) * int(unsafe.Sizeof(list.Entry{}))
	for i := range p.Metadata {
		for _, o := range p.Metadata[i].Items {
			bytes += len(o.Name) + len(o.Value) + int(unsafe.Sizeof(o))
		}
	}
	return 1 + bytes/placeBytes
}

// maxPages returns how many pages may be in flight with so many workers, batches of so many keys, and so many listers.
// The workers send HEADs for some pages. As many pages are ready for them, and waitingPages wait for a last object.
// Each lister can hold one page that is not with the workers yet, so there are at least as many of these as listers.
func maxPages(workers, batchSize, listers int) int {
	sending := (workers*batchSize + pageKeys - 1) / pageKeys
	return sending + max(sending+waitingPages, listers)
}

// pageLimit bounds the pages in flight, and with them memory: a page is in flight from before its LIST until it is
// committed. A page takes a place, and a large one takes more. The limit only grows. All methods may be called
// concurrently.
type pageLimit struct {
	mu        sync.Mutex
	limit     int           // places
	inFlight  int           // places that are taken, without those of the reserve
	reserved  int           // places of the reserve for ordered output that are taken
	expected  int           // places that the next page is thought to take, as the last one did
	batchSize func(int) int // keys in a batch, by the number of workers
	workers   int           // the most that the limit was raised for
	listers   int
	freed     chan struct{} // closed when a page may be listed
}

func newPageLimit(batchSize func(workers int) int) *pageLimit {
	return &pageLimit{batchSize: batchSize, expected: 1, freed: make(chan struct{})}
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

// firstFunc is walk.isFirst.
type firstFunc func() (first bool, changed <-chan struct{})

// places are those of one page in flight.
type places struct {
	limit *pageLimit
	taken *int // of the limit: those of this page count there
	count int
}

// resize changes the number of places to what the page takes, now that it is listed.
func (p *places) resize(count int) {
	p.limit.mu.Lock()
	defer p.limit.mu.Unlock()
	*p.taken += count - p.count
	if count < p.count {
		p.limit.wake()
	}
	p.count, p.limit.expected = count, count
}

// release gives the places back. It is called once.
func (p *places) release() {
	p.limit.mu.Lock()
	defer p.limit.mu.Unlock()
	*p.taken -= p.count
	p.limit.wake()
}

// acquire waits until one more page may be in flight, and returns its places.
//
// isFirst is for ordered output, else nil. Ordered pages wait for those before them, so all pages in flight may wait
// for one that is not listed yet. The walk of the smallest unlisted keys (isFirst) therefore has a reserve of its own.
// changed is closed when the answer of isFirst may be another.
func (l *pageLimit) acquire(ctx context.Context, isFirst firstFunc) (*places, error) {
	for {
		first, changed := false, (<-chan struct{})(nil)
		if isFirst != nil {
			first, changed = isFirst()
		}
		taken, freed := l.tryAcquire(first)
		if taken != nil {
			return taken, nil
		}
		select {
		case <-freed:
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// tryAcquire returns places, or where no page may be listed now, a channel that is closed when that changes. One page
// may always be in flight, however large it is.
func (l *pageLimit) tryAcquire(first bool) (taken *places, freed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.inFlight == 0 && l.limit > 0 || l.inFlight+l.expected <= l.limit:
		l.inFlight += l.expected
		return &places{l, &l.inFlight, l.expected}, nil
	case first && (l.reserved == 0 || l.reserved+l.expected <= waitingPages):
		l.reserved += l.expected
		return &places{l, &l.reserved, l.expected}, nil
	}
	return nil, l.freed
}

func (l *pageLimit) wake() {
	close(l.freed)
	l.freed = make(chan struct{})
}

// full reports whether no more pages may be listed until one is committed.
func (l *pageLimit) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight > 0 && l.inFlight+l.expected > l.limit
}
