package fault

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var errBusy = errors.New("busy")

func TestHealthOfAStoreThatWasNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth("HEAD")
		time.Sleep(time.Hour)
		if h.EverOK() || h.OKAfter(time.Time{}) || h.FailingFor() != 0 || h.Check(time.Second) != nil {
			t.Errorf("%v, %v, %v, %v", h.EverOK(), h.OKAfter(time.Time{}), h.FailingFor(), h.Check(time.Second))
		}
	})
}

// A store fails from the first failure after a success on, and until the next success.
func TestHealthFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth("PUT")
		h.OK(time.Now())
		time.Sleep(time.Minute)
		h.Failed(errors.New("first"))
		time.Sleep(3 * time.Second)
		h.Failed(errBusy)
		if got := h.FailingFor(); got != 3*time.Second {
			t.Errorf("failing for %v", got)
		}
		if err := h.Check(3 * time.Second); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		time.Sleep(time.Nanosecond)
		var unavailable *UnavailableError
		err := h.Check(3 * time.Second)
		if !errors.As(err, &unavailable) || unavailable.Op != "PUT" || unavailable.For != 3*time.Second+1 {
			t.Errorf("after the limit: %v", err)
		}
		if !errors.Is(err, errBusy) || err.Error() != "no PUT has succeeded for 3s: busy" {
			t.Errorf("after the limit: %v", err)
		}
		h.OK(time.Now())
		if err := h.Check(0); err != nil || h.FailingFor() != 0 {
			t.Errorf("after a success: %v", err)
		}
		h.Failed(errBusy)
		if got := h.FailingFor(); got != 0 {
			t.Errorf("at the moment of the next failure: %v", got)
		}
		time.Sleep(time.Second)
		if got := h.FailingFor(); got != time.Second {
			t.Errorf("failing for %v", got)
		}
	})
}

// A success that was received before the first failure, and is recorded after it, changes nothing.
func TestHealthOfALateRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth("HEAD")
		received := time.Now()
		time.Sleep(time.Second)
		h.Failed(errBusy)
		h.OK(received)
		time.Sleep(time.Second)
		if got := h.FailingFor(); got != time.Second {
			t.Errorf("failing for %v", got)
		}
	})
}

func TestUnavailableErrorHint(t *testing.T) {
	for _, c := range []struct {
		last error
		want string
	}{
		{nil, "--retry-for sets how long headcount waits for a store in trouble"},
		{errBusy, "--retry-for sets how long headcount waits for a store in trouble"},
		{fmt.Errorf("HEAD: %w", hintedError("")), "--retry-for sets how long headcount waits for a store in trouble"},
		{fmt.Errorf("HEAD: %w", hintedError("do x")), "do x"},
	} {
		if got := (&UnavailableError{Last: c.last}).Hint(); got != c.want {
			t.Errorf("%v: %q, want %q", c.last, got, c.want)
		}
	}
}

type hintedError string

func (e hintedError) Error() string { return "hinted" }
func (e hintedError) Hint() string  { return string(e) }

func TestHealthOKAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth("HEAD")
		before := time.Now()
		time.Sleep(time.Second)
		answered := time.Now()
		time.Sleep(time.Second)
		h.OK(answered)
		for _, c := range []struct {
			at   time.Time
			want bool
		}{{before, true}, {answered.Add(-1), true}, {answered, false}, {time.Now(), false}} {
			if got := h.OKAfter(c.at); got != c.want {
				t.Errorf("after %v: %v", c.at.Sub(before), got)
			}
		}
		if !h.EverOK() {
			t.Error("no request has succeeded")
		}
	})
}

// Watch ends within 5 % of the limit, and no sooner than at the limit; each success begins the time anew.
func TestHealthWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, limit := NewHealth("HEAD"), time.Minute
		result := make(chan error, 1)
		go func() { result <- h.Watch(t.Context(), limit, nil) }()
		h.Failed(errBusy)
		time.Sleep(limit - time.Second)
		h.OK(time.Now())
		time.Sleep(10*limit + 4*time.Second) // no request is sent, and no check is due at the limit
		synctest.Wait()
		select {
		case err := <-result:
			t.Fatalf("a healthy store: %v", err)
		default:
		}
		h.Failed(errBusy)
		failed := time.Now()
		if err := <-result; !errors.Is(err, errBusy) {
			t.Errorf("%v", err)
		}
		if took := time.Since(failed); took <= limit || took > limit+limit/20 {
			t.Errorf("it ended after %v", took)
		}
	})
}

func TestHealthWatchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, done := NewHealth("HEAD"), make(chan struct{})
		ctx, cancel := context.WithCancelCause(t.Context())
		result := make(chan error, 1)
		go func() { result <- h.Watch(ctx, time.Minute, done) }()
		cause := errors.New("interrupted")
		cancel(cause)
		if err := <-result; err != cause {
			t.Errorf("ctx ended: %v", err)
		}
		go func() { result <- h.Watch(t.Context(), time.Minute, done) }()
		close(done)
		if err := <-result; err != nil {
			t.Errorf("done: %v", err)
		}
	})
}
