package scan

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/pace"
)

// members are the started workers of a pool. They decide which of them run: as many as the autoscaler wants, and as can
// have a connection (pace.Connections). Those that hold a connection run first. The others are parked.
type members struct {
	mu          sync.Mutex
	all         []*worker // in the order in which they were started
	wanted      int       // workers that shall run
	open        int       // connections that the workers hold
	connections pace.Connections
	tryTimer    *time.Timer // calls assign when one more worker may try to connect
	reported    int         // the last number of connections that was logged
}

// member is what the members of a pool know of a worker.
type member struct {
	wake    chan struct{} // holds a token when the worker may run or shall park, or may have a connection too many
	running atomic.Bool   // the others are parked

	// members.mu guards these. Only the worker's goroutine writes connected.
	connected bool // the store has answered over the connection
	chosen    bool // by assign
	abandon   context.CancelCauseFunc

	headCtx context.Context // of the HEADs; abandon ends it
}

func newMember() member { return member{wake: make(chan struct{}, 1)} }

func (m *member) parked() bool { return !m.running.Load() }

// wakeUp makes a worker that is parked or idle look around.
func (m *member) wakeUp() {
	select {
	case m.wake <- struct{}{}:
	default: // it still has the last token
	}
}

// setWanted makes so many workers run, if they can have a connection. It returns those that do not run any more.
func (m *members) setWanted(n int) (stopped []*worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted = n
	return m.assign()
}

// limit returns how many workers may run now. The caller holds m.mu.
func (m *members) limit() int {
	most := m.connections.Max()
	switch maximum := m.connections.Maximum(); {
	case most == pace.NoMax:
		return m.wanted
	case maximum > 0 && m.wanted >= maximum: // a worker that tries comes on top of those that are wanted
		return most
	}
	return min(most, m.wanted)
}

// assign chooses the workers that run: first those that hold a connection, then those that are connecting. It returns
// those that do not run any more. The caller holds m.mu.
func (m *members) assign() (stopped []*worker) {
	left := m.limit()
	choose := func(eligible func(*worker) bool) {
		for _, w := range m.all {
			if left > 0 && !w.chosen && eligible(w) {
				w.chosen = true
				left--
			}
		}
	}
	choose(func(w *worker) bool { return w.connected })
	choose(func(w *worker) bool { return w.running.Load() })
	choose(func(*worker) bool { return true })
	for _, w := range m.all {
		switch {
		case w.chosen && !w.running.Load():
			w.running.Store(true)
			w.wakeUp()
		case !w.chosen && w.running.Load():
			w.running.Store(false)
			w.wakeUp()
			stopped = append(stopped, w)
		}
		w.chosen = false
	}
	return stopped
}

// add adds a worker that was just made. The next setWanted decides whether it runs.
func (m *members) add(w *worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, w)
}

// count returns how many workers were started.
func (m *members) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.all)
}

// running returns how many workers run.
func (m *members) running() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.all {
		if w.running.Load() {
			n++
		}
	}
	return n
}

// opened records that a worker has a connection: the store has answered over it.
func (m *members) opened(w *worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.connected {
		return
	}
	w.connected = true
	m.open++
	if m.connections.Max() != pace.NoMax {
		m.connections.Opened(m.open, m.wanted)
		m.assign()
	}
}

// closed records that a worker has no connection any more.
func (m *members) closed(w *worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disconnect(w)
}

func (m *members) disconnect(w *worker) {
	if w.connected {
		w.connected = false
		m.open--
	}
}

// failed records that a worker can have no connection, and parks it. othersAnswered says that the store answered other
// workers meanwhile. It returns the number of connections that can be had if that is news, and else 0; and the workers
// that do not run any more.
func (m *members) failed(w *worker, othersAnswered bool) (news int, stopped []*worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disconnect(w)
	m.connections.Failed(m.open, othersAnswered)
	w.running.Store(false)
	m.startTimer()
	stopped = m.assign()
	if maximum := m.connections.Maximum(); maximum > 0 && (m.reported == 0 || 2*maximum <= m.reported) {
		m.reported = maximum
		return maximum, stopped
	}
	return 0, stopped
}

// yield makes one worker give up its connection, for a request that is not a worker's and could not connect.
func (m *members) yield() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.connections.Yield(m.open)
	m.startTimer()
	m.assign()
	for _, w := range m.all {
		if w.connected && !w.running.Load() {
			w.wakeUp() // a parked worker closes its connection if there is one too many
		}
	}
}

// startTimer lets one more worker try when its time comes. The caller holds m.mu.
func (m *members) startTimer() {
	next := m.connections.NextTry()
	if next.IsZero() {
		return
	}
	if m.tryTimer != nil {
		m.tryTimer.Stop()
	}
	m.tryTimer = time.AfterFunc(time.Until(next), func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.assign()
	})
}

// closeExcess reports whether a parked worker shall close its connection, since others need it. It is counted as
// closed.
func (m *members) closeExcess(w *worker) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	most := m.connections.Max()
	if !w.connected || w.running.Load() || most == pace.NoMax || m.open <= most {
		return false
	}
	m.disconnect(w)
	return true
}

// maximum returns how many connections can be had; 0: not known.
func (m *members) maximum() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.connections.Maximum()
}

// recovering reports whether fewer workers run than are wanted, since the store was away.
func (m *members) recovering() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	most := m.connections.Max()
	return most != pace.NoMax && most < m.wanted && m.connections.Maximum() == 0
}

// stop ends the timer.
func (m *members) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tryTimer != nil {
		m.tryTimer.Stop()
	}
}

// abandonConnecting ends the HEAD of each worker that has waited for the first answer over a connection for so long.
// The store answers others meanwhile. Some load balancers accept connections above their maximum, and never serve them.
func (m *members) abandonConnecting(patience time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open == 0 || m.open == len(m.all) {
		return
	}
	for _, w := range m.all {
		b := w.pool.current[w.index].Load()
		if !w.connected && b != nil && b.attempts.abandoned < abandonMax && w.sending.AbandonAfter(patience) {
			w.abandon(errAbandoned)
		}
	}
}

// watch gives a worker a context that abandonConnecting can end.
func (m *members) watch(ctx context.Context, w *worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.abandon != nil {
		w.abandon(nil)
	}
	w.headCtx, w.abandon = context.WithCancelCause(ctx)
}
