package head

import (
	"sync/atomic"
	"time"
)

// Sending shows other goroutines since when a Session has been waiting for the store: it connects, or has sent HEADs
// over a new connection, and no answer has come. A wait for the Limiter is no part of that time. Its methods may be
// called concurrently. Make it with NewSending.
type Sending struct {
	made  time.Time
	begun atomic.Int64 // ns after made, plus 1; 0: the Session does not wait for the store
}

// NewSending returns the Sending of a Session that sends nothing yet.
func NewSending() *Sending { return &Sending{made: time.Now()} }

func (s *Sending) begin() { s.begun.Store(1 + int64(time.Since(s.made))) }

// End records that an answer came, or that none will come.
func (s *Sending) End() { s.begun.Store(0) }

// AbandonAfter reports whether the Session has waited for the store for so long, and ends the wait: true once for each
// wait, and never after End.
func (s *Sending) AbandonAfter(patience time.Duration) bool {
	begun := s.begun.Load()
	return begun != 0 && time.Since(s.made)-time.Duration(begun-1) >= patience && s.begun.CompareAndSwap(begun, 0)
}
