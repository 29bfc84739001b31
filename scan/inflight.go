package scan

import "sync/atomic"

// inFlight counts what keeps a run from its end: the producer, and each page that is not committed. All stages end when
// it closes Done. A new inFlight counts the producer. Its methods may be called concurrently.
type inFlight struct {
	count *atomic.Int64
	ended chan struct{}
}

func newInFlight() inFlight {
	f := inFlight{count: new(atomic.Int64), ended: make(chan struct{})}
	f.add()
	return f
}

// add counts one more. It is called only while the count is above 0.
func (f inFlight) add() { f.count.Add(1) }

// remove counts one less.
func (f inFlight) remove() {
	if f.count.Add(-1) == 0 {
		close(f.ended)
	}
}

// Done is closed when nothing is in flight.
func (f inFlight) Done() <-chan struct{} { return f.ended }
