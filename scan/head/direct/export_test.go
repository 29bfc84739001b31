package direct

import (
	"time"

	"headcount/scan/head"
)

// Idle makes the connection of a direct engine's Session look as if it had been idle for so long.
func Idle(s head.Session, d time.Duration) {
	c := s.(*session).conn
	c.lastRead = c.lastRead.Add(-d)
}

// Age makes it look so much older.
func Age(s head.Session, d time.Duration) {
	c := s.(*session).conn
	c.expiry = c.expiry.Add(-d)
}
