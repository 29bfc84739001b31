package heads

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeStore is an engine whose answers come when they should, by the clock of a synctest bubble.
type fakeStore struct {
	latency func(at time.Duration) time.Duration // of a HEAD that is sent so long after the store's begin
	outcome func(n int64) (status int, err error)
	hangsUp func(n int64) time.Duration // after which it closes the connection of a HEAD that is then sent again; 0: it does not
	began   time.Time
	heads   atomic.Int64
}

func (f *fakeStore) Name() string          { return "fake" }
func (f *fakeStore) Session() head.Session { return &fakeSession{f} }

// The fake tells nobody who answered.
func (f *fakeStore) ObserveAnswers(*store.Address, int, time.Duration) {}
func (f *fakeStore) ObserveRefusal(*store.Address)                     {}

type fakeSession struct{ *fakeStore }

func (s *fakeSession) Close() {}

func (s *fakeSession) Head(ctx context.Context, batch *head.Batch, each func(*head.Result)) error {
	for i := 0; len(batch.Claim(1)) > i; i++ {
		n, r := s.heads.Add(1), head.Result{Status: 200}
		if s.hangsUp != nil {
			if hung := s.hangsUp(n); hung > 0 {
				time.Sleep(hung)
				r.Resent = 1
			}
		}
		sent := time.Now()
		timer := time.NewTimer(s.latency(sent.Sub(s.began)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		if s.outcome != nil {
			r.Status, r.Err = s.outcome(n)
		}
		if r.Err == nil {
			r.Received = time.Now()
			r.Latency = r.Received.Sub(sent)
		}
		each(&r)
	}
	return nil
}

// constant is a store that takes so long for each.
func constant(latency time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return latency }
}

// stalling is a store that does nothing for a time in each ten seconds, and otherwise takes so long for each.
func stalling(latency, stall time.Duration) func(time.Duration) time.Duration {
	return func(at time.Duration) time.Duration {
		if into := at % (10 * time.Second); into < stall {
			return stall - into + latency
		}
		return latency
	}
}

// runStep runs a step of a fake store in a bubble, and returns what was measured.
func runStep(t *testing.T, f *fakeStore, s *step) (m Step) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f.began = time.Now()
		s.engine, s.store, s.keys, s.preciseSleep = f, f, make([]list.Entry, 1000), time.Sleep
		s.begin(time.Now())
		var err error
		if m, err = s.run(t.Context(), time.Now()); err != nil {
			t.Error(err)
		}
	})
	return m
}

var errTest = errors.New("test")
