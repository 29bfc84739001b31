package scan

// MaxPages returns how many pages may be in flight.
func MaxPages(workers, listers int) int { return maxPages(workers, batchSizeFor(workers, 1), listers) }
