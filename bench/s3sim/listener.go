package s3sim

import (
	"errors"
	"net"
	"sync"
	"time"
)

// pausableListener is a listener that can be shut for a while, for the fault "refuse". A
// TCP listener is closed and opened again on the same port, so that the kernel
// refuses; any other accepts and resets, since it cannot be made anew.
type pausableListener struct {
	pauseFor time.Duration
	closing  <-chan struct{}

	mu          sync.Mutex
	listener    net.Listener
	pausedUntil time.Time
	reopening   bool // the listener is closed and will be made anew
	closed      bool
}

func newPausableListener(l net.Listener, shutFor time.Duration, closing <-chan struct{}) *pausableListener {
	return &pausableListener{listener: l, pauseFor: shutFor, closing: closing}
}

// accept waits for a connection that comes while the door is open.
func (d *pausableListener) accept() (net.Conn, error) {
	for {
		c, err := d.current().Accept()
		wait, down := d.pauseState()
		switch {
		case err == nil && wait <= 0:
			return c, nil
		case err == nil:
			reset(c)
		case !down:
			return nil, err
		default:
			if err := d.reopen(wait); err != nil {
				return nil, err
			}
		}
	}
}

func (d *pausableListener) current() net.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listener
}

// pauseState returns how long the door stays shut, and whether its listener is gone meanwhile.
func (d *pausableListener) pauseState() (wait time.Duration, down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Until(d.pausedUntil), d.reopening && !d.closed
}

// pause shuts the door. One that is shut already is not shut for longer, else
// the connections which are still open could keep it shut for ever.
func (d *pausableListener) pause() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || time.Now().Before(d.pausedUntil) {
		return
	}
	d.pausedUntil = time.Now().Add(d.pauseFor)
	if tcp, ok := d.listener.(*net.TCPListener); ok {
		d.reopening = true
		tcp.Close()
	}
}

// reopenTries times reopenPause is how long another process may sit on the port.
const (
	reopenTries = 100
	reopenPause = 20 * time.Millisecond
)

// reopen waits, and listens again where the door was.
func (d *pausableListener) reopen(wait time.Duration) error {
	address := d.current().Addr()
	var err error
	for range reopenTries {
		select {
		case <-time.After(wait):
		case <-d.closing:
			return net.ErrClosed
		}
		var l net.Listener
		if l, err = net.Listen(address.Network(), address.String()); err == nil {
			return d.replace(l)
		}
		wait = reopenPause
	}
	return err
}

func (d *pausableListener) replace(l net.Listener) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		l.Close()
		return net.ErrClosed
	}
	d.listener, d.reopening = l, false
	return nil
}

// close ends the door for good.
func (d *pausableListener) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	if err := d.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
