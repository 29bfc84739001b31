package direct

import (
	"context"
	"net/http"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
)

// brokenBurstsMax is the number of consecutive broken bursts after which a session stops pipelining. A store that
// supports pipelining breaks a burst now and then, too.
const brokenBurstsMax = 3

// claimUpTo claims entries until n are unanswered, or until there are no more. It returns the number of claimed
// entries.
func (s *session) claimUpTo(n int) int {
	if more := s.answered + n - len(s.claimed); more > 0 {
		s.claimed = s.batch.Claim(more)
	}
	return len(s.claimed)
}

func (s *session) inFlight() int { return s.sent - s.answered }

// depth returns the number of HEADs that may be in flight now.
func (s *session) depth() int {
	if s.answered < s.serialUntil || s.brokenBursts >= brokenBurstsMax ||
		s.engine.depth > 1 && s.engine.store.Distrusts() > 0 {
		return 1
	}
	return s.engine.depth
}

// send sends a burst by one Write.
func (s *session) send(ctx context.Context) error {
	burst := s.burstSize()
	if s.conn != nil && s.answered > 0 && s.engine.limiter.Unlimited() {
		s.sentAt = s.conn.lastRead // some microseconds ago, and cheaper than time.Now
	} else {
		var err error
		if burst, err = s.engine.limiter.Wait(ctx, burst); err != nil {
			return err
		}
		s.sentAt = time.Now()
	}
	if end := s.answered + burst; end < len(s.claimed) {
		s.claimed = s.batch.Release(end)
	}
	template, err := s.ensureConn(ctx, s.sentAt)
	if err != nil {
		return err
	}
	if s.conn.single && burst > 1 { // the endpoint was distrusted after burstSize
		burst = 1
		s.claimed = s.batch.Release(s.answered + 1)
	}
	if s.conn.answers > 0 {
		s.conn.keepRequestID(&s.claimed[s.answered])
	}
	scratch := s.ensureScratch()
	scratch.out = scratch.out[:0]
	for end := s.answered + burst; s.sent < end; s.sent++ {
		e := &s.claimed[s.sent]
		scratch.out = template.appendRequest(scratch.out, e.Key, e.VersionID(), &scratch.signer)
	}
	moved, err := s.conn.setDeadline(s.sentAt, s.engine.timeout)
	if err != nil {
		return err
	}
	if moved && ctx.Err() != nil { // ctx may have ended, and interrupted the connection, before setDeadline
		return context.Cause(ctx)
	}
	return s.conn.send(scratch.out, s.engine.silentClose.Load())
}

// burstSize returns the number of HEADs that the next burst may have.
func (s *session) burstSize() int {
	end := min(s.claimUpTo(s.depth()), s.answered+s.depth())
	from, at := max(0, s.answered-1), s.answered+1
	for at < end && distinguishable(s.claimed[from:at], &s.claimed[at], s.engine.expected) {
		at++
	}
	return at - s.answered
}

// distinguishable reports whether the answer for e differs from the answers for the entries before it in the burst. The
// answer must also differ from the last answer before the burst, which may come twice. Only the ETag and the length
// tell which object an answer belongs to. Objects that share both, such as folder markers and empty files, are asked
// for one at a time. So are objects whose answers have other ETags than the LIST.
func distinguishable(before []list.Entry, e *list.Entry, expected *head.Expected) bool {
	if e.ETag == "" || expected.Of(e)&(head.HasETag|head.ETag) != 0 {
		return false
	}
	for i := range before {
		if other := &before[i]; other.Size == e.Size && other.ETag == e.ETag || other.ETag == "" {
			return false
		}
	}
	return true
}

// receive reads the answers of the burst. After an error, s.received answers are complete.
func (s *session) receive() error {
	c, n := s.conn, s.inFlight()
	for s.received < n {
		if s.closing {
			return errClosing
		}
		complete, err := c.hasHeader()
		if err != nil {
			return s.rejection(err)
		}
		if !complete {
			if err := c.read(s.received > 0, s.onWait); err != nil {
				return err
			}
			continue
		}
		r := &s.ensureScratch().responses[s.received]
		final, closing, err := c.parse(r)
		if err != nil {
			return s.rejection(err)
		}
		if !final {
			continue
		}
		r.Err, r.Unconnected, r.Address, r.Region = nil, false, c.address, c.endpoint.Region
		r.Received, r.Latency = c.lastRead, c.lastRead.Sub(s.sentAt)
		r.NewConn = c.answers+s.received == 0
		r.Compare(&s.claimed[s.answered+s.received], s.engine.expected, &c.lastAnswer)
		// Every object of a burst was listed with an ETag: see distinguishable.
		if n > 1 && (r.Mismatch || r.Status == http.StatusOK && r.Equal&head.ETag == 0) {
			return errOutOfSync
		}
		switch {
		case s.received > 0:
		case c.answers > 0 && s.isSuspicious(r):
			return errSuspect
		case c.answers == 0 && s.unconfirmed != nil && s.unconfirmed.index == s.answered:
			s.judge(r)
		}
		s.received, s.closing = s.received+1, closing
	}
	if c.hasUnread() && (n > 1 || c.answers > 0) {
		return errSurplus // any of the bytes read may be the surplus
	}
	return nil
}

// rejection returns the error for bytes that err rejects as an answer. On a reused connection they may be no answer: a
// new one shows.
func (s *session) rejection(err error) error {
	if err != errSurplus && s.conn.answers > 0 && fault.FailureOf(err).Final {
		return errOutOfSync
	}
	return err
}

// finishBurst decides about a burst that is answered, or that err ended. It delivers the received answers if they can
// be trusted. Of the others, either the first fails, or all are sent again.
func (s *session) finishBurst(err error, onResult func(*head.Result)) {
	unanswered := s.conn != nil && s.conn.answers > 0 && s.received == 0 && !s.conn.hasUnread()
	unconnected := s.conn == nil || s.conn.answers+s.received == 0 && !s.conn.hasUnread()
	n := s.inFlight()
	switch {
	case err == nil:
		if n > 1 {
			s.brokenBursts = 0
		}
		if s.conn.hasUnread() {
			s.noteSurplus()
		}
	case n == 0: // nothing was sent
		s.sent++
		s.deliverFailure(err, unconnected, onResult)
		return
	case isOutOfSync(err) || n > 1 && fault.ClassOf(err) == fault.Malformed:
		s.received = 0
		if err == errSurplus {
			s.noteSurplus()
		}
		s.resend(err)
		return
	case unanswered && isConnClosed(err):
		// The store closed a kept connection. A failure on the next connection, a new one, is final.
		if s.conn.socket.sawSilentClose() {
			s.engine.silentClose.Store(true)
		}
		s.closeConn()
		s.resent += n
		s.sent = s.answered
		return
	}
	s.deliver(onResult)
	switch {
	case s.inFlight() == 0:
	case n > 1 && !isFirstRequests(err):
		s.resend(err)
	default:
		s.closeConn()
		s.avoid = s.address
		s.deliverFailure(err, unconnected, onResult)
		s.resend(err)
	}
}

// lastVouching returns the index of the last received answer that vouches for those before it (head.Result.Vouches), -1
// if none does.
func (s *session) lastVouching() int {
	c := s.conn
	for i := s.received - 1; i >= 0; i-- {
		last := c.last
		if i > 0 {
			last = nil
			if s.scratch.responses[i-1].hasObject() {
				last = &s.claimed[s.answered+i-1]
			}
		}
		if (i > 0 || c.answers > 0) && s.scratch.responses[i].Vouches(last, &s.claimed[s.answered+i]) {
			return i
		}
	}
	return -1
}

// deliver delivers the received Results. It closes the connection if the next answer on it could not be trusted.
func (s *session) deliver(onResult func(*head.Result)) {
	c := s.conn
	drop := s.closing || c.hasUnread() || c.single
	vouching := s.lastVouching()
	s.keepLast()
	for i := range s.received {
		r := &s.scratch.responses[i].Result
		drop = drop || r.Mismatch
		if i == vouching {
			s.ledger.Settle()
		}
		s.ledger.Add(c.answers > 0)
		s.slowest = max(s.slowest, r.Latency)
		if c.failures.ShouldLeave(r.Status) && s.engine.store.EndpointCount() > 1 {
			drop, s.avoid = true, c.address
		}
		c.answers++
		s.answered++
		r.Resent, s.resent = s.resent, 0
		onResult(r)
	}
	if drop {
		s.closeConn()
	}
}

// deliverFailure delivers err as the Result of the first unanswered entry.
func (s *session) deliverFailure(err error, unconnected bool, onResult func(*head.Result)) {
	r := &s.ensureScratch().responses[0].Result
	*r = head.Result{
		Err: err, Unconnected: unconnected, Address: s.address, Region: s.engine.store.Region(), Resent: s.resent,
		Metadata: r.Metadata[:0], Headers: r.Headers[:0],
	}
	s.resent, s.unconfirmed = 0, nil
	s.answered++
	s.ledger.Add(false)
	onResult(r)
}

// resend closes the connection, so that Head sends the unanswered HEADs again, one at a time.
func (s *session) resend(err error) {
	s.closeConn()
	if s.inFlight() == 0 {
		return
	}
	if s.depth() > 1 {
		s.brokenBursts++
		s.engine.pipelineWarned.Do(func() {
			s.engine.log.Warn("pipelining failed: sending HEADs again, one at a time", "error", err)
		})
	}
	s.resent += s.inFlight()
	s.serialUntil = max(s.serialUntil, s.sent)
	s.sent = s.answered
	s.claimed = s.batch.Release(s.answered) // one at a time is slow: idle workers may split entries off
}
