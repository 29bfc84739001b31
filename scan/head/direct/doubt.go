package direct

import (
	"bytes"
	"context"
	"errors"
	"os"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

// A connection can be out of step: the store sent bytes behind an answer, and the next request took them for its own
// answer. This file finds that out, without a request or a system call more while nothing is suspicious.
//
//   - Bytes that nobody asked for are proof (errSurplus, inspect).
//   - An answer that differs from the listing is suspicious, and so is a repeated request ID between objects that share
//     ETag and length. The session sends that HEAD again over a new connection. If the second answer is as listed, the
//     first one was foreign, which is proof (judge).
//   - An answer over a reused connection is final when a later one on it is in step. When the store ends the connection
//     instead, by an error answer or without one, the session asks for the last object again that has an answer, over a
//     new connection, and compares (checkTail).
//
// After a proof the Results that may be foreign are in doubt, and each HEAD to the endpoint has its own connection.

// tail is the last answer with an object, of a connection that has ended. No later answer vouches for it.
type tail struct {
	entry   *list.Entry
	address *store.Address
	text    []byte // the answer
}

// unconfirmed is an answer that may be foreign.
type unconfirmed struct {
	*head.Suspicion
	index int // of the entry
}

// inspectTimeout is the time for the rest of a TLS record whose beginning is there.
const inspectTimeout = 10 * time.Millisecond

func (s *session) Trust() head.Trust { return s.ledger.Trust(s.engine.store.Distrusts()) }

func (s *session) Settle(ctx context.Context) error {
	s.interrupter.watch(ctx)
	if err := s.checkTail(ctx); err != nil || !s.ledger.Unsure() {
		return err
	}
	if s.conn == nil {
		s.ledger.Doubt()
		return nil
	}
	if err := fault.Sleep(ctx, time.Until(s.conn.lastRead.Add(head.SettleTime(s.slowest)))); err != nil {
		return err
	}
	switch {
	case s.conn.peek.readable():
		s.inspect(time.Now().Add(inspectTimeout))
	case s.conn.route.TLS != nil: // what the TLS connection has read is in no socket
		s.inspect(time.Now())
	}
	if s.conn != nil {
		s.ledger.Settle()
	}
	if err := s.checkTail(ctx); err != nil {
		return err
	}
	if s.ledger.Unsure() {
		s.ledger.Doubt()
	}
	return nil
}

// retire closes a connection that the store has not ended.
func (s *session) retire(ctx context.Context) error {
	if s.conn != nil && s.conn.answers > 1 && s.ledger.Unsure() {
		if err := s.Settle(ctx); err != nil {
			return err
		}
	}
	s.closeConn()
	return nil
}

// inspect reads until a time from a connection on which no request is in flight. It closes the connection if there is
// something to read, unless that is a message of TLS.
func (s *session) inspect(until time.Time) {
	c := s.conn
	var buf [64]byte
	c.deadline = until
	_ = c.SetDeadline(c.deadline)
	n, err := c.Read(buf[:])
	switch {
	case n > 0 && !head.IsIdleNotice(buf[:n]):
		s.noteSurplus()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return
	}
	s.closeConn()
}

// noteSurplus records a proof that the connection is, or will be, out of step.
func (s *session) noteSurplus() {
	s.ledger.Doubt()
	s.pending, s.unconfirmed = nil, nil
	head.DistrustReuse(s.engine.store, s.conn.address, s.engine.log)
}

// isSuspicious reports whether r, an answer over a reused connection, may be foreign. If so it keeps what judge needs.
func (s *session) isSuspicious(r *response) bool {
	id := s.conn.lastID
	if s.engine.idsRepeat.Load() {
		id = nil
	}
	suspicion := head.NewSuspicion(&r.Result, id)
	if suspicion == nil {
		return false
	}
	s.unconfirmed = &unconfirmed{suspicion, s.answered}
	return true
}

// judge compares the answer over a new connection with the suspicious one before it.
func (s *session) judge(r *response) {
	verdict, idsRepeat := s.unconfirmed.Judge(&r.Result)
	s.unconfirmed = nil
	switch {
	case idsRepeat:
		s.engine.idsRepeat.Store(true)
		fallthrough
	case verdict == head.Own:
		s.ledger.Settle()
		s.pending = nil
	case verdict == head.Foreign:
		s.noteSurplus()
	}
}

// keepTail keeps the last answer of the connection that is being closed, if nothing vouches for it.
func (s *session) keepTail() {
	c := s.conn
	if c.answers < 2 || !s.ledger.Unsure() {
		return
	}
	if c.tail == nil { // only answers without an object: the scan believes none that came over a reused connection
		s.ledger.Settle()
		return
	}
	s.pending = &tail{c.tail, c.address, c.text}
}

// checkTail asks for the object of the pending tail again.
func (s *session) checkTail(ctx context.Context) error {
	t := s.pending
	if t == nil || s.unconfirmed != nil {
		return nil
	}
	s.pending = nil
	before := &response{prefix: s.engine.metadataPrefix}
	if _, _, err := before.parse(t.text); err != nil {
		s.ledger.Doubt()
		return nil
	}
	verdict, sent, err := head.Recheck(ctx, s.engine.Session(), t.entry, &before.Result)
	s.resent += sent
	switch {
	case err != nil:
		s.pending = t // it is decided later
		return err
	case verdict == head.Own:
		s.ledger.Settle()
	case verdict == head.Foreign:
		s.ledger.Doubt()
		head.DistrustReuse(s.engine.store, t.address, s.engine.log)
	default:
		s.ledger.Doubt()
	}
	return nil
}

// keepLast keeps the last of the received answers that has an object. The answers of a burst vouch for those before
// them, so one copy of a burst is enough.
func (s *session) keepLast() {
	c := s.conn
	for i := s.received - 1; i >= 0; i-- {
		c.last = nil
		answer := &s.scratch.responses[i]
		if !answer.hasObject() {
			continue
		}
		e := &s.claimed[s.answered+i]
		if i == s.received-1 {
			c.last = e
		}
		if c.answers+i > 0 {
			c.tail = e
		}
		c.text = append(c.text[:0], c.buf[answer.start:answer.end]...)
		return
	}
}

// keepRequestID keeps the request ID of the last answer, if the answer for e could be a copy of it.
func (c *conn) keepRequestID(e *list.Entry) {
	c.lastID = c.lastID[:0]
	if c.last == nil || head.Distinguishable(c.last, e) {
		return
	}
	for text := c.text; len(text) > 0; {
		line, size := nextLine(text)
		text = text[size:]
		const name = "x-amz-request-id:"
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			c.lastID = append(c.lastID, trimBlanks(line[len(name):])...)
			return
		}
	}
}
