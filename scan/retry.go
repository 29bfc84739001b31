package scan

import (
	"container/heap"
	"context"
	"sync/atomic"
	"time"
)

// retryQueue is the stage where batches, or other items, wait that are sent again: it hands each on when its time has
// come. What waits occupies no worker. Its input channel is never closed; run ends with the run of the scan.
type retryQueue[T any] struct {
	in       chan delayed[T]
	due      chan T // to the workers, unbuffered: an item leaves the queue when a worker takes it
	start    time.Time
	dueAt    atomic.Int64 // when the first item is due, in nanoseconds after start; 0: none waits
	inFlight inFlight
}

// lateAfter is how long a due item waits for a worker at most, unless all workers are busy with others.
const lateAfter = 50 * time.Millisecond

// behind reports whether all workers are busy with others while items are due.
func (q *retryQueue[T]) behind() bool {
	at := q.dueAt.Load()
	return at != 0 && time.Since(q.start)-time.Duration(at) > lateAfter
}

// delayed is an item and the time from which it is sent.
type delayed[T any] struct {
	item T
	at   time.Time
}

func newRetryQueue[T any](inFlight inFlight) *retryQueue[T] {
	return &retryQueue[T]{in: make(chan delayed[T]), due: make(chan T), start: time.Now(), inFlight: inFlight}
}

// add makes an item due after a delay. It may be called concurrently.
func (q *retryQueue[T]) add(ctx context.Context, item T, delay time.Duration) error {
	select {
	case q.in <- delayed[T]{item, time.Now().Add(delay)}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run is ready to receive at any time, so that add never waits for a worker.
func (q *retryQueue[T]) run(ctx context.Context) error {
	var (
		waiting retryHeap[T]
		timer   = time.NewTimer(time.Hour)
	)
	defer timer.Stop()
	for {
		var (
			out  chan<- T
			next T
		)
		if len(waiting) > 0 {
			if rest := time.Until(waiting[0].at); rest > 0 {
				timer.Reset(rest)
			} else {
				out, next = q.due, waiting[0].item
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

// retryHeap is a heap (container/heap), the item with the earliest time first.
type retryHeap[T any] []delayed[T]

func (h retryHeap[T]) Len() int           { return len(h) }
func (h retryHeap[T]) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h retryHeap[T]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *retryHeap[T]) Push(x any)        { *h = append(*h, x.(delayed[T])) }
func (h *retryHeap[T]) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = delayed[T]{}
	*h = (*h)[:last]
	return x
}
