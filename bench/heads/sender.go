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
	// observationsMax is how many HEADs a worker notes before it hands them in, and notesLast how old the first of them
	// may be: little beside a Moment.
	observationsMax = 64
	flushEvery      = 5 * time.Millisecond

	// batchMin is how many HEADs a worker asks its session for at once, and pipelineFill how often a pipeline is filled
	// in that: it has to be emptied at the end of each batch.
	batchMin      = 64
	pipelineFills = 16

	// hungAfter is how long a HEAD has been in flight that counts as unanswered where a signal ends the Step: others it
	// ends as well, and that says nothing of the store.
	hungAfter = time.Second

	// failurePause is how long a worker of a closed loop waits after two failures in a row: what nobody listens to
	// fails at once, and would be a storm of connections.
	failurePause = 50 * time.Millisecond
)

// sender sends HEADs by one session, and notes what becomes of them. It belongs to one goroutine.
type sender struct {
	step     *step
	session  head.Session
	batch    head.Batch
	onResult func(*head.Result) // a.hear, made once
	nextKey  int                // the key of the sample that is next

	plannedAt     time.Time // of the HEAD in flight, or of the next one; zero in a closed loop
	sendAt        time.Time // when that can be sent: planned, or later where the store is gone
	sentAt        time.Time // not after the HEAD in flight was
	firstSentAt   time.Time // that those were sent first which are sent again
	resent        int       // of them, that nothing is known of yet
	answered      int       // HEADs of the batch
	failuresInRow int       // HEADs in a row without an answer
	ended         bool      // the Step's end has come

	observations []observation
	inFlightTime time.Duration // that HEADs were in flight in what counts of the Step, and that was not handed in
	flushedAt    time.Time     // when notes were handed in last
	everAnswered bool          // the store has answered

	// What the Store was not told yet.
	address        *store.Address
	addressAnswers int
	addressLatency time.Duration
}

func newSender(s *step, at int) *sender {
	a := &sender{step: s, session: s.engine.Session(), nextKey: at, observations: make([]observation, 0, observationsMax)}
	a.onResult = a.observe
	return a
}

func (a *sender) close() {
	a.flush()
	a.session.Close()
}

// send sends HEADs for the next keys, n at most: fewer where one fails, or the Step ends. false: ctx has ended.
func (a *sender) send(ctx context.Context, n int) bool {
	sample := a.step.keys
	if a.nextKey >= len(sample) {
		a.nextKey = 0
	}
	end := min(a.nextKey+n, len(sample))
	a.batch.Reset(sample[a.nextKey:end])
	a.nextKey, a.answered, a.resent, a.sentAt = end, 0, 0, time.Now()
	if a.session.Head(ctx, &a.batch, a.onResult) == nil {
		return true
	}
	a.recordUnanswered(len(a.batch.Claim(0)) - a.answered)
	return false
}

// observe notes what became of a HEAD.
func (a *sender) observe(r *head.Result) {
	n := observation{status: statusOK, resent: r.Resent}
	now, sent := r.Received, a.sentAt
	switch {
	case r.Err != nil:
		now = time.Now()
		n.status, n.err = string(fault.ClassOf(r.Err)), r.Err
		a.failuresInRow++
		a.batch.Split()
	case r.Status != http.StatusOK:
		n.status = strconv.Itoa(r.Status)
		fallthrough
	default:
		n.ok = r.Status == http.StatusOK
		sent = now.Add(-r.Latency)
		a.failuresInRow = 0
		if !a.everAnswered {
			a.countConnection(r)
		}
	}
	a.add(&n, a.firstSent(r, sent), now)
	a.countForAddress(r, n.ok)
	a.answered, a.sentAt = a.answered+1, now
	if !now.Before(a.step.end) {
		a.ended = true
		a.batch.Split()
	}
}

const statusOK = "200"

// firstSent is when a HEAD was sent that was last sent then. A store that hangs, and then hangs up, is sent it again,
// which must not hide that.
func (a *sender) firstSent(r *head.Result, sent time.Time) time.Time {
	if r.Resent > 0 { // told with the first of a pipeline
		a.firstSentAt, a.resent = a.sentAt, min(r.Resent, max(1, a.step.pipeline))
	}
	if a.resent == 0 {
		return sent
	}
	a.resent--
	return a.firstSentAt
}

// add keeps what became of a HEAD at that time, if its start is in the part of the Step that counts.
func (a *sender) add(n *observation, sent, now time.Time) {
	a.inFlightTime += max(0, earlier(now, a.step.end).Sub(later(sent, a.step.from)))
	start := sent
	if !a.plannedAt.IsZero() {
		start = a.plannedAt
	}
	if start.Before(a.step.from) || !start.Before(a.step.end) {
		return
	}
	n.at, n.latency, n.service = now.Sub(a.step.from), now.Sub(start), now.Sub(sent)
	a.observations = append(a.observations, *n)
	if len(a.observations) == observationsMax || now.Sub(a.flushedAt) > flushEvery {
		a.flush()
		a.flushedAt = now
	}
}

// recordUnanswered notes those that were in flight when the Step was over, or has to end, and are still.
func (a *sender) recordUnanswered(inFlight int) {
	now := time.Now()
	isCut := now.Before(a.step.end) && now.Sub(a.sentAt) < hungAfter
	for range inFlight {
		if isCut {
			a.inFlightTime += max(0, now.Sub(later(a.sentAt, a.step.from)))
			continue
		}
		a.add(&observation{status: classUnanswered}, a.sentAt, now)
	}
}

// countConnection is told of the first answer.
func (a *sender) countConnection(r *head.Result) {
	a.everAnswered = true
	a.step.connections.Add(1)
	if name := string(r.Get("server")); name != "" {
		a.step.server.CompareAndSwap(nil, &name)
	}
}

// countForAddress keeps, for the Store to share the load among its addresses by, which of them answered.
func (a *sender) countForAddress(r *head.Result, ok bool) {
	if r.Address != a.address {
		a.reportAddress()
		a.address = r.Address
	}
	switch {
	case r.Address == nil:
	case ok || r.Err == nil && r.Status == http.StatusNotFound:
		a.addressAnswers++
		a.addressLatency += r.Latency
	default:
		a.reportAddress()
		a.step.store.ObserveRefusal(r.Address)
	}
}

func (a *sender) reportAddress() {
	if a.addressAnswers > 0 {
		a.step.store.ObserveAnswers(a.address, a.addressAnswers, a.addressLatency)
		a.addressAnswers, a.addressLatency = 0, 0
	}
}

// flush hands in what was noted.
func (a *sender) flush() {
	a.reportAddress()
	if len(a.observations) > 0 || a.inFlightTime > 0 {
		a.step.recorder.record(a.observations, a.inFlightTime)
		a.observations, a.inFlightTime = a.observations[:0], 0
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
