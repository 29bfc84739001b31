package direct

import (
	"context"
	"time"

	"headcount/scan/head"
)

// peekIdle is the time without a read after which a session checks its connection for unexpected bytes. The check
// costs a tenth of a HEAD. After a shorter time, bytes that belong to no request show in the next answer.
const peekIdle = time.Millisecond

// shouldMove reports whether the next HEAD should go to another address: this one is to be avoided, or it is
// overloaded.
func (s *session) shouldMove() bool {
	st, c := s.engine.store, s.conn
	if s.avoid != nil && st.EndpointCount() > 1 && c.address.SameEndpoint(s.avoid) {
		return true
	}
	s.avoid = nil
	if c.lastRead.Sub(s.loadChecked) < head.LoadCheckInterval {
		return false
	}
	s.loadChecked = c.lastRead
	return st.Overloaded(c.address)
}

// ensureConn makes sure that there is a usable connection, and returns the template of the requests sent over it now.
func (s *session) ensureConn(ctx context.Context, now time.Time) (*requestTemplate, error) {
	st := s.engine.store
	if generation := st.Generation(); generation != s.generation {
		s.generation = generation
		if err := s.leaveStaleConn(ctx); err != nil {
			return nil, err
		}
	}
	switch c := s.conn; {
	case c == nil:
	case c.expired(now):
		if err := s.retire(ctx); err != nil {
			return nil, err
		}
	case now.Sub(c.lastRead) > peekIdle && c.peek.readable():
		s.inspect(now.Add(inspectTimeout))
	}
	if err := s.checkTail(ctx); err != nil {
		return nil, err
	}
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return nil, err
		}
	}
	t := s.templates.Load()
	if t != nil && t.generation == s.generation && t.validAt(now) {
		return t, nil
	}
	return s.buildTemplate(ctx, now, t)
}

// leaveStaleConn closes a connection that may not be used any more, by the Store's new Generation.
func (s *session) leaveStaleConn(ctx context.Context) error {
	switch st := s.engine.store; {
	case s.conn == nil:
	case st.ReuseDistrusted(s.conn.endpoint):
		s.ledger.Doubt()
		s.closeConn()
	case !st.IsCurrent(s.conn.endpoint):
		return s.retire(ctx)
	}
	return nil
}

func (s *session) connect(ctx context.Context) error {
	st := s.engine.store
	s.batch.BeginSending()
	endpoint := st.PickEndpoint(s.turn, s.avoid)
	s.turn++
	s.address = st.Address(endpoint, nil)
	ctx, cancel := context.WithTimeout(ctx, s.engine.timeout)
	defer cancel()
	if len(s.readBuf) == 0 {
		s.readBuf = make([]byte, max(readBufferMin, answerBytes*s.engine.depth))
	}
	c, err := dial(ctx, st, endpoint, s.avoid, s.readBuf)
	if err != nil {
		st.ObserveFailure(endpoint, err)
		return err
	}
	c.address.CountOpened()
	c.single = st.ReuseDistrusted(endpoint)
	st.Acquire(c.address)
	s.conn, s.address, s.avoid, s.readBuf, s.loadChecked = c, c.address, nil, nil, c.lastRead
	latest, _ := s.engine.templates.LoadOrStore(c.route, new(latestTemplate))
	s.templates = latest.(*latestTemplate)
	s.interrupter.setConn(c)
	return nil
}

// buildTemplate makes the template for the second of now, and stores it for all sessions of the Route. previous may
// be nil.
func (s *session) buildTemplate(
	ctx context.Context, now time.Time, previous *requestTemplate,
) (*requestTemplate, error) {
	st := s.engine.store
	credentials, err := st.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	t := newTemplate(previous, s.conn.route, &credentials, s.engine.headers, now.Add(st.Skew()))
	t.second, t.generation = now.Unix(), s.generation
	// Credentials that have expired already do not limit the template: there are no better ones.
	if credentials.CanExpire && credentials.Expires.After(now) && credentials.Expires.Before(now.Add(2*time.Second)) {
		t.expiry = credentials.Expires
	}
	s.templates.Store(t)
	return t, nil
}

// closeConn closes the connection, if there is one. The session keeps its read buffer.
func (s *session) closeConn() {
	if s.conn == nil {
		return
	}
	s.keepTail()
	s.interrupter.setConn(nil)
	s.engine.store.Release(s.conn.address)
	s.conn.Close()
	s.readBuf, s.conn = s.conn.buf, nil
}
