package sdk

import (
	"context"
	"testing"
	"time"

	"headcount/scan/head"
	"headcount/scan/head/headtest"
	"headcount/scan/list"
)

// unsureSession returns a session whose second answer nothing vouches for.
func unsureSession(t *testing.T) *session {
	t.Helper()
	store := headtest.NewRawStore(t, func(c *headtest.Conn) { c.Serve() })
	s := headtest.OpenSession(t, New, head.Config{}, store.URL).(*session)
	headtest.Head(t, s, headtest.Entries("a"))
	s.leaveConn()
	s.left = nil
	s.ledger.Add(true)
	s.last = &list.Entry{Key: "a"}
	s.use = connUse{conn: new(watchedConn), address: s.address, answers: 2, usedAt: time.Now(), tail: s.last}
	return s
}

// What came behind an answer is proof, even if net/http has not closed the connection yet. Nothing stays undecided.
func TestSettle(t *testing.T) {
	for name, c := range map[string]struct {
		prepare     func(s *session)
		wantDoubted bool
	}{
		"silence":       {func(*session) {}, false},
		"a surplus":     {func(s *session) { s.use.conn.surplus.Store(true) }, true},
		"no connection": {func(s *session) { s.use = connUse{} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := unsureSession(t)
			c.prepare(s)
			if err := s.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			if trust := s.Trust(); trust.Sure != trust.Answered || (trust.Doubted > 0) != c.wantDoubted {
				t.Errorf("got %+v, want doubt %v", trust, c.wantDoubted)
			}
		})
	}
}

// A recheck that is cut short decides nothing. The next one does.
func TestRecheckIsMadeUpFor(t *testing.T) {
	s := unsureSession(t)
	s.use.conn.closed.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	s.leaveConn()
	cancel()
	if err := s.Settle(ctx); err == nil || s.left == nil || !s.ledger.Unsure() {
		t.Fatalf("error %v, left %v, unsure %v", err, s.left, s.ledger.Unsure())
	}
	if err := s.Settle(t.Context()); err != nil || s.ledger.Unsure() || s.left != nil {
		t.Errorf("error %v, left %v, unsure %v", err, s.left, s.ledger.Unsure())
	}
}
