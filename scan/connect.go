package scan

import (
	"context"
	"math/rand/v2"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
)

const (
	// connectTriesMax is the number of HEADs in a row for which a worker gets no connection before it parks. Stores reset
	// single connections for many reasons. A maximum of connections shows at each try.
	connectTriesMax = 3

	// connectPause is the mean pause after the first such HEAD. It doubles with each.
	connectPause = 20 * time.Millisecond

	// A connection that is accepted and never served is abandoned after connectPatienceMin, or after
	// connectPatienceLatencies times the mean latency if that is longer.
	connectPatienceMin       = 2 * time.Second
	connectPatienceLatencies = 8

	// abandonMax is how often a HEAD for one object is abandoned. The next one is waited for until its timeout: the object
	// may be slow, and not the connection.
	abandonMax = 3
)

// abandonedError is why a HEAD over a new connection was given up.
type abandonedError struct{}

func (abandonedError) Error() string {
	return "no answer over a new connection, while others are answered"
}
func (abandonedError) FaultClass() fault.Class { return fault.Timeout }

// errAbandoned ends a worker's context for the sake of its connection alone.
var errAbandoned error = abandonedError{}

// connection is the way of one worker to the store, and what it has tried since it last had an answer over it.
type connection struct {
	session    head.Session
	engine     string        // the name of session's engine
	generation uint64        // of the store, when engine was compared
	sending    *head.Sending // of the HEADs over a connection without an answer so far

	tries        int // HEADs without a connection
	failingSince time.Time
	unconnected  bool  // the present batch met such a HEAD
	connectErr   error // of that HEAD
}

func newConnection(engine head.Engine) connection {
	name := engine.Name() // before the Session: followEngine repairs an older name
	return connection{session: engine.Session(), engine: name, sending: head.NewSending()}
}

// disconnect closes the connection.
func (w *worker) disconnect() {
	w.session.Close()
	w.session = w.pool.engine.Session()
	w.pool.members.closed(w)
}

// followEngine opens a new session if the engine is another one: the region was switched to one whose requests only the
// SDK can send.
func (w *worker) followEngine(ctx context.Context) error {
	generation := w.pool.store.Generation()
	if generation == w.generation {
		return nil
	}
	w.generation = generation
	name := w.pool.engine.Name()
	if name == w.engine {
		return nil
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	w.engine = name
	w.disconnect()
	return nil
}

// observeConnection notes by a Result whether the worker has a connection. Without one it stops the batch: each further
// HEAD would cost another object an attempt.
func (w *worker) observeConnection(r *head.Result, f fault.Failure) {
	switch {
	case r.Err == nil:
		w.tries, w.unconnected = 0, false
		w.pool.members.opened(w)
	case f.Unconnected && !w.unconnected:
		if w.tries == 0 {
			w.failingSince = time.Now()
		}
		w.tries++
		w.stopBatch(r.Err)
	}
}

// stopBatch ends the present batch after the HEADs that have begun, for want of a connection.
func (w *worker) stopBatch(err error) {
	w.unconnected, w.connectErr = true, err
	w.sent.takeRest(0)
	w.sending.End()
	w.pool.members.closed(w)
}

// abandonBatch makes failures of the HEADs of the present batch that were abandoned. If an answer came at the same
// time, the worker has a connection: the HEADs without an answer are sent again, like those that were not begun.
func (w *worker) abandonBatch() {
	s := w.sent
	if w.connected {
		s.batch.heads.Release(s.next)
		s.takeRest(0)
		return
	}
	w.stopBatch(errAbandoned)
	w.tries, w.failingSince = connectTriesMax, time.Now().Add(-w.pool.connectPatience())
	for claimed := len(s.batch.heads.Claim(0)); s.next < claimed; {
		w.handleAnswer(&head.Result{Err: errAbandoned, Unconnected: true})
	}
}

// settleConnection ends a batch that met no connection. The worker tries again after a pause, or parks for as long as
// others need all the connections that can be had.
func (w *worker) settleConnection(ctx context.Context) error {
	p := w.pool
	if !w.unconnected {
		return nil
	}
	w.unconnected = false
	if w.tries < connectTriesMax {
		if err := w.settle(ctx); err != nil {
			return err
		}
		pause := connectPause << (w.tries - 1)
		return fault.Sleep(ctx, pause/2+rand.N(pause))
	}
	news, stopped := p.members.failed(w, p.health.OKAfter(w.failingSince))
	if news > 0 {
		attributes := []any{"connections", news, "error", w.connectErr}
		if hint := fault.LocalLimitHint(w.connectErr); hint != "" {
			attributes = append(attributes, "hint", hint)
		}
		p.log.Warn("no more connections can be had: the others are used", attributes...)
	}
	return p.splitBatches(ctx, stopped)
}

// connectPatience returns how long a worker waits for the first answer over a connection while others are answered.
func (p *workerPool) connectPatience() time.Duration {
	patience := connectPatienceMin
	if answers := p.answers.Load(); answers > 0 {
		patience = max(patience, connectPatienceLatencies*time.Duration(p.latency.Load()/answers))
	}
	return patience
}

// abandonConnecting ends HEADs that wait for the first answer over a connection, if the store answers others.
func (p *workerPool) abandonConnecting() {
	if patience := p.connectPatience(); p.health.OKAfter(time.Now().Add(-patience / 2)) {
		p.members.abandonConnecting(patience)
	}
}

// yieldConnection makes a worker give up its connection for a request of another stage, if HEADs are answered.
func (p *workerPool) yieldConnection() {
	const lately = 100 * time.Millisecond
	if p.health.OKAfter(time.Now().Add(-lately)) {
		p.members.yield()
	}
}
