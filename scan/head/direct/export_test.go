package direct

import (
	"time"

	"headcount/scan/head"
)

// SetIdle moves the last read of a Session's connection back by d.
func SetIdle(s head.Session, d time.Duration) {
	c := s.(*session).conn
	c.lastRead = c.lastRead.Add(-d)
}

// AddAge makes a Session's connection older by d.
func AddAge(s head.Session, d time.Duration) {
	c := s.(*session).conn
	c.expiry = c.expiry.Add(-d)
}

// SetTimeout changes the timeout of later HEADs. A test calls it from the goroutine that uses the Session.
func SetTimeout(s head.Session, timeout time.Duration) {
	session := s.(*session)
	session.engine.timeout = timeout
	if session.conn != nil {
		session.conn.deadline = time.Time{} // the next HEAD sets the deadline again
	}
}
