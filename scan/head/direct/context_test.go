package direct_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
	"headcount/scan/list"
	"headcount/scan/pace"
)

// checkCancel sends HEADs that get no answer, and cancels the context when started is closed. Head must return the
// cause, without a Result. The timeout of a HEAD must be so long that it cannot be the reason.
func checkCancel(t *testing.T, session head.Session, entries []list.Entry, started <-chan struct{}) {
	t.Helper()
	cause := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		select {
		case <-started:
			cancel(cause)
		case <-ctx.Done():
		}
	}()
	err := session.Head(ctx, head.NewBatch(entries), func(r *head.Result) {
		t.Errorf("a Result: status %d, error %v", r.Status, r.Err)
	})
	if !errors.Is(err, cause) {
		t.Errorf("the error is %v", err)
	}
}

// The end of the context ends every kind of wait, with the context's cause.
func TestContextEnds(t *testing.T) {
	const timeout = time.Hour
	// stallAfter closes started when the store has n requests, and answers none of them.
	stallAfter := func(n int, started chan struct{}) func(*headtest.Conn) {
		return func(c *headtest.Conn) {
			for range n {
				c.ReadRequest()
			}
			close(started)
			c.Stall()
		}
	}
	t.Run("during the TLS handshake", func(t *testing.T) { // the kernel alone does a TCP handshake
		started := make(chan struct{})
		s := headtest.NewRawStore(t, stallAfter(0, started))
		url := "https" + s.URL[len("http"):]
		session := headtest.OpenSession(t, direct.New, head.Config{Timeout: timeout}, url)
		checkCancel(t, session, headtest.Entries("a"), started)
	})
	t.Run("during a read", func(t *testing.T) {
		for _, pipeline := range []int{1, 8} {
			started := make(chan struct{})
			s := headtest.NewRawStore(t, stallAfter(pipeline, started))
			session := newSession(t, s, head.Config{Timeout: timeout, Pipeline: pipeline})
			checkCancel(t, session, headtest.Entries(headtest.Keys(20)...), started)
		}
	})
	t.Run("during the wait for the limiter", func(t *testing.T) {
		cfg := head.Config{Timeout: timeout, Limiter: new(pace.Limiter)}
		cfg.Limiter.ObserveRefusal(time.Now(), time.Hour)
		started := make(chan struct{})
		time.AfterFunc(20*time.Millisecond, func() { close(started) })
		s := headtest.NewRawStore(t, (*headtest.Conn).Stall)
		checkCancel(t, newSession(t, s, cfg), headtest.Entries("a"), started)
		if n := s.Connections(); n != 0 {
			t.Errorf("%d connections", n)
		}
	})
	t.Run("during the second HEAD of a connection", func(t *testing.T) {
		started := make(chan struct{})
		s := headtest.NewRawStore(t, func(c *headtest.Conn) {
			if c.Index > 0 {
				c.Serve()
				return
			}
			if r := c.ReadRequest(); r != nil && c.Send(headtest.Answer(r.RequestURI)) {
				stallAfter(1, started)(c)
			}
		})
		session := newSession(t, s, head.Config{Timeout: timeout})
		headtest.Expect(t, session, "a")
		checkCancel(t, session, headtest.Entries("b"), started)
		headtest.Expect(t, session, "c") // over a new connection
		if n := s.Connections(); n != 2 {
			t.Errorf("%d connections", n)
		}
	})
}
