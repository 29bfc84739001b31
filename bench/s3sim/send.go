package s3sim

import (
	"io"
	"net"
	"time"
)

// sendMode says how bytes are written and what happens to the connection afterwards.
type sendMode uint8

const (
	sendKeepOpen sendMode = iota
	sendClose             // half-close, wait for the client, close: RFC 9112 §9.6
	sendFIN               // the same on the TCP connection below TLS
	sendReset             // RST
	sendHang              // write nothing more until the client closes
	sendSlowly            // write one byte at a time, then keep the connection open
)

// flush writes the responses that were appended so far. It returns false when the connection has ended.
func (c *conn) flush(mode sendMode) bool {
	c.srv.counts.flush(&c.uncounted)
	if len(c.out) == 0 && mode == sendKeepOpen {
		return true
	}
	if c.delayed != nil {
		return c.delayed.put(mode)
	}
	ok := c.send(c.out, mode)
	c.out = c.out[:0]
	return ok
}

// send writes data now. It returns false when the connection has ended.
func (c *conn) send(data []byte, mode sendMode) bool {
	if mode == sendSlowly {
		return c.writeSlowly(data)
	}
	if len(data) > 0 {
		if _, err := c.net.Write(data); err != nil {
			return false
		}
	}
	switch mode {
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

// writeSlowly writes one byte at a time. It returns false when the client or the Server closes.
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

// lingerTime is how long a half-closed connection waits for the client to close. Closing a socket that holds unread
// bytes sends a reset, which can overtake the response: RFC 9112 §9.6.
const lingerTime = 500 * time.Millisecond

// closeGracefully closes a connection so that the client receives everything that was written.
func closeGracefully(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		c.SetReadDeadline(time.Now().Add(lingerTime))
		io.Copy(io.Discard, c)
	}
	c.Close()
}

// reset closes a connection with RST: with a linger time of 0 the kernel drops unsent bytes and sends a reset.
func reset(c net.Conn) {
	c = underlying(c)
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}

// underlying returns the connection below TLS, since resets and cuts belong to TCP.
func underlying(c net.Conn) net.Conn {
	for {
		wrapped, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = wrapped.NetConn()
	}
}
