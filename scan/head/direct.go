package head

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// direct is the engine that signs and speaks HTTP/1.1 by itself, over connections that its Sessions own, one each. A HEAD
// costs it little more than the system calls. It goes where the SDK's endpoint resolution says (store.Route).
//
// With a depth over one, that many HEADs are in flight on a connection (pipelining, RFC 9112 §9.3.2). A store that does
// not bear it closes the connection or answers out of step; what was not answered then is sent again, one at a time.
type direct struct {
	store   *store.Store
	gate    *pace.Gate
	timeout time.Duration // of a whole HEAD
	depth   int
	log     *slog.Logger

	sessions atomic.Int64 // that were made: they begin with different endpoints
	told     sync.Once    // that the store does not bear pipelining
}

func newDirect(cfg Config) *direct {
	return &direct{store: cfg.Store, gate: cfg.Gate, timeout: cfg.Timeout, depth: max(1, cfg.Pipeline), log: cfg.Log}
}

func (e *direct) Name() string { return DirectName }

// Session returns a Session that will open a connection of its own.
func (e *direct) Session() Session {
	return &directSession{engine: e, turn: int(e.sessions.Add(1)) - 1, sent: make([]time.Time, e.depth)}
}

// pipelineTries is after how many broken connections in a row a session leaves pipelining: a store that bears it breaks
// one now and then.
const pipelineTries = 3

// directSession is a worker's connection and what is in flight on it.
//
// Of the batch, the entries before answered have been handed on, and those from there to asked are in flight.
type directSession struct {
	engine *direct
	turn   int // which endpoint is next
	conn   *conn
	fresh  bool // the next Head wants a new connection
	ending ending

	form     template
	second   int64  // Unix time that form was made for
	revision uint64 // of the Store, when conn was opened

	batch           []list.Entry
	answered, asked int
	first           int         // that was sent when nothing was in flight
	sent            []time.Time // when each that is in flight was, by its index modulo the depth
	alone           int         // entries before this one are sent one at a time
	broken          int         // connections in a row that pipelining broke

	out    []byte // the requests of one Write
	in     []byte // the read buffer, while there is no connection
	result Result
}

func (s *directSession) Fresh() { s.fresh = true }

func (s *directSession) Close() {
	s.hangUp()
	s.ending.forget()
}

func (s *directSession) Head(ctx context.Context, batch []list.Entry, each func(*Result)) error {
	if s.fresh {
		s.fresh = false
		s.hangUp()
	}
	s.ending.follow(ctx)
	s.batch, s.answered, s.asked, s.first, s.alone = batch, 0, 0, 0, 0
	for s.answered < len(batch) {
		err := s.send(ctx)
		if err == nil {
			err = s.receive(each)
		}
		if ctx.Err() != nil {
			s.hangUp()
			return context.Cause(ctx)
		}
		if err != nil {
			s.fail(err, each)
		}
	}
	return nil
}

func (s *directSession) inFlight() int { return s.asked - s.answered }

// depth is how many HEADs may be in flight now.
func (s *directSession) depth() int {
	if s.answered < s.alone || s.broken >= pipelineTries {
		return 1
	}
	return s.engine.depth
}

// send sends as many HEADs as may be in flight, by one Write, once half of them are answered.
func (s *directSession) send(ctx context.Context) error {
	depth := s.depth()
	if s.inFlight() > depth/2 || s.asked == len(s.batch) {
		return nil
	}
	if s.inFlight() > 0 {
		if !s.engine.gate.Open() {
			return nil // those are read before the wait
		}
	} else if err := s.engine.gate.Wait(ctx); err != nil {
		return err
	}
	now := time.Now()
	if ready, err := s.ready(ctx, now); err != nil || !ready {
		return err
	}
	if s.inFlight() == 0 {
		s.first = s.asked
	}
	s.out = s.out[:0]
	for end := min(len(s.batch), s.answered+depth); s.asked < end; s.asked++ {
		s.out = s.form.append(s.out, s.batch[s.asked].Key)
		s.sent[s.asked%len(s.sent)] = now
	}
	if err := s.conn.extend(now, s.engine.timeout); err != nil {
		return err
	}
	if ctx.Err() != nil { // its end may have come before the deadline was moved
		return context.Cause(ctx)
	}
	_, err := s.conn.Write(s.out)
	return err
}

// ready makes a connection and a form for requests that are sent now; false: what is in flight must be answered before.
func (s *directSession) ready(ctx context.Context, now time.Time) (bool, error) {
	revision := s.engine.store.Revision()
	if s.conn != nil && (revision != s.revision || s.conn.stale(now)) {
		if s.inFlight() > 0 {
			return false, nil
		}
		s.hangUp()
	}
	if s.conn == nil {
		s.revision = revision
		if err := s.connect(ctx); err != nil {
			return false, err
		}
	} else if now.Unix() == s.second {
		return true, nil
	}
	return true, s.prepare(ctx, now)
}

func (s *directSession) connect(ctx context.Context) error {
	st := s.engine.store
	sender := st.Sender(s.turn)
	s.turn++
	ctx, cancel := context.WithTimeout(ctx, s.engine.timeout)
	defer cancel()
	if len(s.in) == 0 {
		s.in = make([]byte, max(readBufferMin, answerBytes*s.engine.depth))
	}
	c, err := dial(ctx, st, sender, s.in)
	if err != nil {
		st.Failed(sender, err)
		return err
	}
	s.conn, s.in = c, nil
	s.second = 0 // the form may be for another endpoint
	s.ending.guard(c)
	return nil
}

// prepare makes the form for the second in which now lies.
func (s *directSession) prepare(ctx context.Context, now time.Time) error {
	st := s.engine.store
	credentials, err := st.Credentials(ctx)
	if err != nil {
		return err
	}
	s.form.prepare(s.conn.route, &credentials, string(st.RequestPayer()), now.Add(st.Skew()))
	s.second = now.Unix()
	return nil
}

// receive reads until there is an answer, and hands on all that are there then.
func (s *directSession) receive(each func(*Result)) error {
	for c, got := s.conn, false; s.conn == c && s.inFlight() > 0; {
		whole, err := c.whole()
		switch {
		case err != nil:
			return err
		case whole:
			final, closing, err := c.take(&s.result)
			if err != nil {
				return err
			}
			if !final {
				continue
			}
			got = true
			if err := s.handOn(closing, each); err != nil {
				return err
			}
		case got:
			return nil
		default:
			if err := c.fill(); err != nil {
				return err
			}
		}
	}
	return nil
}

// handOn hands on the answer to the HEAD that was sent first, unless it may be another's.
func (s *directSession) handOn(closing bool, each func(*Result)) error {
	c, r, e := s.conn, &s.result, &s.batch[s.answered]
	last := s.inFlight() == 1
	r.compare(e)
	surplus := last && c.untaken()
	switch {
	case r.Unlike && !last:
		return errOutOfStep
	case surplus && c.answers > 0:
		return errSurplus // which of the two is the answer?
	}
	r.Err, r.SentTo, r.Received = nil, c.sender.Region, c.lastRead
	r.Latency = r.Received.Sub(s.sent[s.answered%len(s.sent)])
	c.answers++
	if s.answered > s.first {
		s.broken = 0 // it was sent behind another one
	}
	s.answered++
	each(r)
	if closing || surplus || r.Unlike {
		s.hangUp()
		s.sendAgain()
	}
	return nil
}

// sendAgain gives up what is in flight on a connection that is no more, if anything is: it will be sent one at a time.
func (s *directSession) sendAgain() {
	if s.inFlight() > 0 && s.asked-s.first > 1 {
		s.broken++
		s.engine.told.Do(func() {
			s.engine.log.Warn("the store does not answer all HEADs that are pipelined; the others are sent again, one at a time")
		})
	}
	s.alone = max(s.alone, s.asked)
	s.asked = s.answered
}

// fail drops the connection that something was sent over, and decides whose failure it was: that of the HEAD which was
// sent first, or nobody's.
func (s *directSession) fail(err error, each func(*Result)) {
	untouched := s.conn != nil && s.conn.answers > 0 && !s.conn.untaken()
	if s.inFlight() > 0 {
		s.hangUp()
	}
	switch {
	case untouched && s.inFlight() > 0 && isDead(err) && (s.answered == s.first || s.inFlight() == 1):
		s.asked = s.answered // the store closed it as it was used again: the next one is new, and fails for good
		return
	case s.inFlight() > 1 && !isOwn(err), err == errSurplus:
		s.sendAgain()
		return
	}
	s.asked = max(s.asked, s.answered+1)
	s.answered++
	s.sendAgain()
	s.result = Result{Err: err, SentTo: s.engine.store.Region(), Metadata: s.result.Metadata[:0], Headers: s.result.Headers[:0]}
	each(&s.result)
}

func (s *directSession) hangUp() {
	if s.conn == nil {
		return
	}
	s.ending.guard(nil)
	s.conn.Close()
	s.in, s.conn = s.conn.in, nil
}
