package s3sim

import (
	"io"
	"net"
	"sync"
)

// Excess is what the Server does with connections above Options.ConnectionsMax, as load balancers, NATs and stores do.
type Excess string

// The ways to treat connections above the maximum. The zero value is ExcessReset.
const (
	ExcessReset  Excess = "reset"  // accept and reset
	ExcessClose  Excess = "close"  // accept and close
	ExcessHang   Excess = "hang"   // accept, and never answer
	ExcessRefuse Excess = "refuse" // close the listener, so that the kernel refuses; other than TCP listeners reset
)

// Excesses returns all ways to treat connections above the maximum.
func Excesses() []Excess { return []Excess{ExcessReset, ExcessClose, ExcessHang, ExcessRefuse} }

// connectionCap counts the open connections, and rejects those above a maximum.
type connectionCap struct {
	maximum int // 0: none
	excess  Excess

	mu    sync.Mutex
	open  int
	freed chan struct{} // closed when a connection ends that left no room for another
}

func newConnectionCap(maximum int, excess Excess) *connectionCap {
	return &connectionCap{maximum: maximum, excess: excess, freed: make(chan struct{})}
}

// acquire counts a connection. It returns false if there are too many already.
func (c *connectionCap) acquire() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.maximum > 0 && c.open >= c.maximum {
		return false
	}
	c.open++
	return true
}

// release undoes one acquire.
func (c *connectionCap) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == c.maximum {
		close(c.freed)
		c.freed = make(chan struct{})
	}
	c.open--
}

// full returns a channel that is closed when there is room again, if further connections are to be refused; nil: there
// is room, or the connections are accepted first.
func (c *connectionCap) full() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.excess != ExcessRefuse || c.maximum == 0 || c.open < c.maximum {
		return nil
	}
	return c.freed
}

// reject ends a connection above the maximum.
func (s *Server) reject(c net.Conn) {
	switch s.connectionCap.excess {
	case ExcessClose:
		c.Close()
	case ExcessHang:
		s.startConn(c, func(net.Conn, uint64) { _, _ = io.Copy(io.Discard, c); c.Close() })
	default:
		reset(c)
	}
}

// refuseUntil closes the listener, and listens again after freed is closed.
func (p *pausableListener) refuseUntil(freed <-chan struct{}) error {
	if !p.closeForNow() {
		return nil
	}
	select {
	case <-freed:
	case <-p.closing:
		return net.ErrClosed
	}
	return p.reopen(0)
}

// closeForNow closes a TCP listener that is to be opened again. It returns false for every other listener.
func (p *pausableListener) closeForNow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	tcp, ok := p.listener.(*net.TCPListener)
	if !ok || p.closed {
		return false
	}
	p.reopening = true
	tcp.Close()
	return true
}
