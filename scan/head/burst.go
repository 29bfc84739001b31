package head

import (
	"context"
	"net/http"
	"time"

	"headcount/scan/fault"
)

// pipelineTries is after how many broken bursts in a row a session leaves pipelining: a store that bears it breaks one
// now and then.
const pipelineTries = 3

// claim claims entries until there are n that were not answered yet, or all there are, and returns how many are claimed.
func (s *directSession) claim(n int) int {
	if more := s.answered + n - len(s.claimed); more > 0 {
		s.claimed = s.batch.Claim(more)
	}
	return len(s.claimed)
}

func (s *directSession) inFlight() int { return s.asked - s.answered }

// depth is how many HEADs a burst may have now.
func (s *directSession) depth() int {
	if s.answered < s.alone || s.broken >= pipelineTries {
		return 1
	}
	return s.engine.depth
}

// send sends a burst by one Write.
func (s *directSession) send(ctx context.Context) error {
	burst := s.burst()
	if s.conn != nil && s.answered > 0 && s.engine.limiter.Unlimited() {
		s.sent = s.conn.lastRead // some microseconds ago: cheaper than to ask what time it is
	} else {
		var err error
		if burst, err = s.engine.limiter.Wait(ctx, burst); err != nil {
			return err
		}
		s.sent = time.Now()
	}
	if end := s.answered + burst; end < len(s.claimed) {
		s.claimed = s.batch.Release(end)
	}
	form, err := s.ready(ctx, s.sent)
	if err != nil {
		return err
	}
	d := s.sit()
	d.out = d.out[:0]
	for end := s.answered + burst; s.asked < end; s.asked++ {
		d.out = form.append(d.out, s.claimed[s.asked].Key, &d.signer)
	}
	moved, err := s.conn.extend(s.sent, s.engine.timeout)
	if err != nil {
		return err
	}
	if moved && ctx.Err() != nil { // its end may have come before
		return context.Cause(ctx)
	}
	return s.conn.send(d.out, s.engine.abrupt.Load())
}

// burst is how many HEADs the next burst may have.
func (s *directSession) burst() int {
	end := min(s.claim(s.depth()), s.answered+s.depth())
	at := s.answered + 1
	for at < end && s.distinct(at) {
		at++
	}
	return at - s.answered
}

// distinct says whether the answer to an entry can be told from those of the burst before it, and from the last one, should
// that come twice. Nothing but its ETag and length says whose an answer is; objects that are alike in both, as folder
// markers and empty files are, are asked for one at a time.
func (s *directSession) distinct(at int) bool {
	e := &s.claimed[at]
	for i := max(0, s.answered-1); i < at; i++ {
		if other := &s.claimed[i]; other.ETag == "" || other.Size == e.Size && other.ETag == e.ETag {
			return false
		}
	}
	return e.ETag != ""
}

// receive reads the answers to the burst. What it has read when it fails is held.
func (s *directSession) receive() error {
	c, n := s.conn, s.inFlight()
	for s.held < n {
		if s.closing {
			return errClosing
		}
		whole, err := c.whole()
		if err != nil {
			return err
		}
		if !whole {
			if err := c.fill(s.held > 0, s.leaves); err != nil {
				return err
			}
			continue
		}
		r := &s.sit().results[s.held]
		final, closing, err := c.take(r)
		if err != nil {
			return err
		}
		if !final {
			continue
		}
		r.Err, r.From, r.SentTo, r.Received, r.Latency = nil, c.at, c.sender.Region, c.lastRead, c.lastRead.Sub(s.sent)
		e := &s.claimed[s.answered+s.held]
		isTagged := r.compare(e) // each in a burst was listed with an ETag
		if n > 1 && (r.Unlike || r.Status == http.StatusOK && !isTagged) {
			return errOutOfStep
		}
		s.held, s.closing = s.held+1, closing
	}
	if c.untaken() && (n > 1 || c.answers > 0) {
		return errSurplus // which of them are the answers?
	}
	return nil
}

// settle decides what becomes of the burst: what is held is handed on, if it can be believed, and of the others the first
// has failed, or all are sent again.
func (s *directSession) settle(err error, each func(*Result)) {
	untouched := s.conn != nil && s.conn.answers > 0 && s.held == 0 && !s.conn.untaken()
	n := s.inFlight()
	switch {
	case err == nil:
		if n > 1 {
			s.broken = 0
		}
	case n == 0: // nothing was sent
		s.asked++
		s.handOnFailure(err, each)
		return
	case isDoubt(err) || n > 1 && fault.ClassOf(err) == fault.Malformed:
		s.held = 0
		s.sendAgain(err)
		return
	case untouched && isDead(err): // the store closed it as it was used again: the next one is new, and fails for good
		if s.conn.socket.hasMissed() {
			s.engine.abrupt.Store(true)
		}
		s.hangUp()
		s.lost += n
		s.asked = s.answered
		return
	}
	s.handOn(each)
	switch {
	case s.inFlight() == 0:
	case n > 1 && !isOwn(err):
		s.sendAgain(err)
	default:
		s.hangUp()
		s.avoid = s.at
		s.handOnFailure(err, each)
		s.sendAgain(err)
	}
}

// handOn hands on the results that are held, and drops the connection if another answer on it could not be believed.
func (s *directSession) handOn(each func(*Result)) {
	c := s.conn
	drop := s.closing || c.untaken()
	for i := range s.held {
		r := &s.desk.results[i]
		drop = drop || r.Unlike
		if !isRefusal(r.Status) {
			c.refused = 0
		} else if c.refused++; (c.refused == refusalsMost || fault.TransientStatus(r.Status)) && s.engine.store.EndpointCount() > 1 {
			drop, s.avoid = true, c.at
		}
		c.answers++
		s.answered++
		r.Lost, s.lost = s.lost, 0
		each(r)
	}
	if drop {
		s.hangUp()
	}
}

// handOnFailure hands on the failure of the entry whose answer is next.
func (s *directSession) handOnFailure(err error, each func(*Result)) {
	r := &s.sit().results[0]
	*r = Result{
		Err: err, From: s.at, SentTo: s.engine.store.Region(), Lost: s.lost,
		Metadata: r.Metadata[:0], Headers: r.Headers[:0], layout: r.layout,
	}
	s.lost = 0
	s.answered++
	each(r)
}

// sendAgain drops the connection and lets what is in flight on it be sent again, one at a time.
func (s *directSession) sendAgain(because error) {
	s.hangUp()
	if s.inFlight() == 0 {
		return
	}
	if s.depth() > 1 {
		s.broken++
		s.engine.told.Do(func() {
			s.engine.log.Warn("HEADs that were pipelined are sent again, one at a time", "because", because)
		})
	}
	s.lost += s.inFlight()
	s.alone = max(s.alone, s.asked)
	s.asked = s.answered
	s.claimed = s.batch.Release(s.answered) // one after the other they take long: whoever has time may take some
}
