package scan

import "sync/atomic"

// inFlight counts what is still open, and closes drained when nothing is. A new one has the lister open.
type inFlight struct {
	open    *atomic.Int64
	drained chan struct{}
}

func newLatch() inFlight {
	l := inFlight{open: new(atomic.Int64), drained: make(chan struct{})}
	l.add()
	return l
}

// add is called only while something is open.
func (l inFlight) add() { l.open.Add(1) }

func (l inFlight) done() {
	if l.open.Add(-1) == 0 {
		close(l.drained)
	}
}
