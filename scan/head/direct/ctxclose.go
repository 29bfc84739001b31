package direct

import (
	"context"
	"sync"
	"time"
)

// ctxCloser lets a session's connection fail when its context ends.
type ctxCloser struct {
	unwatch func() bool

	mu   sync.Mutex
	done <-chan struct{} // of the context that is followed
	conn *conn           // nil: there is none
}

// watch follows ctx, and no other any more. It costs nothing where that is so already. The end of the one before may have
// reached the connection, or be about to: it is undone, or comes to nothing.
func (e *ctxCloser) watch(ctx context.Context) {
	done := ctx.Done()
	if e.done == done {
		return
	}
	e.stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done, e.unwatch = done, context.AfterFunc(ctx, func() { e.fire(done) })
	if e.conn != nil {
		e.conn.deadline = time.Time{} // to be set anew
	}
}

func (e *ctxCloser) stop() {
	if e.unwatch != nil {
		e.unwatch()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done, e.unwatch = nil, nil
}

// set says which connection is to fail; nil: none.
func (e *ctxCloser) set(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conn = c
}

func (e *ctxCloser) fire(done <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil && e.done == done {
		_ = e.conn.SetDeadline(time.Unix(1, 0)) // the session finds out why
	}
}
