package scan

import "sync"

// waitingPages is how many pages may wait for a last object while the others go on. One takes 170 kB, and each kilobyte that is in use costs
// another that the garbage collector lets the next one begin in.
const waitingPages = 24

// maxPages is how many pages may be in flight where there are so many workers and listers: those of which the workers ask for objects now; and
// those that they ask for next, beside the ones that wait. Each lister may be at one of the latter, and so they are as many as there are
// listers at least; but not as many more, since the LISTs that are under way are pages to be asked for next already.
func (s *Scan) maxPages(workers, listers int) int {
	asked := (workers*s.batchFor(workers) + pageKeys - 1) / pageKeys
	return asked + max(asked+waitingPages, listers)
}

// pageLimit is how many pages may be in flight. It never becomes less.
type pageLimit struct {
	mu               sync.Mutex
	workers, listers int // it is for
	pages            int
}

// growPageLimit makes room for pages where there are so many workers, or will be soon, and so many listers more.
func (s *Scan) growPageLimit(workers, listers int) {
	r := &s.pageLimit
	r.mu.Lock()
	defer r.mu.Unlock()
	r.workers, r.listers = max(1, r.workers, workers), r.listers+listers
	for ; r.pages < s.maxPages(r.workers, r.listers); r.pages++ {
		<-s.pageSem // it holds one for each page that there is no room for, and does not wait
	}
}
