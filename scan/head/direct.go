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
	limiter *pace.Limiter
	timeout time.Duration // of a whole HEAD
	depth   int
	log     *slog.Logger

	sessions atomic.Int64 // that were made: they begin with different endpoints
	abrupt   atomic.Bool  // the store ends connections between two HEADs and is silent then: every read tries first (see socket)
	told     sync.Once    // that the store does not bear pipelining
	desks    sync.Pool    // of *desk
	forms    sync.Map     // of *sharedForm, by *store.Route
}

// desk is what a Session works with from one wait to the next. Hundreds of Sessions wait while a few work: they take turns
// at a few desks, which stay in the processor's cache.
type desk struct {
	signer  signer
	out     []byte   // the requests of the burst
	results []Result // of the burst
}

// form is a template, and when it is of use.
type form struct {
	*template
	second   int64     // Unix time that it was made for
	revision uint64    // of the Store, then
	expiry   time.Time // of its credentials; zero: they outlive it
}

// sharedForm is the latest form for a Route.
type sharedForm struct{ atomic.Pointer[form] }

func newDirect(cfg Config) *direct {
	e := &direct{store: cfg.Store, limiter: cfg.Limiter, timeout: cfg.Timeout, depth: max(1, cfg.Pipeline), log: cfg.Log}
	e.desks.New = func() any { return &desk{signer: newSigner(), results: make([]Result, e.depth)} }
	return e
}

func (e *direct) Name() string { return DirectName }

// Session returns a Session that will open a connection of its own.
func (e *direct) Session() Session {
	s := &directSession{engine: e, turn: int(e.sessions.Add(1)) - 1}
	s.leaves = s.leave
	return s
}

// directSession is a worker's connection and the burst of HEADs that is in flight on it: of the batch those from answered
// to asked. Their answers are held until all are there, since only then is it sure that the store did not send more of
// them, or others.
type directSession struct {
	engine *direct
	turn   int // which endpoint is next
	conn   *conn
	fresh  bool // the next Head wants a new connection
	ending ending

	at     *store.Address // where the connection goes, or the last one went; nil: there was none
	avoid  *store.Address // where the next one is not to go; nil: anywhere
	looked time.Time      // when it was last looked whether the connection has too many beside it

	forms    *sharedForm // for the connection's Route
	revision uint64      // of the Store, when it was last looked whether the connection is still right

	batch           *Batch
	claimed         []list.Entry // of the batch
	answered, asked int
	sent            time.Time // when the burst was
	desk            *desk     // nil while it waits for an answer, unless there are held ones
	leaves          func()    // leave, made once
	held            int       // results that are there
	closing         bool      // the store closes the connection after them
	alone           int       // entries before this one are sent one at a time
	broken          int       // bursts in a row that pipelining broke
	lost            int       // HEADs sent for nothing since the last that was handed on

	in []byte // the read buffer, while there is no connection
}

// sit sees to it that there is a desk.
func (s *directSession) sit() *desk {
	if s.desk == nil {
		s.desk = s.engine.desks.Get().(*desk)
	}
	return s.desk
}

// leave lets another Session have the desk.
func (s *directSession) leave() {
	if s.desk != nil {
		s.engine.desks.Put(s.desk)
		s.desk = nil
	}
}

func (s *directSession) Fresh()                 { s.fresh = true }
func (s *directSession) Avoid(a *store.Address) { s.avoid = a }

func (s *directSession) Close() {
	s.hangUp()
	s.ending.forget()
}

func (s *directSession) Head(ctx context.Context, batch *Batch, each func(*Result)) error {
	if s.conn != nil && (s.fresh || s.moves() || s.conn.peek.anything()) {
		s.hangUp()
	}
	s.fresh = false
	s.ending.follow(ctx)
	s.batch, s.answered, s.asked, s.alone = batch, 0, 0, 0
	s.claimed = batch.Claim(0)
	defer s.leave()
	for s.claim(1) > s.answered {
		s.held, s.closing = 0, false
		err := s.send(ctx)
		if err == nil {
			err = s.receive()
		}
		if err != nil && ctx.Err() != nil {
			s.hangUp()
			return context.Cause(ctx)
		}
		s.settle(err, each)
	}
	return nil
}
