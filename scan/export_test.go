package scan

// MaxPages returns how many pages may be in flight.
func MaxPages(workers, listers int) int { return maxPages(workers, batchSizeFor(workers, 1), listers) }

// SetRecordBytesMax sets the bytes of Records that are not committed.
func (s *Scan) SetRecordBytesMax(n int64) { s.pool.records.max = n }
