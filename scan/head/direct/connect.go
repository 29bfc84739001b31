package direct

import (
	"context"
	"time"

	"headcount/scan/head"
)

// shouldMove says whether the next HEAD is to go elsewhere: what is asked was refused here, or there are too many for what the address bears.
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

// peekIdle is how long nothing was read when it is looked again whether the store has said something: it costs a tenth of
// a HEAD, and for less time the answers themselves must tell.
const peekIdle = time.Millisecond

// ensureConn makes a connection, and returns the form of requests that are sent over it now.
func (s *session) ensureConn(ctx context.Context, now time.Time) (*requestTemplate, error) {
	st := s.engine.store
	if revision := st.Generation(); revision != s.generation {
		s.generation = revision
		if s.conn != nil && !st.IsCurrent(s.conn.endpoint) {
			s.closeConn()
		}
	}
	if s.conn != nil && (s.conn.expired(now) || now.Sub(s.conn.lastRead) > peekIdle && s.conn.peek.readable()) {
		s.closeConn()
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

func (s *session) connect(ctx context.Context) error {
	st := s.engine.store
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
	st.Acquire(c.address)
	s.conn, s.address, s.avoid, s.readBuf, s.loadChecked = c, c.address, nil, nil, c.lastRead
	shared, _ := s.engine.templates.LoadOrStore(c.route, new(latestTemplate))
	s.templates = shared.(*latestTemplate)
	s.ctxCloser.set(c)
	return nil
}

// buildTemplate makes the form for the second in which now lies. The one before may be nil.
func (s *session) buildTemplate(ctx context.Context, now time.Time, before *requestTemplate) (*requestTemplate, error) {
	st := s.engine.store
	credentials, err := st.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	t := newTemplate(before, s.conn.route, &credentials, string(st.RequestPayer()), now.Add(st.Skew()))
	t.second, t.generation = now.Unix(), s.generation
	// Those that have expired already are the best there are.
	if credentials.CanExpire && credentials.Expires.After(now) && credentials.Expires.Before(now.Add(2*time.Second)) {
		t.expiry = credentials.Expires
	}
	s.templates.Store(t)
	return t, nil
}

func (s *session) closeConn() {
	if s.conn == nil {
		return
	}
	s.ctxCloser.set(nil)
	s.engine.store.Release(s.conn.address)
	s.conn.Close()
	s.readBuf, s.conn = s.conn.buf, nil
}
