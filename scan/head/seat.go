package head

import (
	"context"
	"time"
)

// lookEvery is how often a session looks whether it should move: as often as the addresses are compared.
const lookEvery = time.Second

// moves says whether the next HEAD is to go elsewhere: what is asked was refused here, or there are too many for what the address bears.
func (s *directSession) moves() bool {
	st, c := s.engine.store, s.conn
	if s.avoid != nil && st.EndpointCount() > 1 && c.at.SameEndpoint(s.avoid) {
		return true
	}
	s.avoid = nil
	if c.lastRead.Sub(s.looked) < lookEvery {
		return false
	}
	s.looked = c.lastRead
	return st.Overloaded(c.at)
}

// peekAfter is how long nothing was read when it is looked again whether the store has said something: it costs a tenth of
// a HEAD, and for less time the answers themselves must tell.
const peekAfter = time.Millisecond

// ready makes a connection, and returns the form of requests that are sent over it now.
func (s *directSession) ready(ctx context.Context, now time.Time) (*form, error) {
	st := s.engine.store
	if revision := st.Generation(); revision != s.revision {
		s.revision = revision
		if s.conn != nil && !st.IsCurrent(s.conn.sender) {
			s.hangUp()
		}
	}
	if s.conn != nil && (s.conn.stale(now) || now.Sub(s.conn.lastRead) > peekAfter && s.conn.peek.anything()) {
		s.hangUp()
	}
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return nil, err
		}
	}
	f := s.forms.Load()
	// Another Session's second may have begun already.
	if f != nil && f.revision == s.revision && (f.second == now.Unix() || f.second == now.Unix()+1) && (f.expiry.IsZero() || now.Before(f.expiry)) {
		return f, nil
	}
	return s.prepare(ctx, now, f)
}

func (s *directSession) connect(ctx context.Context) error {
	st := s.engine.store
	sender := st.PickEndpoint(s.turn, s.avoid)
	s.turn++
	s.at = st.Address(sender, nil)
	ctx, cancel := context.WithTimeout(ctx, s.engine.timeout)
	defer cancel()
	if len(s.in) == 0 {
		s.in = make([]byte, max(readBufferMin, answerBytes*s.engine.depth))
	}
	c, err := dialApart(ctx, st, sender, s.avoid, s.in)
	if err != nil {
		st.ObserveFailure(sender, err)
		return err
	}
	c.at.CountOpened()
	st.Acquire(c.at)
	s.conn, s.at, s.avoid, s.in, s.looked = c, c.at, nil, nil, c.lastRead
	shared, _ := s.engine.forms.LoadOrStore(c.route, new(sharedForm))
	s.forms = shared.(*sharedForm)
	s.ending.guard(c)
	return nil
}

// prepare makes the form for the second in which now lies. The one before may be nil.
func (s *directSession) prepare(ctx context.Context, now time.Time, before *form) (*form, error) {
	st := s.engine.store
	credentials, err := st.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	f := &form{second: now.Unix(), revision: s.revision}
	// Those that have expired already are the best there are.
	if credentials.CanExpire && credentials.Expires.After(now) && credentials.Expires.Before(now.Add(2*time.Second)) {
		f.expiry = credentials.Expires
	}
	var last *template
	if before != nil {
		last = before.template
	}
	f.template = newTemplate(last, s.conn.route, &credentials, string(st.RequestPayer()), now.Add(st.Skew()))
	s.forms.Store(f)
	return f, nil
}

func (s *directSession) hangUp() {
	if s.conn == nil {
		return
	}
	s.ending.guard(nil)
	s.engine.store.Release(s.conn.at)
	s.conn.Close()
	s.in, s.conn = s.conn.in, nil
}
