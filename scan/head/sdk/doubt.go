package sdk

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
)

// A connection can be out of step: see direct/doubt.go, whose rules this file applies to the connections of net/http.
// A session has a transport of its own, so that it knows which answers came over which connection, in which order.

func (s *session) Trust() head.Trust { return s.ledger.Trust(s.engine.store.Distrusts()) }

func (s *session) Settle(ctx context.Context) error {
	if err := s.checkLeft(ctx); err != nil || !s.ledger.Unsure() {
		return err
	}
	if s.use.conn != nil {
		if err := fault.Sleep(ctx, time.Until(s.use.usedAt.Add(head.SettleTime(s.slowest)))); err != nil {
			return err
		}
		closed := s.use.conn.closed.Load() // before the surplus: net/http closes a connection after it read one
		switch {
		case s.use.sawSurplus():
		case !closed:
			s.ledger.Settle()
			return nil
		}
		s.leaveConn()
	}
	if err := s.checkLeft(ctx); err != nil {
		return err
	}
	if s.ledger.Unsure() {
		s.ledger.Doubt()
	}
	return nil
}

// useConn sets the connection that net/http has chosen for the present HEAD.
func (s *session) useConn(info httptrace.GotConnInfo) {
	conn, secured := watchedBelow(info.Conn)
	if conn != s.use.conn || !info.Reused {
		s.leaveConn()
		s.use = connUse{conn: conn, secured: secured, address: s.result.Address}
		if info.Reused { // by a request that net/http repeated
			s.use.answers, s.last = 1, nil
		}
	}
}

// leaveConn ends the use of the connection.
func (s *session) leaveConn() {
	if s.use.conn != nil && s.left == nil {
		left := s.use
		s.left = &left
	}
	s.use = connUse{}
}

// dropConn closes the connection. No request may be in flight.
func (s *session) dropConn() {
	s.transport.CloseIdleConnections()
	s.use, s.left = connUse{}, nil
}

// noteSurplus records a proof that a connection is, or will be, out of step.
func (s *session) noteSurplus(u *connUse) {
	s.ledger.Doubt()
	head.DistrustReuse(s.engine.store, u.address, s.engine.log)
}

// assess decides whether the answer for e is its own, and sends the HEAD again if that is doubtful.
func (s *session) assess(ctx context.Context, e *list.Entry) error {
	if err := s.checkLeft(ctx); err != nil {
		return err
	}
	s.slowest = max(s.slowest, s.result.Latency)
	if err := s.result.Err; err != nil && !s.single && s.use.answers > 0 && fault.FailureOf(err).Final {
		return s.sendRejectedAgain(ctx, e)
	}
	if s.single || s.use.answers == 0 || s.result.Err != nil {
		s.ledger.Add(false)
		return nil
	}
	var id []byte
	if s.last != nil && !head.Distinguishable(s.last, e) && !s.engine.idsRepeat.Load() {
		id = s.before.RequestID()
	}
	if suspicion := head.NewSuspicion(&s.result.Result, id); suspicion != nil {
		return s.sendAgain(ctx, e, suspicion)
	}
	if s.ledger.Unsure() && s.result.Vouches(s.last, e) {
		s.ledger.Settle()
	}
	s.ledger.Add(true)
	return nil
}

// sendRejectedAgain sends the HEAD for e over a new connection, since what net/http rejected may be no answer. It casts
// no doubt on other answers: the connection has ended, and checkLeft decides about them.
func (s *session) sendRejectedAgain(ctx context.Context, e *list.Entry) error {
	s.leaveConn()
	s.transport.CloseIdleConnections()
	s.resent++
	if err := s.send(ctx, e, true); err != nil {
		return err
	}
	if err := s.checkLeft(ctx); err != nil {
		return err
	}
	s.ledger.Add(false)
	return nil
}

// sendAgain sends the HEAD of a suspicious answer over a new connection.
func (s *session) sendAgain(ctx context.Context, e *list.Entry, suspicion *head.Suspicion) error {
	from := s.use
	s.dropConn()
	s.resent++
	if err := s.send(ctx, e, true); err != nil {
		return err
	}
	verdict, idsRepeat := suspicion.Judge(&s.result.Result)
	if idsRepeat {
		s.engine.idsRepeat.Store(true)
	}
	switch verdict {
	case head.Own:
		s.ledger.Settle()
	case head.Foreign:
		s.noteSurplus(&from)
	default:
		s.ledger.Doubt()
	}
	s.ledger.Add(false)
	return nil
}

// keepAnswer keeps the answer for e if it came over the session's connection.
func (s *session) keepAnswer(e *list.Entry) {
	if s.single || s.use.conn == nil || s.result.Err != nil {
		return
	}
	s.last = nil
	if s.result.Mismatch {
		s.dropConn() // the next answer over it would be suspicious, too
		return
	}
	s.use.answers++
	s.use.usedAt = s.result.Received
	if s.result.Status != http.StatusOK {
		return
	}
	s.last = e
	if s.use.answers > 1 {
		s.use.tail = e
	}
	s.result, s.before = s.before, s.result
}

// checkLeft decides about the answers over a connection that has ended, and that no later answer vouches for.
func (s *session) checkLeft(ctx context.Context) error {
	left := s.left
	s.left = nil
	switch {
	case left == nil:
		return nil
	case left.sawSurplus():
		s.noteSurplus(left)
		return nil
	case !s.ledger.Unsure() || left.answers < 2:
		return nil
	case left.tail == nil: // only answers without an object: the scan believes none that came over a reused connection
		s.ledger.Settle()
		return nil
	}
	verdict, sent, err := head.Recheck(ctx, s.engine.Session(), left.tail, &s.before.Result)
	s.resent += sent
	switch {
	case err != nil:
		s.left = left // it is decided later
		return err
	case verdict == head.Own:
		s.ledger.Settle()
	case verdict == head.Foreign:
		s.noteSurplus(left)
	default:
		s.ledger.Doubt()
	}
	return nil
}
