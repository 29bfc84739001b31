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

// fakeStore is an engine with programmed latencies, by the clock of a synctest bubble.
type fakeStore struct {
	latency func(at time.Duration) time.Duration // of a HEAD that is sent at, from the beginning
	outcome func(n int64) (status int, err error)
	// the store closes the connection of HEAD n after this time, and the HEAD is sent again; 0: it does not
	hangsUp func(n int64) time.Duration
	began   time.Time
	heads   atomic.Int64
}

func (f *fakeStore) Name() string          { return "fake" }
func (f *fakeStore) Session() head.Session { return &fakeSession{f} }

// The fake ignores what its addresses answer.
func (f *fakeStore) ObserveAnswers(*store.Address, int, time.Duration) {}
func (f *fakeStore) ObserveRefusal(*store.Address)                     {}
func (f *fakeStore) RedactError(err error) error                       { return err }

type fakeSession struct{ *fakeStore }

func (s *fakeSession) Close()                       {}
func (s *fakeSession) Trust() head.Trust            { return head.Trust{} }
func (s *fakeSession) Settle(context.Context) error { return nil }

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

// constant returns the latency of a store that is equally fast all the time.
func constant(latency time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return latency }
}

// stalling returns the latency of a store that stalls at the beginning of each ten seconds.
func stalling(latency, stall time.Duration) func(time.Duration) time.Duration {
	return func(at time.Duration) time.Duration {
		if into := at % (10 * time.Second); into < stall {
			return stall - into + latency
		}
		return latency
	}
}

// runStep runs a step on a fake store in a bubble, and returns its result.
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
