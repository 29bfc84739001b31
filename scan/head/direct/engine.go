// Package direct is the engine that signs requests and speaks HTTP/1.1 by itself.
package direct

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// direct is the engine that signs and speaks HTTP/1.1 by itself, over connections that its Sessions own, one each. A HEAD
// costs it little more than the system calls. It goes where the SDK's endpoint resolution says (store.Route).
//
// With a depth over one, that many HEADs are in flight on a connection (pipelining, RFC 9112 §9.3.2). A store that does
// not bear it closes the connection or answers out of step; what was not answered then is sent again, one at a time.
type engine struct {
	store   *store.Store
	limiter *pace.Limiter
	timeout time.Duration // of a whole HEAD
	depth   int
	log     *slog.Logger

	sessions       atomic.Int64 // that were made: they begin with different endpoints
	silentClose    atomic.Bool  // the store ends connections between two HEADs and is silent then: every read tries first (see socket)
	pipelineWarned sync.Once    // that the store does not bear pipelining
	scratches      sync.Pool    // of *desk
	templates      sync.Map     // of *latestTemplate, by *store.Route
}

// scratch is what a Session works with from one wait to the next. Hundreds of Sessions wait while a few work: they take turns
// at a few desks, which stay in the processor's cache.
type scratch struct {
	signer    signer
	out       []byte     // the requests of the burst
	responses []response // of the burst
}

// Name is the engine's name.
const Name = "direct"

// New returns the engine. Only the SDK can send the requests of a Store whose DirectUnsupported is not nil.
func New(cfg head.Config) head.Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &engine{store: cfg.Store, limiter: cfg.Limiter, timeout: cfg.Timeout, depth: max(1, cfg.Pipeline), log: cfg.Log}
	e.scratches.New = func() any { return &scratch{signer: newSigner(), responses: make([]response, e.depth)} }
	return e
}

func (e *engine) Name() string { return Name }

// Session returns a Session that will open a connection of its own.
func (e *engine) Session() head.Session {
	s := &session{engine: e, turn: int(e.sessions.Add(1)) - 1}
	s.onWait = s.releaseScratch
	return s
}

// directSession is a worker's connection and the burst of HEADs that is in flight on it: of the batch those from answered
// to asked. Their answers are held until all are there, since only then is it sure that the store did not send more of
// them, or others.
type session struct {
	engine    *engine
	turn      int // which endpoint is next
	conn      *conn
	ctxCloser ctxCloser

	address     *store.Address // where the connection goes, or the last one went; nil: there was none
	avoid       *store.Address // where the next one is not to go; nil: anywhere
	loadChecked time.Time      // when it was last looked whether the connection has too many beside it

	templates  *latestTemplate // for the connection's Route
	generation uint64          // of the Store, when it was last looked whether the connection is still right

	batch          *head.Batch
	claimed        []list.Entry // of the batch
	answered, sent int
	sentAt         time.Time // when the burst was
	scratch        *scratch  // nil while it waits for an answer, unless there are held ones
	onWait         func()    // leave, made once
	received       int       // results that are there
	closing        bool      // the store closes the connection after them
	serialUntil    int       // entries before this one are sent one at a time
	brokenBursts   int       // bursts in a row that pipelining broke
	resent         int       // HEADs sent for nothing since the last that was handed on

	readBuf []byte // the read buffer, while there is no connection
}

// ensureScratch sees to it that there is a desk.
func (s *session) ensureScratch() *scratch {
	if s.scratch == nil {
		s.scratch = s.engine.scratches.Get().(*scratch)
	}
	return s.scratch
}

// releaseScratch lets another Session have the desk.
func (s *session) releaseScratch() {
	if s.scratch != nil {
		s.engine.scratches.Put(s.scratch)
		s.scratch = nil
	}
}

func (s *session) Close() {
	s.closeConn()
	s.ctxCloser.stop()
}

func (s *session) Head(ctx context.Context, batch *head.Batch, each func(*head.Result)) error {
	if batch.Avoid != nil {
		s.avoid = batch.Avoid
	}
	if s.conn != nil && (batch.NewConn || s.shouldMove() || s.conn.peek.readable()) {
		s.closeConn()
	}
	s.ctxCloser.watch(ctx)
	s.batch, s.answered, s.sent, s.serialUntil = batch, 0, 0, 0
	s.claimed = batch.Claim(0)
	defer s.releaseScratch()
	for s.claimUpTo(1) > s.answered {
		s.received, s.closing = 0, false
		err := s.send(ctx)
		if err == nil {
			err = s.receive()
		}
		if err != nil && ctx.Err() != nil {
			s.closeConn()
			return context.Cause(ctx)
		}
		s.finishBurst(err, each)
	}
	return nil
}
