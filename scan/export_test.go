package scan

// PagesFor is how many pages may be in flight.
func PagesFor(workers, listers int) int {
	s := &Scan{depth: 1}
	return s.maxPages(workers, listers)
}
