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

// checkEnds HEADs what will not be answered within a minute, and ends the context soon.
func checkEnds(t *testing.T, session head.Session, batch []list.Entry) {
	t.Helper()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	began := time.Now()
	time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
	err := session.Head(ctx, head.NewBatch(batch), func(r *head.Result) { t.Errorf("answered: %d %v", r.Status, r.Err) })
	if !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took < 50*time.Millisecond || took > 10*time.Second { // of the minute that it could take
		t.Errorf("it took %v", took)
	}
}

// The end of the context ends what a session waits for, whatever that is, at once and with its cause.
func TestContextEnds(t *testing.T) {
	patient := head.Config{Timeout: time.Minute}
	stall := func(c *headtest.Conn) { c.Stall() }
	t.Run("while it connects", func(t *testing.T) { // TLS: a TCP handshake needs no program to answer it
		s := headtest.NewRaw(t, stall)
		checkEnds(t, headtest.Session(t, direct.New, patient, "https"+s.URL[len("http"):]), headtest.Entries("a"))
	})
	for _, pipeline := range []int{1, 8} {
		t.Run("while it reads", func(t *testing.T) {
			cfg := patient
			cfg.Pipeline = pipeline
			checkEnds(t, newSession(t, headtest.NewRaw(t, stall), cfg), headtest.Entries(headtest.Keys(20)...))
		})
	}
	t.Run("while the gate is closed", func(t *testing.T) {
		cfg := patient
		cfg.Limiter = new(pace.Limiter)
		cfg.Limiter.ObserveRefusal(time.Now(), time.Minute)
		s := headtest.NewRaw(t, stall)
		checkEnds(t, newSession(t, s, cfg), headtest.Entries("a"))
		if n := s.Connections(); n != 0 {
			t.Errorf("%d connections", n)
		}
	})
	t.Run("while it is asked again", func(t *testing.T) { // on a connection that was good
		s := headtest.NewRaw(t, func(c *headtest.Conn) {
			if r := c.Ask(); r != nil && c.Say(headtest.Answer(r.RequestURI)) {
				c.Stall()
			}
		})
		session := newSession(t, s, patient)
		headtest.Expect(t, session, "a")
		checkEnds(t, session, headtest.Entries("b"))
		headtest.Expect(t, session, "c") // a new one
	})
}
