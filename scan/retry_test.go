package scan

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Batches leave the retry queue in the order of their due times and never early, for any order of insertion.
func TestRetryQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flight := newInFlight()
		q := newRetryQueue[*batch](flight)
		ended := make(chan error, 1)
		go func() { ended <- q.run(t.Context()) }()
		start := time.Now()
		delays := []time.Duration{3 * time.Second, time.Second, 0, 2 * time.Hour, time.Second + time.Millisecond}
		for i, delay := range delays {
			if err := q.add(t.Context(), &batch{first: i}, delay); err != nil {
				t.Fatal(err)
			}
		}
		for _, i := range []int{2, 1, 4, 0, 3} {
			if b := <-q.due; b.first != i || time.Since(start) != delays[i] {
				t.Errorf("got batch %d after %v, want %d after %v", b.first, time.Since(start), i, delays[i])
			}
		}
		flight.remove()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// add and run return when their context ends, even if no worker takes the due batches.
func TestRetryQueueEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		q := newRetryQueue[*batch](newInFlight())
		ended := make(chan error, 1)
		go func() { ended <- q.run(ctx) }()
		if err := q.add(ctx, &batch{}, 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		cancel(stopped)
		if err := <-ended; !errors.Is(err, stopped) {
			t.Errorf("got error %v, want %v", err, stopped)
		}
		if err := q.add(ctx, &batch{}, 0); !errors.Is(err, stopped) {
			t.Errorf("got error %v, want %v", err, stopped)
		}
	})
}
