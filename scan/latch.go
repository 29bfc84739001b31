package scan

import "sync/atomic"

// latch counts what is still open, and closes drained when nothing is. A new one has the lister open.
type latch struct {
	open    *atomic.Int64
	drained chan struct{}
}

func newLatch() latch {
	l := latch{open: new(atomic.Int64), drained: make(chan struct{})}
	l.add()
	return l
}

// add is called only while something is open.
func (l latch) add() { l.open.Add(1) }

func (l latch) done() {
	if l.open.Add(-1) == 0 {
		close(l.drained)
	}
}
