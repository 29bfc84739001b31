package scan

import (
	"container/heap"
	"context"
	"sync/atomic"
	"time"
)

// retryQueue is the stage where batches wait that are sent again: it hands each to the pool when its time has come. A
// batch that waits occupies no worker. Its input channel is never closed; run ends with the run of the scan.
type retryQueue struct {
	in       chan delayed
	due      chan *batch // to the pool, unbuffered: a batch leaves the queue when a worker takes it
	start    time.Time
	dueAt    atomic.Int64 // when the first batch is due, in nanoseconds after start; 0: none waits
	inFlight inFlight
}

// lateAfter is how long a due batch waits for a worker at most, unless all workers are busy with others.
const lateAfter = 50 * time.Millisecond

// behind reports whether all workers are busy with others while batches are due.
func (q *retryQueue) behind() bool {
	at := q.dueAt.Load()
	return at != 0 && time.Since(q.start)-time.Duration(at) > lateAfter
}

// delayed is a batch and the time from which it is sent.
type delayed struct {
	batch *batch
	at    time.Time
}

func newRetryQueue(inFlight inFlight) *retryQueue {
	return &retryQueue{in: make(chan delayed), due: make(chan *batch), start: time.Now(), inFlight: inFlight}
}

// add makes a batch due after a delay. It may be called concurrently.
func (q *retryQueue) add(ctx context.Context, b *batch, delay time.Duration) error {
	select {
	case q.in <- delayed{b, time.Now().Add(delay)}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run is ready to receive at any time, so that add never waits for a worker.
func (q *retryQueue) run(ctx context.Context) error {
	var (
		waiting retryHeap
		timer   = time.NewTimer(time.Hour)
	)
	defer timer.Stop()
	for {
		var (
			out  chan<- *batch
			next *batch
		)
		if len(waiting) > 0 {
			if rest := time.Until(waiting[0].at); rest > 0 {
				timer.Reset(rest)
			} else {
				out, next = q.due, waiting[0].batch
			}
			q.dueAt.Store(max(1, int64(waiting[0].at.Sub(q.start))))
		} else {
			q.dueAt.Store(0)
		}
		select {
		case d := <-q.in:
			heap.Push(&waiting, d)
		case out <- next:
			heap.Pop(&waiting)
		case <-timer.C:
		case <-q.inFlight.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// retryHeap is a heap (container/heap), the batch with the earliest time first.
type retryHeap []delayed

func (h retryHeap) Len() int           { return len(h) }
func (h retryHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h retryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *retryHeap) Push(x any)        { *h = append(*h, x.(delayed)) }
func (h *retryHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = delayed{}
	*h = (*h)[:last]
	return x
}
