package direct

import (
	"context"
	"net/http"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
)

// brokenBurstsMax is after how many broken bursts in a row a session leaves pipelining: a store that bears it breaks one
// now and then.
const brokenBurstsMax = 3

// claimUpTo claims entries until there are n that were not answered yet, or all there are, and returns how many are claimed.
func (s *session) claimUpTo(n int) int {
	if more := s.answered + n - len(s.claimed); more > 0 {
		s.claimed = s.batch.Claim(more)
	}
	return len(s.claimed)
}

func (s *session) inFlight() int { return s.sent - s.answered }

// depth is how many HEADs a burst may have now.
func (s *session) depth() int {
	if s.answered < s.serialUntil || s.brokenBursts >= brokenBurstsMax {
		return 1
	}
	return s.engine.depth
}

// send sends a burst by one Write.
func (s *session) send(ctx context.Context) error {
	burst := s.burstSize()
	if s.conn != nil && s.answered > 0 && s.engine.limiter.Unlimited() {
		s.sentAt = s.conn.lastRead // some microseconds ago: cheaper than to ask what time it is
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
	d := s.ensureScratch()
	d.out = d.out[:0]
	for end := s.answered + burst; s.sent < end; s.sent++ {
		d.out = template.appendRequest(d.out, s.claimed[s.sent].Key, &d.signer)
	}
	moved, err := s.conn.setDeadline(s.sentAt, s.engine.timeout)
	if err != nil {
		return err
	}
	if moved && ctx.Err() != nil { // its end may have come before
		return context.Cause(ctx)
	}
	return s.conn.send(d.out, s.engine.silentClose.Load())
}

// burstSize is how many HEADs the next burst may have.
func (s *session) burstSize() int {
	end := min(s.claimUpTo(s.depth()), s.answered+s.depth())
	at := s.answered + 1
	for at < end && s.distinguishable(at) {
		at++
	}
	return at - s.answered
}

// distinguishable says whether the answer to an entry can be told from those of the burst before it, and from the last one, should
// that come twice. Nothing but its ETag and length says whose an answer is; objects that are alike in both, as folder
// markers and empty files are, are asked for one at a time.
func (s *session) distinguishable(at int) bool {
	e := &s.claimed[at]
	for i := max(0, s.answered-1); i < at; i++ {
		if other := &s.claimed[i]; other.ETag == "" || other.Size == e.Size && other.ETag == e.ETag {
			return false
		}
	}
	return e.ETag != ""
}

// receive reads the answers to the burst. What it has read when it fails is held.
func (s *session) receive() error {
	c, n := s.conn, s.inFlight()
	for s.received < n {
		if s.closing {
			return errClosing
		}
		whole, err := c.hasHeader()
		if err != nil {
			return err
		}
		if !whole {
			if err := c.read(s.received > 0, s.onWait); err != nil {
				return err
			}
			continue
		}
		r := &s.ensureScratch().responses[s.received]
		final, closing, err := c.parse(r)
		if err != nil {
			return err
		}
		if !final {
			continue
		}
		r.Err, r.Address, r.Region, r.Received, r.Latency = nil, c.address, c.endpoint.Region, c.lastRead, c.lastRead.Sub(s.sentAt)
		e := &s.claimed[s.answered+s.received]
		isTagged := r.Compare(e) // each in a burst was listed with an ETag
		if n > 1 && (r.Mismatch || r.Status == http.StatusOK && !isTagged) {
			return errOutOfSync
		}
		s.received, s.closing = s.received+1, closing
	}
	if c.hasUnread() && (n > 1 || c.answered > 0) {
		return errSurplus // which of them are the answers?
	}
	return nil
}

// finishBurst decides what becomes of the burst: what is held is handed on, if it can be believed, and of the others the first
// has failed, or all are sent again.
func (s *session) finishBurst(err error, each func(*head.Result)) {
	untouched := s.conn != nil && s.conn.answered > 0 && s.received == 0 && !s.conn.hasUnread()
	n := s.inFlight()
	switch {
	case err == nil:
		if n > 1 {
			s.brokenBursts = 0
		}
	case n == 0: // nothing was sent
		s.sent++
		s.deliverFailure(err, each)
		return
	case isOutOfSync(err) || n > 1 && fault.ClassOf(err) == fault.Malformed:
		s.received = 0
		s.resend(err)
		return
	case untouched && isConnClosed(err): // the store closed it as it was used again: the next one is new, and fails for good
		if s.conn.socket.sawSilentClose() {
			s.engine.silentClose.Store(true)
		}
		s.closeConn()
		s.resent += n
		s.sent = s.answered
		return
	}
	s.deliver(each)
	switch {
	case s.inFlight() == 0:
	case n > 1 && !isFirstRequests(err):
		s.resend(err)
	default:
		s.closeConn()
		s.avoid = s.address
		s.deliverFailure(err, each)
		s.resend(err)
	}
}

// deliver hands on the results that are held, and drops the connection if another answer on it could not be believed.
func (s *session) deliver(each func(*head.Result)) {
	c := s.conn
	drop := s.closing || c.hasUnread()
	for i := range s.received {
		r := &s.scratch.responses[i].Result
		drop = drop || r.Mismatch
		if c.refusals.ShouldLeave(r.Status) && s.engine.store.EndpointCount() > 1 {
			drop, s.avoid = true, c.address
		}
		c.answered++
		s.answered++
		r.Resent, s.resent = s.resent, 0
		each(r)
	}
	if drop {
		s.closeConn()
	}
}

// deliverFailure hands on the failure of the entry whose answer is next.
func (s *session) deliverFailure(err error, each func(*head.Result)) {
	r := &s.ensureScratch().responses[0].Result
	*r = head.Result{
		Err: err, Address: s.address, Region: s.engine.store.Region(), Resent: s.resent,
		Metadata: r.Metadata[:0], Headers: r.Headers[:0],
	}
	s.resent = 0
	s.answered++
	each(r)
}

// resend drops the connection and lets what is in flight on it be sent again, one at a time.
func (s *session) resend(because error) {
	s.closeConn()
	if s.inFlight() == 0 {
		return
	}
	if s.depth() > 1 {
		s.brokenBursts++
		s.engine.pipelineWarned.Do(func() {
			s.engine.log.Warn("HEADs that were pipelined are sent again, one at a time", "because", because)
		})
	}
	s.resent += s.inFlight()
	s.serialUntil = max(s.serialUntil, s.sent)
	s.sent = s.answered
	s.claimed = s.batch.Release(s.answered) // one after the other they take long: whoever has time may take some
}
