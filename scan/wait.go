package scan

import (
	"container/heap"
	"context"
	"time"
)

// waiter is a batch that is asked for at a time.
type waiter struct {
	batch *batch
	at    time.Time
}

// later puts a batch onto the waiting list.
func (s *Scan) later(ctx context.Context, b *batch, delay time.Duration) error {
	select {
	case s.waiting <- waiter{b, time.Now().Add(delay)}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wait holds the waiting list: what came due goes to the next free worker. It always receives, so that nobody who
// puts something onto the list waits for a worker.
func (s *Scan) wait(ctx context.Context) error {
	var (
		list  waiters
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
				out, next = s.again, list[0].batch
			}
		}
		select {
		case w := <-s.waiting:
			heap.Push(&list, w)
		case out <- next:
			heap.Pop(&list)
		case <-timer.C:
		case <-s.unfinished.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// waiters is a heap, the next one first.
type waiters []waiter

func (w waiters) Len() int           { return len(w) }
func (w waiters) Less(i, j int) bool { return w[i].at.Before(w[j].at) }
func (w waiters) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *waiters) Push(x any)        { *w = append(*w, x.(waiter)) }
func (w *waiters) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	(*w)[last] = waiter{}
	*w = (*w)[:last]
	return x
}
