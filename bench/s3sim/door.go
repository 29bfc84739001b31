package s3sim

import (
	"errors"
	"net"
	"sync"
	"time"
)

// door is a listener that can be shut for a while, for the fault "refuse". A
// TCP listener is closed and opened again on the same port, so that the kernel
// refuses; any other accepts and resets, since it cannot be made anew.
type door struct {
	shutFor time.Duration
	closing <-chan struct{}

	mu        sync.Mutex
	listener  net.Listener
	shutUntil time.Time
	down      bool // the listener is closed and will be made anew
	closed    bool
}

func newDoor(l net.Listener, shutFor time.Duration, closing <-chan struct{}) *door {
	return &door{listener: l, shutFor: shutFor, closing: closing}
}

// accept waits for a connection that comes while the door is open.
func (d *door) accept() (net.Conn, error) {
	for {
		c, err := d.current().Accept()
		wait, down := d.shut()
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

func (d *door) current() net.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listener
}

// shut returns how long the door stays shut, and whether its listener is gone meanwhile.
func (d *door) shut() (wait time.Duration, down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Until(d.shutUntil), d.down && !d.closed
}

// refuse shuts the door. One that is shut already is not shut for longer, else
// the connections which are still open could keep it shut for ever.
func (d *door) refuse() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || time.Now().Before(d.shutUntil) {
		return
	}
	d.shutUntil = time.Now().Add(d.shutFor)
	if tcp, ok := d.listener.(*net.TCPListener); ok {
		d.down = true
		tcp.Close()
	}
}

// reopenTries times reopenPause is how long another process may sit on the port.
const (
	reopenTries = 100
	reopenPause = 20 * time.Millisecond
)

// reopen waits, and listens again where the door was.
func (d *door) reopen(wait time.Duration) error {
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

func (d *door) replace(l net.Listener) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		l.Close()
		return net.ErrClosed
	}
	d.listener, d.down = l, false
	return nil
}

// close ends the door for good.
func (d *door) close() error {
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
