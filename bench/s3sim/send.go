package s3sim

import (
	"io"
	"net"
	"time"
)

// sendMode is how bytes are written and what happens to the connection after them.
type sendMode uint8

const (
	sendKeepOpen sendMode = iota
	sendClose             // as the protocol has it: half-close, wait a moment, close
	sendFIN               // close the TCP connection under whatever is above it
	sendReset             // RST
	sendHang              // nothing, until the client goes
	sendSlowly            // a byte at a time, then go on
)

// flush writes what was appended. It returns false when the connection is over.
func (c *conn) flush(m sendMode) bool {
	c.srv.counts.flush(&c.uncounted)
	if len(c.out) == 0 && m == sendKeepOpen {
		return true
	}
	if c.delayed != nil {
		return c.delayed.enqueue(m)
	}
	ok := c.send(c.out, m)
	c.out = c.out[:0]
	return ok
}

// send writes data in a manner.
func (c *conn) send(data []byte, m sendMode) bool {
	if m == sendSlowly {
		return c.writeSlowly(data)
	}
	if len(data) > 0 {
		if _, err := c.net.Write(data); err != nil {
			return false
		}
	}
	switch m {
	case sendKeepOpen:
		return true
	case sendClose:
		closeGracefully(c.net)
	case sendFIN:
		closeGracefully(underlying(c.net))
	case sendReset:
		reset(c.net)
	case sendHang:
		io.Copy(io.Discard, c.net)
	}
	return false
}

// writeSlowly writes one byte at a time. The client's going ends it through the write's error.
func (c *conn) writeSlowly(data []byte) bool {
	for i := range data {
		if _, err := c.net.Write(data[i : i+1]); err != nil {
			return false
		}
		if !c.srv.sleep(c.srv.options.ByteEvery) {
			return false
		}
	}
	return true
}

// lingerTime is how long a half-closed connection waits for the client to have
// read everything: closing a socket with unread bytes in it sends a reset, which
// can overtake the answer (RFC 9112 §9.6).
const lingerTime = 500 * time.Millisecond

// closeGracefully ends a connection so that the client still gets all that was written.
func closeGracefully(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		c.SetReadDeadline(time.Now().Add(lingerTime))
		io.Copy(io.Discard, c)
	}
	c.Close()
}

// reset closes a connection with RST: a linger time of 0 makes the kernel drop
// what is unsent and say so.
func reset(c net.Conn) {
	c = underlying(c)
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}

// underlying returns the connection beneath TLS, since resets and cuts are TCP's.
func underlying(c net.Conn) net.Conn {
	for {
		wrapped, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = wrapped.NetConn()
	}
}
