package scan

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// recordBytesMax bounds the texts of the Records that are not committed. It is far more than usual Records take, of
// which 100,000 have some 30 MB. It matters for metadata of many kilobytes, which some stores allow.
const recordBytesMax = 64 << 20

// recordLimit bounds the memory of the Records that wait for the commit of their page. The number of pages is bounded
// as well (pageLimit), but not their bytes. While the limit is reached, workers leave new batches in the queue, and
// finish what they have begun. The Records of the begun batches come on top of the limit: one batch for each worker,
// and the batches that pass. While the committer has nothing to write, one batch in a passInterval passes, so that the
// oldest page is finished. All methods may be called concurrently.
type recordLimit struct {
	max    int64
	bytes  atomic.Int64
	passes chan struct{} // each token lets one worker take one batch while the limit is reached

	mu      sync.Mutex
	changed chan struct{} // closed when the limit is reached, or is not reached any more
}

func newRecordLimit(max int64) *recordLimit {
	return &recordLimit{max: max, passes: make(chan struct{}), changed: make(chan struct{})}
}

// add counts the bytes of Records.
func (l *recordLimit) add(bytes int64) {
	if after := l.bytes.Add(bytes); after >= l.max && after-bytes < l.max {
		l.wake()
	}
}

// remove counts the bytes of Records that are committed or dropped.
func (l *recordLimit) remove(bytes int64) {
	if after := l.bytes.Add(-bytes); after < l.max && after+bytes >= l.max {
		l.wake()
	}
}

func (l *recordLimit) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// reached reports whether the Records take as much memory as they may.
func (l *recordLimit) reached() bool { return l.bytes.Load() >= l.max }

// state returns reached, and a channel that is closed when that changes.
func (l *recordLimit) state() (reached bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reached(), l.changed
}

// passInterval is short compared with the time that a page of long Records takes.
const passInterval = 5 * time.Millisecond

// run lets batches pass until done is closed. writing reports whether the committer has something to write.
func (l *recordLimit) run(ctx context.Context, done <-chan struct{}, writing func() bool) error {
	ticker := time.NewTicker(passInterval)
	defer ticker.Stop()
	for {
		var tick <-chan time.Time // nil: nobody has to pass
		reached, changed := l.state()
		if reached {
			tick = ticker.C
		}
		select {
		case <-tick:
			if !writing() {
				l.pass()
			}
		case <-changed:
		case <-done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// pass lets one batch pass, if a worker waits.
func (l *recordLimit) pass() {
	select {
	case l.passes <- struct{}{}:
	default:
	}
}
