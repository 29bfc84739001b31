package scan

import (
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
)

// recordBytesMax bounds the texts of the Records that are not committed. It is far more than usual Records take, of
// which 100,000 have some 30 MB. It matters for metadata of many kilobytes, which some stores allow.
const recordBytesMax = 64 << 20

// recordLimit bounds the memory of the Records that wait for the commit of their page. The number of pages is bounded
// as well (pageLimit), but not their bytes. While the limit is reached, workers leave new batches in the queue, and
// finish what they have begun. If no finished page waits for the committer either, one batch in a passInterval goes on,
// so that the oldest page is finished. All methods may be called concurrently.
type recordLimit struct {
	max    int64
	bytes  atomic.Int64
	passed atomic.Int64 // time at which a batch passed last, since the run began

	mu    sync.Mutex
	freed chan struct{} // closed when bytes become fewer
}

func newRecordLimit(max int64) *recordLimit {
	return &recordLimit{max: max, freed: make(chan struct{})}
}

// add counts the bytes of Records.
func (l *recordLimit) add(bytes int64) { l.bytes.Add(bytes) }

// remove counts the bytes of Records that are committed or dropped.
func (l *recordLimit) remove(bytes int64) {
	l.bytes.Add(-bytes)
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.freed)
	l.freed = make(chan struct{})
}

// reached returns nil while the limit is not reached, and otherwise a channel that is closed when that may have
// changed.
func (l *recordLimit) reached() <-chan struct{} {
	if l.bytes.Load() < l.max {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes.Load() < l.max {
		return nil
	}
	return l.freed
}

// passInterval is short compared with the time that a page of long Records takes.
const passInterval = 5 * time.Millisecond

// pass reports whether one batch may go on although the limit is reached. now is the time since the run began.
func (l *recordLimit) pass(now time.Duration) bool {
	last := l.passed.Load()
	return now-time.Duration(last) >= passInterval && l.passed.CompareAndSwap(last, int64(now))
}

// recordBytes returns about how many bytes the Record of an object takes.
func recordBytes(e *list.Entry, r *head.Result) int64 {
	const otherFields = 100
	n := otherFields + len(e.Key)
	for i := range r.Metadata {
		n += len(r.Metadata[i].Name) + len(r.Metadata[i].Value)
	}
	return int64(n)
}
