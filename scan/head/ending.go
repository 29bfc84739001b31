package head

import (
	"context"
	"sync"
	"time"
)

// ending lets a session's connection fail when its context ends.
type ending struct {
	unhook func() bool

	mu   sync.Mutex
	done <-chan struct{} // of the context that is followed
	conn *conn           // nil: there is none
}

// follow follows ctx, and no other any more. It costs nothing where that is so already. The end of the one before may have
// reached the connection, or be about to: it is undone, or comes to nothing.
func (e *ending) follow(ctx context.Context) {
	done := ctx.Done()
	if e.done == done {
		return
	}
	e.forget()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done, e.unhook = done, context.AfterFunc(ctx, func() { e.come(done) })
	if e.conn != nil {
		e.conn.deadline = time.Time{} // to be set anew
	}
}

func (e *ending) forget() {
	if e.unhook != nil {
		e.unhook()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done, e.unhook = nil, nil
}

// guard says which connection is to fail; nil: none.
func (e *ending) guard(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conn = c
}

func (e *ending) come(done <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil && e.done == done {
		_ = e.conn.SetDeadline(time.Unix(1, 0)) // the session finds out why
	}
}
