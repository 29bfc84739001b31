package heads

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/store"
)

const (
	// A worker hands in its observations when there are observationsMax, or when the first is flushEvery old, which is
	// little compared with a Moment.
	observationsMax = 64
	flushEvery      = 5 * time.Millisecond

	// A worker asks its session for batchMin HEADs at once, or for as many as fill its pipeline pipelineFills times:
	// the pipeline drains at the end of each batch.
	batchMin      = 64
	pipelineFills = 16

	// hungAfter is the time in flight from which a HEAD counts as unanswered when a signal ends the Step. The signal
	// also ends HEADs of a healthy store, which must not count.
	hungAfter = time.Second

	// failurePause is the pause of a worker of a closed loop after two failures in a row. Without a listener, HEADs
	// fail at once, and would cause a storm of connections.
	failurePause = 50 * time.Millisecond
)

// sender sends the HEADs of one worker on one session, and records their outcomes. It belongs to one goroutine.
type sender struct {
	step     *step
	session  head.Session
	batch    head.Batch
	onResult func(*head.Result) // s.observe, allocated once
	nextKey  int                // index of the next key

	plannedAt     time.Time // of the HEAD in flight, or of the next one; zero in a closed loop
	sendAt        time.Time // plannedAt, or later if the store is unreachable
	sentAt        time.Time // no later than the send of the HEAD in flight
	firstSentAt   time.Time // when the HEADs that are sent again were sent first
	resent        int       // the HEADs that are sent again, and have no result yet
	answered      int       // results of the batch
	failuresInRow int       // HEADs without an answer
	ended         bool      // the Step has ended

	observations []observation
	inFlightTime time.Duration // for which HEADs were in flight, and that was not handed in yet
	flushedAt    time.Time     // when observations were handed in last
	everAnswered bool          // the store has answered this worker

	// Answers that were not reported to the Store yet.
	address        *store.Address
	addressAnswers int
	addressLatency time.Duration
}

func newSender(st *step, nextKey int) *sender {
	s := &sender{step: st, session: st.engine.Session(), nextKey: nextKey,
		observations: make([]observation, 0, observationsMax)}
	s.onResult = s.observe
	return s
}

func (s *sender) close() {
	s.flush()
	s.session.Close()
}

// send sends HEADs for the next keys, n at most. It stops early after a failure, and at the end of the Step. It returns
// false if ctx has ended.
func (s *sender) send(ctx context.Context, n int) bool {
	sample := s.step.keys
	if s.nextKey >= len(sample) {
		s.nextKey = 0
	}
	end := min(s.nextKey+n, len(sample))
	s.batch.Reset(sample[s.nextKey:end])
	s.nextKey, s.answered, s.resent, s.sentAt = end, 0, 0, time.Now()
	if s.session.Head(ctx, &s.batch, s.onResult) == nil {
		return true
	}
	s.recordUnanswered(len(s.batch.Claim(0)) - s.answered)
	return false
}

// observe records the result of a HEAD.
func (s *sender) observe(r *head.Result) {
	n := observation{status: statusOK, resent: r.Resent}
	now, sent := r.Received, s.sentAt
	switch {
	case r.Err != nil:
		now = time.Now()
		n.status, n.err = string(fault.ClassOf(r.Err)), s.step.store.RedactError(r.Err)
		s.failuresInRow++
		s.batch.Split()
	case r.Status != http.StatusOK:
		n.status = strconv.Itoa(r.Status)
		fallthrough
	default:
		n.ok = r.Status == http.StatusOK
		sent = now.Add(-r.Latency)
		s.failuresInRow = 0
		if !s.everAnswered {
			s.countConnection(r)
		}
	}
	s.add(&n, s.firstSent(r, sent), now)
	s.countForAddress(r, n.ok)
	s.answered, s.sentAt = s.answered+1, now
	if !now.Before(s.step.end) {
		s.ended = true
		s.batch.Split()
	}
}

const statusOK = "200"

// firstSent returns when a HEAD was sent first. sent is when it was sent last: a store that hangs and then closes the
// connection is sent the HEAD again, which must not hide the hang.
func (s *sender) firstSent(r *head.Result, sent time.Time) time.Time {
	if r.Resent > 0 { // with the first result of a pipeline
		s.firstSentAt, s.resent = s.sentAt, min(r.Resent, max(1, s.step.pipeline))
	}
	if s.resent == 0 {
		return sent
	}
	s.resent--
	return s.firstSentAt
}

// add keeps an observation, if the start of its HEAD counts.
func (s *sender) add(n *observation, sent, now time.Time) {
	s.inFlightTime += max(0, earlier(now, s.step.end).Sub(later(sent, s.step.from)))
	start := sent
	if !s.plannedAt.IsZero() {
		start = s.plannedAt
	}
	if start.Before(s.step.from) || !start.Before(s.step.end) {
		return
	}
	n.at, n.latency, n.service = now.Sub(s.step.from), now.Sub(start), now.Sub(sent)
	s.observations = append(s.observations, *n)
	if len(s.observations) == observationsMax || now.Sub(s.flushedAt) > flushEvery {
		s.flush()
		s.flushedAt = now
	}
}

// recordUnanswered records the HEADs that are in flight at the end of the Step, or when a signal ends it.
func (s *sender) recordUnanswered(inFlight int) {
	now := time.Now()
	isCut := now.Before(s.step.end) && now.Sub(s.sentAt) < hungAfter
	for range inFlight {
		if isCut {
			s.inFlightTime += max(0, now.Sub(later(s.sentAt, s.step.from)))
			continue
		}
		s.add(&observation{status: classUnanswered}, s.sentAt, now)
	}
}

// countConnection counts the connection at its first answer, and keeps the name of the server.
func (s *sender) countConnection(r *head.Result) {
	s.everAnswered = true
	s.step.connections.Add(1)
	if name := string(r.Get("server")); name != "" {
		s.step.server.CompareAndSwap(nil, &name)
	}
}

// countForAddress counts an answer of an address, by which the Store shares the load among its addresses.
func (s *sender) countForAddress(r *head.Result, ok bool) {
	if r.Address != s.address {
		s.reportAddress()
		s.address = r.Address
	}
	switch {
	case r.Address == nil:
	case ok || r.Err == nil && r.Status == http.StatusNotFound:
		s.addressAnswers++
		s.addressLatency += r.Latency
	default:
		s.reportAddress()
		s.step.store.ObserveRefusal(r.Address)
	}
}

func (s *sender) reportAddress() {
	if s.addressAnswers > 0 {
		s.step.store.ObserveAnswers(s.address, s.addressAnswers, s.addressLatency)
		s.addressAnswers, s.addressLatency = 0, 0
	}
}

// flush hands in the observations.
func (s *sender) flush() {
	s.reportAddress()
	if len(s.observations) > 0 || s.inFlightTime > 0 {
		s.step.recorder.record(s.observations, s.inFlightTime)
		s.observations, s.inFlightTime = s.observations[:0], 0
	}
}

// earlier returns the earlier one of two times.
func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// later returns the later one of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
