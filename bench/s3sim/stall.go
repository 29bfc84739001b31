package s3sim

import (
	"fmt"
	"time"
)

// stall makes a Server answer nothing for a while, periodically. The zero value never stalls.
type stall struct {
	duration, period time.Duration
	start            time.Time // of the first stall
}

// resumeAt returns at, or the end of the stall in which at lies.
func (s *stall) resumeAt(at time.Time) time.Time {
	if s.duration <= 0 || at.Before(s.start) {
		return at
	}
	if elapsed := at.Sub(s.start) % s.period; elapsed < s.duration {
		return at.Add(s.duration - elapsed)
	}
	return at
}

// checkStall returns an error for a stall that has no length, or that does not end before the next begins.
func checkStall(duration, period time.Duration) error {
	switch {
	case duration == 0 && period == 0:
	case duration <= 0 || period <= duration:
		return fmt.Errorf("stall %s every %s: the stall must be above 0 and shorter than its period", duration, period)
	}
	return nil
}
