package heads

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// openLoop sends HEADs at their planned times. One of its workers leads: it waits for the time of the next HEAD, passes
// the lead to the worker that became idle last, or to a new worker, and sends the HEAD. So there are only as many
// connections as needed, and workers need not be told what to send. A worker whose HEAD is answered first claims a HEAD
// that is due. While all workers wait for answers there is no leader, and the planned HEADs are delayed.
type openLoop struct {
	*step
	ended chan struct{} // closed by the leader when the Step has ended
	wg    sync.WaitGroup

	failuresInRow atomic.Int64 // immediate ones

	mu          sync.Mutex
	nextHead    int64           // the number of the next HEAD to send
	idle        []chan struct{} // wake the idle workers; the last one became idle last
	started     int
	hasLeader   bool      // always true while there is an idle worker
	pausedUntil time.Time // no HEAD is sent before this time
}

// runOpen sends HEADs as planned until the Step ends. It returns when all HEADs that were sent are answered, or ctx has
// ended.
func (s *step) runOpen(ctx context.Context) *openLoop {
	o := &openLoop{step: s, hasLeader: true, ended: make(chan struct{})}
	o.startWorker(ctx)
	o.wg.Wait()
	return o
}

// startWorker starts a worker that leads.
func (o *openLoop) startWorker(ctx context.Context) {
	s := newSender(o.step, o.started*len(o.keys)/o.workers)
	wake := make(chan struct{}, 1)
	o.started++
	o.wg.Go(func() {
		defer s.close()
		for due := o.lead(ctx, s); due; due = o.awaitHead(ctx, s, wake) {
			sent := time.Now()
			if !s.send(ctx, 1) {
				return
			}
			s.flush()
			o.observe(s.failuresInRow == 0, time.Since(sent))
		}
	})
}

// observe counts immediate failures in a row: failures that took less than failurePause.
func (o *openLoop) observe(answered bool, took time.Duration) {
	switch {
	case !answered && took < failurePause:
		o.failuresInRow.Add(1)
	case answered && o.failuresInRow.Load() > 0:
		o.failuresInRow.Store(0)
	}
}

// lead waits for the time of the next HEAD, claims the HEAD, and passes the lead on. It returns false if the Step has
// ended.
func (o *openLoop) lead(ctx context.Context, s *sender) bool {
	for !o.claim(ctx, s, true) {
		if !o.waitUntil(ctx, s.sendAt) {
			close(o.ended)
			return false
		}
	}
	return true
}

// unreachableAfter is the number of immediate failures in a row after which the store counts as unreachable: until a
// HEAD is answered, all workers together send one HEAD per failurePause. A pause of each worker alone would only start
// further workers. If one of several addresses is unreachable, there are no such rows of failures.
const unreachableAfter = 32

// claim claims the next HEAD for s, if its time has come. It sets s.plannedAt to the planned time, and s.sendAt to the
// time from which the HEAD can be sent. HEADs of the warm-up that are still unsent at its end are skipped: they would
// delay HEADs that count.
func (o *openLoop) claim(ctx context.Context, s *sender, leads bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if !now.Before(o.from) {
		o.nextHead = max(o.nextHead, o.firstPlannedFrom(o.from))
	}
	s.plannedAt = o.plannedAt(o.nextHead)
	s.sendAt = later(s.plannedAt, o.pausedUntil)
	if now.Before(s.sendAt) || !now.Before(o.end) {
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

// passLead makes an idle worker the leader, or starts a worker if all are busy and more are allowed. o.mu is held.
func (o *openLoop) passLead(ctx context.Context) {
	switch last := len(o.idle) - 1; {
	case last >= 0:
		o.idle[last] <- struct{}{} // never blocks: the channel has room for one, and an idle worker is woken once
		o.idle = o.idle[:last]
	case o.started < o.workers:
		o.startWorker(ctx)
	default:
		o.hasLeader = false
	}
}

// awaitHead returns true when the worker has claimed another HEAD, and false if the Step has ended.
func (o *openLoop) awaitHead(ctx context.Context, s *sender, wake chan struct{}) bool {
	if o.claim(ctx, s, false) {
		return true
	}
	o.mu.Lock()
	if !o.hasLeader {
		o.hasLeader = true
		o.mu.Unlock()
		return o.lead(ctx, s)
	}
	o.idle = append(o.idle, wake)
	o.mu.Unlock()
	select {
	case <-wake:
		return o.lead(ctx, s)
	case <-o.ended:
	case <-ctx.Done():
	}
	return false
}

// plannedAt returns the planned time of the n-th HEAD, from 0. HEAD 0 is planned for the beginning of the Step.
func (o *openLoop) plannedAt(n int64) time.Time {
	return o.startedAt.Add(time.Duration(float64(n) / o.rate * float64(time.Second)))
}

// firstPlannedFrom returns the number of the first HEAD that is planned for at or later.
func (o *openLoop) firstPlannedFrom(at time.Time) int64 {
	return int64(math.Ceil(at.Sub(o.startedAt).Seconds() * o.rate))
}

// preciseSleepMax is the longest sleep that uses the kernel's clock. On an idle machine the timers of Go's runtime may
// be a millisecond late, which is longer than a HEAD of a fast store.
const preciseSleepMax = 2 * time.Millisecond

// waitUntil returns true at the planned time, and false if the Step or ctx ends before.
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

// unsent returns the number of HEADs that count, were planned before end and were not sent, and how long the first of
// them had waited at end.
func (o *openLoop) unsent(end time.Time) (count int64, longest time.Duration) {
	first := max(o.nextHead, o.firstPlannedFrom(o.from))
	if count = o.firstPlannedFrom(end) - first; count <= 0 {
		return 0, 0
	}
	return count, end.Sub(o.plannedAt(first))
}

// PlannedHeads returns the number of HEADs that an open loop plans in a Step, without its warm-up.
func PlannedHeads(rate float64, duration time.Duration) int64 {
	o := openLoop{step: &step{rate: rate, duration: duration}}
	o.setTimes(time.Now())
	return o.firstPlannedFrom(o.end) - o.firstPlannedFrom(o.from)
}
