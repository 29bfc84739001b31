package heads

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// openLoop sends HEADs at the times for which they are planned. Of its workers one leads: it waits for the next of these times. When that has
// come, it hands the lead to whoever was busy last, or to a new worker, and sends. So there are as many connections as are needed, and no
// more, and nobody has to be told what to send. Whoever has got an answer takes what is due already; while all wait for answers nobody leads,
// and what is planned has to wait.
type openLoop struct {
	*step
	over chan struct{} // closed when no more are sent
	wg   sync.WaitGroup

	failures atomic.Int64 // at once, one after the other

	mu    sync.Mutex
	next  int64           // HEAD to be sent
	wakes []chan struct{} // of those who have nothing to do; the last is the one that was busy last
	hired int
	isLed bool      // it is where anybody has nothing to do
	pause time.Time // until which nothing is sent
}

// runOpen sends HEADs as they are planned until the Step ends, and returns when all that were sent are answered, or ctx has ended.
func (s *step) runOpen(ctx context.Context) *openLoop {
	o := &openLoop{step: s, isLed: true, over: make(chan struct{})}
	o.hire(ctx)
	o.wg.Wait()
	return o
}

// hire starts a worker that leads.
func (o *openLoop) hire(ctx context.Context) {
	a := newAsker(o.step, o.hired*len(o.sample)/o.workers)
	wake := make(chan struct{}, 1)
	o.hired++
	o.wg.Go(func() {
		defer a.close()
		for due := o.lead(ctx, a); due; due = o.rest(ctx, a, wake) {
			sent := time.Now()
			if !a.ask(ctx, 1) {
				return
			}
			a.tell()
			o.heard(a.failures == 0, time.Since(sent))
		}
	})
}

// heard is told of each HEAD whether it was answered, and how long that took.
func (o *openLoop) heard(answered bool, took time.Duration) {
	switch {
	case !answered && took < failPause:
		o.failures.Add(1)
	case answered && o.failures.Load() > 0:
		o.failures.Store(0)
	}
}

// lead waits for the time of the next HEAD, takes that, and hands the lead over. false: there is no more.
func (o *openLoop) lead(ctx context.Context, a *asker) bool {
	for !o.take(ctx, a, true) {
		if !o.await(ctx, a.due) {
			close(o.over)
			return false
		}
	}
	return true
}

// goneFrom is after how many failures in a row, each of them at once, an open loop sends but one HEAD in each failPause until one is answered: all
// workers together, since those that paused alone would only have others hired. One address of several that is gone brings no such row.
const goneFrom = 32

// take takes the next HEAD, if its time has come. a.planned is that time, and a.due when it can be sent. What is left of the warm-up when that is over is not sent: it would
// take the place of what counts.
func (o *openLoop) take(ctx context.Context, a *asker, leads bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if !now.Before(o.from) {
		o.next = max(o.next, o.number(o.from))
	}
	a.planned = o.plan(o.next)
	a.due = later(a.planned, o.pause)
	if now.Before(a.due) || !now.Before(o.end) {
		return false
	}
	o.next++
	if o.failures.Load() >= goneFrom {
		o.pause = now.Add(failPause)
	}
	if leads {
		o.handOver(ctx)
	}
	return true
}

// handOver lets another worker lead, if there is one that has nothing to do, or can be one more. o.mu is held.
func (o *openLoop) handOver(ctx context.Context) {
	switch last := len(o.wakes) - 1; {
	case last >= 0:
		o.wakes[last] <- struct{}{} // it has room: nobody wakes a worker twice
		o.wakes = o.wakes[:last]
	case o.hired < o.workers:
		o.hire(ctx)
	default:
		o.isLed = false
	}
}

// rest returns when the worker has taken another HEAD; false: there is no more.
func (o *openLoop) rest(ctx context.Context, a *asker, wake chan struct{}) bool {
	if o.take(ctx, a, false) {
		return true
	}
	o.mu.Lock()
	if !o.isLed {
		o.isLed = true
		o.mu.Unlock()
		return o.lead(ctx, a)
	}
	o.wakes = append(o.wakes, wake)
	o.mu.Unlock()
	select {
	case <-wake:
		return o.lead(ctx, a)
	case <-o.over:
	case <-ctx.Done():
	}
	return false
}

// plan is when the n-th HEAD is to be sent, n from 0: the first as the Step begins.
func (o *openLoop) plan(n int64) time.Time {
	return o.began.Add(time.Duration(float64(n) / o.rate * float64(time.Second)))
}

// number is that of the first HEAD that is planned for then, or later.
func (o *openLoop) number(at time.Time) int64 {
	return int64(math.Ceil(at.Sub(o.began).Seconds() * o.rate))
}

// napMost is what is slept by the kernel's clock: the runtime's timers may be a millisecond late where nothing else happens, longer than a
// fast store takes.
const napMost = 2 * time.Millisecond

// await returns when the time of a HEAD has come; false: the Step's end, or ctx's, came before.
func (o *openLoop) await(ctx context.Context, planned time.Time) bool {
	for planned.Before(o.end) && ctx.Err() == nil {
		now := time.Now()
		wait := planned.Sub(now)
		switch {
		case wait <= 0:
			return now.Before(o.end)
		case wait <= napMost:
			o.nap(wait)
		default:
			timer := time.NewTimer(wait - napMost/2)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
	}
	return false
}

// late is how many HEADs were planned before end, to be counted, and not sent, and how long the first of them had waited by then.
func (o *openLoop) late(end time.Time) (count int64, longest time.Duration) {
	first := max(o.next, o.number(o.from))
	if count = o.number(end) - first; count <= 0 {
		return 0, 0
	}
	return count, end.Sub(o.plan(first))
}

// Planned is how many HEADs an open loop plans in what counts of a Step.
func Planned(rate float64, duration time.Duration) int64 {
	o := openLoop{step: &step{rate: rate, duration: duration}}
	o.prepareTimes(time.Now())
	return o.number(o.end) - o.number(o.from)
}
