package direct

import (
	"context"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

// session is one worker's connection and the burst of HEADs that is in flight on it. It keeps the Results of a burst
// until all are there: only then it knows that the store sent neither more answers nor other ones.
type session struct {
	engine      *engine
	conn        *conn // nil: none is open
	interrupter interrupter
	readBuf     []byte // the read buffer of the next conn; nil while there is a conn

	// Where the session connects.
	turn        int            // sequence number of the next connection: it spreads sessions among the endpoints
	address     *store.Address // of the connection, or of the last one; nil: there was none
	avoid       *store.Address // the next connection should go elsewhere; nil: it may go anywhere
	loadChecked time.Time      // time of the last check whether address is overloaded
	generation  uint64         // of the Store, at the last check whether the connection is still right
	templates   *latestTemplate

	// The batch. Its entries before answered have their Result; those from answered to sent are in flight.
	batch          *head.Batch
	claimed        []list.Entry // of the batch
	answered, sent int
	serialUntil    int // entries before this index are sent one at a time
	resent         int // HEADs sent again since the last Result

	// The burst in flight.
	sentAt   time.Time
	scratch  *scratch // nil while the session waits for the store and has received no answer of the burst
	onWait   func()   // the method releaseScratch; made once, since a method value allocates
	received int      // answers of the burst that are complete
	closing  bool     // the store closes the connection after them

	brokenBursts int // consecutive bursts that failed because of pipelining

	// Which Results are final: see doubt.go.
	ledger      head.Ledger
	slowest     time.Duration // the longest latency of the batch
	pending     *tail         // nil: there is none
	unconfirmed *unconfirmed  // nil: the last answer is not suspicious
}

func (s *session) Head(ctx context.Context, batch *head.Batch, onResult func(*head.Result)) error {
	if batch.Avoid != nil {
		s.avoid = batch.Avoid
	}
	s.interrupter.watch(ctx)
	s.ledger.Begin(s.engine.store.Distrusts())
	if err := s.readyConn(ctx, batch.NewConn); err != nil {
		return err
	}
	s.batch, s.answered, s.sent, s.serialUntil = batch, 0, 0, 0
	s.claimed = batch.Claim(0)
	s.slowest = 0
	defer s.releaseScratch()
	for s.claimUpTo(1) > s.answered {
		if s.pending != nil {
			if err := s.checkTail(ctx); err != nil {
				return err
			}
		}
		s.received, s.closing = 0, false
		err := s.send(ctx)
		if err == nil {
			err = s.receive()
		}
		if err != nil && ctx.Err() != nil {
			s.closeConn()
			return context.Cause(ctx)
		}
		s.finishBurst(err, onResult)
	}
	s.unconfirmed = nil // its entry was split off
	return s.checkTail(ctx)
}

// readyConn closes the connection before a batch, if it cannot be used for the batch.
func (s *session) readyConn(ctx context.Context, needsNew bool) error {
	if s.conn == nil {
		return nil
	}
	if needsNew || s.shouldMove() {
		return s.retire(ctx)
	}
	if s.conn.peek.readable() {
		s.inspect(time.Now().Add(inspectTimeout))
	}
	return nil
}

func (s *session) Close() {
	s.closeConn()
	s.interrupter.stop()
}

// ensureScratch returns the session's scratch. It takes one from the engine if the session has none.
func (s *session) ensureScratch() *scratch {
	if s.scratch == nil {
		s.scratch = s.engine.scratches.Get().(*scratch)
	}
	return s.scratch
}

// releaseScratch returns the scratch to the engine, for other sessions.
func (s *session) releaseScratch() {
	if s.scratch != nil {
		s.engine.scratches.Put(s.scratch)
		s.scratch = nil
	}
}
