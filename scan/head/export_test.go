package head

import "time"

// Idle makes the connection of a direct engine's Session look as if it had been idle for so long.
func Idle(s Session, d time.Duration) {
	c := s.(*directSession).conn
	c.lastRead = c.lastRead.Add(-d)
}

// Age makes it look so much older.
func Age(s Session, d time.Duration) {
	c := s.(*directSession).conn
	c.expiry = c.expiry.Add(-d)
}
