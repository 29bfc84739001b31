package s3sim

import (
	"net"
	"time"
)

const (
	// requestHeadBytesMax is the longest request head, and the size of the read buffer. One read takes as many
	// pipelined requests as fit.
	requestHeadBytesMax = 64 << 10
	// flushBytes is the size at which responses are written while more requests wait. It is about one page of a
	// listing; a larger write saves nothing.
	flushBytes = 256 << 10
)

// conn is one connection. The goroutine in serve owns it, except for the buffers that it hands to delayed.
type conn struct {
	srv *Server
	net net.Conn
	req request

	in       []byte // read buffer
	out      []byte // responses not yet written
	due      time.Time
	delayed  *delayedWriter // nil when no response is delayed
	bodyLeft int64          // bytes of a request body still to be discarded

	key     []byte // of the request, decoded
	version []byte // of the request, decoded; nil: none
	arena   []byte // decoded query parameters, or an error body
	scratch []byte // holds one computed key at a time
	page    page

	annotation annotationQuery

	signingKey signingKeyCache

	id         uint64 // of the connection, for request IDs
	seq        uint64 // requests so far, for request IDs
	dateHeader dateCache
	uncounted  pendingCount
}

func newConn(s *Server, c net.Conn, id uint64) *conn {
	return &conn{
		srv:     s,
		net:     c,
		id:      id,
		in:      make([]byte, requestHeadBytesMax),
		scratch: make([]byte, 0, keyBytesMax),
	}
}

// serve answers requests until the client or the Server closes, or a response ends the connection.
func (c *conn) serve() {
	if o := &c.srv.options; o.Latency > 0 || o.ListLatency > 0 || o.Stall > 0 {
		c.delayed = newDelayedWriter(c)
	}
	for have := 0; ; {
		n, err := c.net.Read(c.in[have:])
		if err != nil {
			break
		}
		have += n
		c.req.arrived = time.Now()
		used, open := c.respondAll(c.in[:have])
		if !open || !c.flush(sendKeepOpen) {
			break
		}
		have = copy(c.in, c.in[used:have])
		if have == len(c.in) {
			c.rejectMalformed(codeHeadTooLarge)
			break
		}
	}
	if c.delayed != nil {
		c.delayed.drain()
	}
	c.net.Close()
}

// respondAll answers the complete requests at the start of buf. It returns their length in bytes, and false when the
// connection has ended.
func (c *conn) respondAll(buf []byte) (used int, open bool) {
	for used < len(buf) {
		if c.bodyLeft > 0 {
			n := min(c.bodyLeft, int64(len(buf)-used))
			c.bodyLeft -= n
			used += int(n)
			continue
		}
		n, err := c.req.parse(buf[used:])
		if err != nil {
			c.rejectMalformed(codeBadRequest)
			return used, false
		}
		if n == 0 {
			break
		}
		used += n
		c.bodyLeft = c.req.bodyBytes
		if mode := c.respond(&c.req); mode != sendKeepOpen {
			if !c.flush(mode) {
				return used, false
			}
		} else if len(c.out) > flushBytes && !c.flush(sendKeepOpen) {
			return used, false
		}
	}
	return used, true
}

// rejectMalformed answers a request that could not be parsed, and closes the connection: the start of the next request
// is unknown.
func (c *conn) rejectMalformed(code errorCode) {
	c.req.closeAfter = true
	c.req.method = nil
	c.fail(&c.req, opOther, code)
	c.flush(sendClose)
}
