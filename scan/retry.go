package scan

import (
	"container/heap"
	"context"
	"time"
)

// retryQueue is the stage where batches wait that are sent again: it hands each to the pool when its time has come. A
// batch that waits occupies no worker. Its input channel is never closed; run ends with the run of the scan.
type retryQueue struct {
	in       chan delayed
	due      chan *batch // to the pool, unbuffered: a batch leaves the queue when a worker takes it
	inFlight inFlight
}

// delayed is a batch and the time from which it is sent.
type delayed struct {
	batch *batch
	at    time.Time
}

func newRetryQueue(inFlight inFlight) *retryQueue {
	return &retryQueue{in: make(chan delayed), due: make(chan *batch), inFlight: inFlight}
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
