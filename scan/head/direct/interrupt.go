package direct

import (
	"context"
	"sync"
	"time"
)

// interrupter makes reads and writes on a session's connection fail when the session's context ends.
type interrupter struct {
	unwatch func() bool

	mu   sync.Mutex
	done <-chan struct{} // Done of the watched context; nil: none is watched
	conn *conn           // nil: there is none
}

// watch watches ctx instead of the previous context, and costs nothing if both are the same. The end of the previous
// context may already have interrupted the connection: watch clears conn.deadline, so that the session sets the
// deadline again. If that interruption comes later, it finds that its context is no longer watched, and does nothing.
func (i *interrupter) watch(ctx context.Context) {
	done := ctx.Done()
	if i.done == done {
		return
	}
	i.stop()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.done, i.unwatch = done, context.AfterFunc(ctx, func() { i.interrupt(done) })
	if i.conn != nil {
		i.conn.deadline = time.Time{}
	}
}

// stop watches no context any more.
func (i *interrupter) stop() {
	if i.unwatch != nil {
		i.unwatch()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.done, i.unwatch = nil, nil
}

// setConn sets the connection to interrupt; nil: none.
func (i *interrupter) setConn(c *conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.conn = c
}

func (i *interrupter) interrupt(done <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.conn != nil && i.done == done {
		_ = i.conn.SetDeadline(time.Unix(1, 0)) // a past deadline; the session checks its context after the failure
	}
}
