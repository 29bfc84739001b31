package s3sim

import (
	"net"
	"time"
)

const (
	// headBytesMax is how long a request head may be, and the read buffer with
	// it: a read also takes in as many pipelined requests as fit.
	headBytesMax = 64 << 10
	// flushBytes is when answers are written though more requests wait: about
	// one page of a listing, beyond which a larger write saves nothing.
	flushBytes = 256 << 10
)

// conn is one connection. All of it belongs to the goroutine in serve, but for
// what the lane of a delayed answer takes over (see send.go).
type conn struct {
	srv *Server
	net net.Conn
	req request

	in       []byte // read buffer
	out      []byte // answers not yet written
	due      time.Time
	delayed  *delayedWriter // nil where nothing is held back
	bodyLeft int64          // bytes of a request's body still to be passed over

	key        []byte // of the request, decoded
	arena      []byte // query parameters, decoded
	scratch    []byte // a key that is computed to be compared or written
	page       page
	signingKey signingKeyCache

	id         uint64 // of the connection, for request ids
	seq        uint64 // requests so far
	dateHeader dateCache
	uncounted  pendingCount
}

func newConn(s *Server, c net.Conn, id uint64) *conn {
	return &conn{
		srv:     s,
		net:     c,
		id:      id,
		in:      make([]byte, headBytesMax),
		scratch: make([]byte, 0, keyBytesMax),
	}
}

// serve answers requests until the client goes, the Server closes, or an answer
// ends the connection.
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

// respondAll answers the complete requests at the start of buf. It returns how
// many bytes they were, and false when the connection is over.
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
		if then := c.respond(&c.req); then != sendKeepOpen {
			if !c.flush(then) {
				return used, false
			}
		} else if len(c.out) > flushBytes && !c.flush(sendKeepOpen) {
			return used, false
		}
	}
	return used, true
}

// rejectMalformed answers what could not even be parsed, and closes: after such
// a request nobody knows where the next begins.
func (c *conn) rejectMalformed(code errorCode) {
	c.req.closeAfter = true
	c.req.method = nil
	c.fail(&c.req, opOther, code)
	c.flush(sendClose)
}
