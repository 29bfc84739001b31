package scan

import (
	"container/heap"
	"context"
	"time"
)

// delayed is a batch that is asked for at a time.
type delayed struct {
	batch *batch
	at    time.Time
}

// retryAt puts a batch onto the waiting list.
func (s *Scan) retryAt(ctx context.Context, b *batch, delay time.Duration) error {
	select {
	case s.delayed <- delayed{b, time.Now().Add(delay)}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// queueRetries holds the waiting list: what came due goes to the next free worker. It always receives, so that nobody who
// puts something onto the list waits for a worker.
func (s *Scan) queueRetries(ctx context.Context) error {
	var (
		list  retryHeap
		timer = time.NewTimer(time.Hour)
	)
	defer timer.Stop()
	for {
		var (
			out  chan<- *batch
			next *batch
		)
		if len(list) > 0 {
			if rest := time.Until(list[0].at); rest > 0 {
				timer.Reset(rest)
			} else {
				out, next = s.retryDue, list[0].batch
			}
		}
		select {
		case w := <-s.delayed:
			heap.Push(&list, w)
		case out <- next:
			heap.Pop(&list)
		case <-timer.C:
		case <-s.inFlight.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// retryHeap is a heap, the next one first.
type retryHeap []delayed

func (w retryHeap) Len() int           { return len(w) }
func (w retryHeap) Less(i, j int) bool { return w[i].at.Before(w[j].at) }
func (w retryHeap) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *retryHeap) Push(x any)        { *w = append(*w, x.(delayed)) }
func (w *retryHeap) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	(*w)[last] = delayed{}
	*w = (*w)[:last]
	return x
}
