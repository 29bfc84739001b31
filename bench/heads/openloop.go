package heads

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// openLoop sends HEADs at the times for which they are planned. Of its workers one leads: it waits for the next of
// these times. When that has come, it hands the lead to whoever was busy last, or to a new worker, and sends. So there
// are as many connections as are needed, and no more, and nobody has to be told what to send. Whoever has got an answer
// takes what is due already; while all wait for answers nobody leads, and what is planned has to wait.
type openLoop struct {
	*step
	ended chan struct{} // closed when no more are sent
	wg    sync.WaitGroup

	failuresInRow atomic.Int64 // at once, one after the other

	mu          sync.Mutex
	nextHead    int64           // HEAD to be sent
	idle        []chan struct{} // of those who have nothing to do; the last is the one that was busy last
	started     int
	hasLeader   bool      // it is where anybody has nothing to do
	pausedUntil time.Time // until which nothing is sent
}

// runOpen sends HEADs as they are planned until the Step ends, and returns when all that were sent are answered, or ctx
// has ended.
func (s *step) runOpen(ctx context.Context) *openLoop {
	o := &openLoop{step: s, hasLeader: true, ended: make(chan struct{})}
	o.startWorker(ctx)
	o.wg.Wait()
	return o
}

// startWorker starts a worker that leads.
func (o *openLoop) startWorker(ctx context.Context) {
	a := newSender(o.step, o.started*len(o.keys)/o.workers)
	wake := make(chan struct{}, 1)
	o.started++
	o.wg.Go(func() {
		defer a.close()
		for due := o.lead(ctx, a); due; due = o.awaitHead(ctx, a, wake) {
			sent := time.Now()
			if !a.send(ctx, 1) {
				return
			}
			a.flush()
			o.observe(a.failuresInRow == 0, time.Since(sent))
		}
	})
}

// observe is told of each HEAD whether it was answered, and how long that took.
func (o *openLoop) observe(answered bool, took time.Duration) {
	switch {
	case !answered && took < failurePause:
		o.failuresInRow.Add(1)
	case answered && o.failuresInRow.Load() > 0:
		o.failuresInRow.Store(0)
	}
}

// lead waits for the time of the next HEAD, takes that, and hands the lead over. false: there is no more.
func (o *openLoop) lead(ctx context.Context, a *sender) bool {
	for !o.claim(ctx, a, true) {
		if !o.waitUntil(ctx, a.sendAt) {
			close(o.ended)
			return false
		}
	}
	return true
}

// unreachableAfter is after how many failures in a row, each of them at once, an open loop sends but one HEAD in each
// failPause until one is answered: all workers together, since those that paused alone would only have others hired.
// One address of several that is gone brings no such row.
const unreachableAfter = 32

// claim takes the next HEAD, if its time has come. a.planned is that time, and a.due when it can be sent. What is left
// of the warm-up when that is over is not sent: it would take the place of what counts.
func (o *openLoop) claim(ctx context.Context, a *sender, leads bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if !now.Before(o.from) {
		o.nextHead = max(o.nextHead, o.firstPlannedFrom(o.from))
	}
	a.plannedAt = o.plannedAt(o.nextHead)
	a.sendAt = later(a.plannedAt, o.pausedUntil)
	if now.Before(a.sendAt) || !now.Before(o.end) {
		return false
	}
	o.nextHead++
	if o.failuresInRow.Load() >= unreachableAfter {
		o.pausedUntil = now.Add(failurePause)
	}
	if leads {
		o.passLead(ctx)
	}
	return true
}

// passLead lets another worker lead, if there is one that has nothing to do, or can be one more. o.mu is held.
func (o *openLoop) passLead(ctx context.Context) {
	switch last := len(o.idle) - 1; {
	case last >= 0:
		o.idle[last] <- struct{}{} // it has room: nobody wakes a worker twice
		o.idle = o.idle[:last]
	case o.started < o.workers:
		o.startWorker(ctx)
	default:
		o.hasLeader = false
	}
}

// awaitHead returns when the worker has taken another HEAD; false: there is no more.
func (o *openLoop) awaitHead(ctx context.Context, a *sender, wake chan struct{}) bool {
	if o.claim(ctx, a, false) {
		return true
	}
	o.mu.Lock()
	if !o.hasLeader {
		o.hasLeader = true
		o.mu.Unlock()
		return o.lead(ctx, a)
	}
	o.idle = append(o.idle, wake)
	o.mu.Unlock()
	select {
	case <-wake:
		return o.lead(ctx, a)
	case <-o.ended:
	case <-ctx.Done():
	}
	return false
}

// plannedAt is when the n-th HEAD is to be sent, n from 0: the first as the Step begins.
func (o *openLoop) plannedAt(n int64) time.Time {
	return o.startedAt.Add(time.Duration(float64(n) / o.rate * float64(time.Second)))
}

// firstPlannedFrom is that of the first HEAD that is planned for then, or later.
func (o *openLoop) firstPlannedFrom(at time.Time) int64 {
	return int64(math.Ceil(at.Sub(o.startedAt).Seconds() * o.rate))
}

// preciseSleepMax is what is slept by the kernel's clock: the runtime's timers may be a millisecond late where nothing
// else happens, longer than a fast store takes.
const preciseSleepMax = 2 * time.Millisecond

// waitUntil returns when the time of a HEAD has come; false: the Step's end, or ctx's, came before.
func (o *openLoop) waitUntil(ctx context.Context, planned time.Time) bool {
	for planned.Before(o.end) && ctx.Err() == nil {
		now := time.Now()
		wait := planned.Sub(now)
		switch {
		case wait <= 0:
			return now.Before(o.end)
		case wait <= preciseSleepMax:
			o.preciseSleep(wait)
		default:
			timer := time.NewTimer(wait - preciseSleepMax/2)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
	}
	return false
}

// unsent is how many HEADs were planned before end, to be counted, and not sent, and how long the first of them had
// waited by then.
func (o *openLoop) unsent(end time.Time) (count int64, longest time.Duration) {
	first := max(o.nextHead, o.firstPlannedFrom(o.from))
	if count = o.firstPlannedFrom(end) - first; count <= 0 {
		return 0, 0
	}
	return count, end.Sub(o.plannedAt(first))
}

// PlannedHeads is how many HEADs an open loop plans in what counts of a Step.
func PlannedHeads(rate float64, duration time.Duration) int64 {
	o := openLoop{step: &step{rate: rate, duration: duration}}
	o.setTimes(time.Now())
	return o.firstPlannedFrom(o.end) - o.firstPlannedFrom(o.from)
}
