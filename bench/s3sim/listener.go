package s3sim

import (
	"errors"
	"net"
	"sync"
	"time"
)

// pausableListener is a listener that can refuse connections for a while, for the fault "refuse". It closes a TCP
// listener and listens again on the same port, so that the kernel refuses connections. Any other listener cannot be
// made again: it accepts connections and resets them.
type pausableListener struct {
	pauseFor time.Duration
	closing  <-chan struct{} // closed by Server.Close

	mu          sync.Mutex
	listener    net.Listener
	pausedUntil time.Time
	reopening   bool // listener is closed, and accept will replace it
	closed      bool
}

func newPausableListener(l net.Listener, pauseFor time.Duration, closing <-chan struct{}) *pausableListener {
	return &pausableListener{listener: l, pauseFor: pauseFor, closing: closing}
}

// accept waits for a connection that arrives outside of pauses.
func (p *pausableListener) accept() (net.Conn, error) {
	for {
		c, err := p.current().Accept()
		wait, reopening := p.pauseState()
		switch {
		case err == nil && wait <= 0:
			return c, nil
		case err == nil:
			reset(c)
		case !reopening:
			return nil, err
		default:
			if err := p.reopen(wait); err != nil {
				return nil, err
			}
		}
	}
}

func (p *pausableListener) current() net.Listener {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listener
}

// pauseState returns the rest of the pause, and whether the listener must be opened again.
func (p *pausableListener) pauseState() (wait time.Duration, reopening bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.pausedUntil), p.reopening && !p.closed
}

// pause starts a pause. It does not extend a pause: connections that are still open could otherwise keep the listener
// paused for ever.
func (p *pausableListener) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || time.Now().Before(p.pausedUntil) {
		return
	}
	p.pausedUntil = time.Now().Add(p.pauseFor)
	if tcp, ok := p.listener.(*net.TCPListener); ok {
		p.reopening = true
		tcp.Close()
	}
}

// Another process may hold the port for reopenAttempts times reopenPause.
const (
	reopenAttempts = 100
	reopenPause    = 20 * time.Millisecond
)

// reopen waits, and then listens on the same address again.
func (p *pausableListener) reopen(wait time.Duration) error {
	address := p.current().Addr()
	var err error
	for range reopenAttempts {
		select {
		case <-time.After(wait):
		case <-p.closing:
			return net.ErrClosed
		}
		var l net.Listener
		if l, err = net.Listen(address.Network(), address.String()); err == nil {
			return p.replace(l)
		}
		wait = reopenPause
	}
	return err
}

func (p *pausableListener) replace(l net.Listener) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.Close()
		return net.ErrClosed
	}
	p.listener, p.reopening = l, false
	return nil
}

// close closes the listener for good. A second call does nothing.
func (p *pausableListener) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	if err := p.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
