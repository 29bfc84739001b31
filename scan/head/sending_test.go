package head

import (
	"testing"
	"testing/synctest"
	"time"
)

// A wait for the store is abandoned once, from its patience on, and not after an answer.
func TestSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience = 2 * time.Second
		var b Batch
		b.BeginSending() // shows nothing
		s := NewSending()
		time.Sleep(patience)
		b.Sending = s
		check := func(when string, want bool) {
			t.Helper()
			if got := s.AbandonAfter(patience); got != want {
				t.Errorf("%s: got %v", when, got)
			}
		}
		check("before any HEAD", false)
		b.BeginSending()
		time.Sleep(patience - 1)
		check("too early", false)
		time.Sleep(1 * time.Nanosecond)
		check("in time", true)
		check("twice", false)
		b.BeginSending()
		time.Sleep(patience)
		s.End()
		check("after an answer", false)
	})
}
