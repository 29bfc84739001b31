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
	// notesMax is how many HEADs a worker notes before it hands them in, and notesLast how old the first of them may be: little beside a Moment.
	notesMax  = 64
	notesLast = 5 * time.Millisecond

	// batchMin is how many HEADs a worker asks its session for at once, and pipelineFill how often a pipeline is filled in that: it has to be
	// emptied at the end of each batch.
	batchMin     = 64
	pipelineFill = 16

	// hangsFrom is how long a HEAD has been in flight that counts as unanswered where a signal ends the Step: others it ends as well, and
	// that says nothing of the store.
	hangsFrom = time.Second

	// failPause is how long a worker of a closed loop waits after two failures in a row: what nobody listens to fails at once, and would
	// be a storm of connections.
	failPause = 50 * time.Millisecond
)

// asker sends HEADs by one session, and notes what becomes of them. It belongs to one goroutine.
type asker struct {
	step    *step
	session head.Session
	batch   head.Batch
	take    func(*head.Result) // a.hear, made once
	at      int                // the key of the sample that is next

	planned  time.Time // of the HEAD in flight, or of the next one; zero in a closed loop
	due      time.Time // when that can be sent: planned, or later where the store is gone
	sent     time.Time // not after the HEAD in flight was
	first    time.Time // that those were sent first which are sent again
	again    int       // of them, that nothing is known of yet
	answered int       // HEADs of the batch
	failures int       // HEADs in a row without an answer
	isOver   bool      // the Step's end has come

	notes  []note
	busy   time.Duration // that HEADs were in flight in what counts of the Step, and that was not handed in
	toldAt time.Time     // when notes were handed in last
	isMet  bool          // the store has answered

	// What the Store was not told yet.
	address *store.Address
	came    int
	took    time.Duration
}

func newAsker(s *step, at int) *asker {
	a := &asker{step: s, session: s.engine.Session(), at: at, notes: make([]note, 0, notesMax)}
	a.take = a.hear
	return a
}

func (a *asker) close() {
	a.tell()
	a.session.Close()
}

// ask sends HEADs for the next keys, n at most: fewer where one fails, or the Step ends. false: ctx has ended.
func (a *asker) ask(ctx context.Context, n int) bool {
	sample := a.step.sample
	if a.at >= len(sample) {
		a.at = 0
	}
	end := min(a.at+n, len(sample))
	a.batch.Reset(sample[a.at:end])
	a.at, a.answered, a.again, a.sent = end, 0, 0, time.Now()
	if a.session.Head(ctx, &a.batch, a.take) == nil {
		return true
	}
	a.giveUp(len(a.batch.Claim(0)) - a.answered)
	return false
}

// hear notes what became of a HEAD.
func (a *asker) hear(r *head.Result) {
	n := note{name: okName, lost: r.Lost}
	now, sent := r.Received, a.sent
	switch {
	case r.Err != nil:
		now = time.Now()
		n.name, n.err = string(fault.ClassOf(r.Err)), r.Err
		a.failures++
		a.batch.Split()
	case r.Status != http.StatusOK:
		n.name = strconv.Itoa(r.Status)
		fallthrough
	default:
		n.ok = r.Status == http.StatusOK
		sent = now.Add(-r.Latency)
		a.failures = 0
		if !a.isMet {
			a.meet(r)
		}
	}
	a.note(&n, a.sentFirst(r, sent), now)
	a.credit(r, n.ok)
	a.answered, a.sent = a.answered+1, now
	if !now.Before(a.step.end) {
		a.isOver = true
		a.batch.Split()
	}
}

const okName = "200"

// sentFirst is when a HEAD was sent that was last sent then. A store that hangs, and then hangs up, is sent it again, which must not hide that.
func (a *asker) sentFirst(r *head.Result, sent time.Time) time.Time {
	if r.Lost > 0 { // told with the first of a pipeline
		a.first, a.again = a.sent, min(r.Lost, max(1, a.step.depth))
	}
	if a.again == 0 {
		return sent
	}
	a.again--
	return a.first
}

// note keeps what became of a HEAD at that time, if its start is in the part of the Step that counts.
func (a *asker) note(n *note, sent, now time.Time) {
	a.busy += max(0, earlier(now, a.step.end).Sub(later(sent, a.step.from)))
	start := sent
	if !a.planned.IsZero() {
		start = a.planned
	}
	if start.Before(a.step.from) || !start.Before(a.step.end) {
		return
	}
	n.at, n.latency, n.service = now.Sub(a.step.from), now.Sub(start), now.Sub(sent)
	a.notes = append(a.notes, *n)
	if len(a.notes) == notesMax || now.Sub(a.toldAt) > notesLast {
		a.tell()
		a.toldAt = now
	}
}

// giveUp notes those that were in flight when the Step was over, or has to end, and are still.
func (a *asker) giveUp(inFlight int) {
	now := time.Now()
	isCut := now.Before(a.step.end) && now.Sub(a.sent) < hangsFrom
	for range inFlight {
		if isCut {
			a.busy += max(0, now.Sub(later(a.sent, a.step.from)))
			continue
		}
		a.note(&note{name: unanswered}, a.sent, now)
	}
}

// meet is told of the first answer.
func (a *asker) meet(r *head.Result) {
	a.isMet = true
	a.step.connections.Add(1)
	if name := string(r.Get("server")); name != "" {
		a.step.server.CompareAndSwap(nil, &name)
	}
}

// credit keeps, for the Store to share the load among its addresses by, which of them answered.
func (a *asker) credit(r *head.Result, ok bool) {
	if r.From != a.address {
		a.tellStore()
		a.address = r.From
	}
	switch {
	case r.From == nil:
	case ok || r.Err == nil && r.Status == http.StatusNotFound:
		a.came++
		a.took += r.Latency
	default:
		a.tellStore()
		a.step.store.ObserveRefusal(r.From)
	}
}

func (a *asker) tellStore() {
	if a.came > 0 {
		a.step.store.ObserveAnswers(a.address, a.came, a.took)
		a.came, a.took = 0, 0
	}
}

// tell hands in what was noted.
func (a *asker) tell() {
	a.tellStore()
	if len(a.notes) > 0 || a.busy > 0 {
		a.step.book.add(a.notes, a.busy)
		a.notes, a.busy = a.notes[:0], 0
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
