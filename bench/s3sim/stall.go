package s3sim

import (
	"fmt"
	"time"
)

// stall is a store that answers nothing for a while, again and again. The zero stall never does.
type stall struct {
	duration, period time.Duration
	start            time.Time // when the first one begins
}

// resumeAt is when a store goes on that would do something at that time: then, or when the stall ends in which that lies.
func (s *stall) resumeAt(at time.Time) time.Time {
	if s.duration <= 0 || at.Before(s.start) {
		return at
	}
	if into := at.Sub(s.start) % s.period; into < s.duration {
		return at.Add(s.duration - into)
	}
	return at
}

// checkStall returns an error that names what is wrong and what would be right.
func checkStall(lasts, every time.Duration) error {
	switch {
	case lasts == 0 && every == 0:
	case lasts <= 0 || every <= lasts:
		return fmt.Errorf("a stall of %s every %s: longer than nothing, and shorter than the time from one to the next", lasts, every)
	}
	return nil
}
