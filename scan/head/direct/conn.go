package direct

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/store"
)

const (
	// readBufferMin holds six usual answers, of answerBytes each, or the longest of AWS, which takes 2 KB of metadata for an object. Every
	// connection has one; it grows where they are longer.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html (User-defined object metadata)
	readBufferMin = 4 << 10
	answerBytes   = 640

	// connAgeMax is how long a connection is used, or up to a quarter less, so that not all end at once: the load moves along
	// when a store's addresses change.
	connAgeMax = 5 * time.Minute

	// deadlineSlack is the part of a timeout by which it may be exceeded: a deadline is set that much later than it must
	// be, so that it need not be set anew for every request.
	deadlineSlack = 16

	tlsTimeout = 10 * time.Second // the store's CPU may be busy with a thousand other handshakes
)

var (
	errOutOfSync = &wireError{fault.Malformed, "an answer that is another request's"}
	errSurplus   = &wireError{fault.Malformed, "more answers than requests"}
	errClosing   = &wireError{fault.Closed, "the store closes the connection before it has answered"}
)

// conn is one connection, and what was read from it. It belongs to one session.
type conn struct {
	net.Conn
	socket   *socket // below it; nil: there is none of that kind
	endpoint *store.Endpoint
	address  *store.Address
	route    *store.Route
	expiry   time.Time // when it has been used for long enough
	peek     peek

	deferred []byte // what the next fill sends
	answered int    // that it has brought
	refusals head.RefusalStreak
	lastRead time.Time // or when it was opened
	deadline time.Time // of whatever it does next

	buf        []byte
	start, end int // in[from:to] was read, and not taken yet
	searched   int // bytes of that in which no header block ends
}

// dial connects to endpoint, and to another address than that of but if its name has others; in becomes the read buffer.
func dial(ctx context.Context, st *store.Store, endpoint *store.Endpoint, but *store.Address, in []byte) (*conn, error) {
	route, err := endpoint.Route()
	if err != nil {
		return nil, err
	}
	c, at, err := st.Dial(ctx, endpoint, route, but)
	if err != nil {
		return nil, err
	}
	socket := newSocket(c)
	if socket != nil {
		c = socket
	}
	if route.TLS != nil {
		secured := tls.Client(c, route.TLS)
		ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
		defer cancel()
		if err := secured.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, err
		}
		c = secured
	}
	now := time.Now()
	expiry := now.Add(connAgeMax - rand.N(connAgeMax/4))
	return &conn{Conn: c, socket: socket, endpoint: endpoint, address: at, route: route, expiry: expiry, peek: newPeek(c), lastRead: now, buf: in}, nil
}

// expired says whether another request should rather go over another connection.
func (c *conn) expired(now time.Time) bool {
	return now.Sub(c.lastRead) > store.IdleTimeout || now.After(c.expiry)
}

// setDeadline moves the deadline so that what is sent at that time has the whole of its timeout, and says whether it had to.
func (c *conn) setDeadline(at time.Time, timeout time.Duration) (moved bool, err error) {
	if end := at.Add(timeout); c.deadline.Before(end) {
		c.deadline = end.Add(timeout / deadlineSlack)
		if err := c.SetDeadline(c.deadline); err != nil {
			return true, err
		}
		moved = true
	}
	if c.socket != nil {
		err = c.socket.setPollDeadline(at, moved)
	}
	return moved, err
}

// Close closes it. What was not sent yet is not.
func (c *conn) Close() error {
	c.socket.discard()
	return c.Conn.Close()
}

// send writes requests, or lets the next fill do so, unless they are to go at once: until that says so, they must not change.
func (c *conn) send(requests []byte, atOnce bool) error {
	switch {
	case c.socket == nil || atOnce:
		_, err := c.Write(requests)
		return err
	case c.Conn == c.socket:
		c.deferred = requests
		return nil
	}
	c.socket.deferring = true // what TLS makes of them
	defer func() { c.socket.deferring = false }()
	_, err := c.Write(requests)
	return err
}

// hasUnread says whether bytes were read that are part of no answer taken.
func (c *conn) hasUnread() bool { return c.start < c.end }

// hasHeader says whether a whole header block was read. An error says that what was read will not become one.
func (c *conn) hasHeader() (bool, error) {
	text := c.buf[c.start:c.end]
	if !startsHTTP(text) {
		if c.answered > 0 {
			return false, errSurplus // of the answer before, like a body
		}
		return false, malformedError("it does not begin as HTTP does")
	}
	if hasHeaderEnd(text[max(0, c.searched-2):]) { // two bytes of the end may have been there
		c.searched = 0
		return true, nil
	}
	c.searched = len(text)
	if len(text) > store.HeaderBytesMax {
		return false, errTooLong
	}
	return false, nil
}

// parse reads the header block at the front into r, and says whether it is an answer: a 1xx is none yet (RFC 9110 §15.2).
func (c *conn) parse(r *response) (final, closing bool, err error) {
	length, closing, err := r.parse(c.buf[c.start:c.end])
	if err != nil {
		return false, false, err
	}
	if length > store.HeaderBytesMax {
		return false, false, errTooLong
	}
	c.start += length
	return r.Status >= 200, closing, nil
}

// read reads once. What was taken before is overwritten, unless it is still held; if not, it calls waits when all is sent and it waits for what comes.
func (c *conn) read(held bool, waits func()) error {
	switch {
	case c.deferred != nil:
		c.socket.deferWrite(c.deferred, waits)
		c.deferred = nil
	case !held:
		waits()
	}
	switch {
	case c.start == c.end && !held:
		c.start, c.end = 0, 0
	case c.end == len(c.buf): // what is held stays where it is, in the old memory
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.Read(c.buf[c.end:])
	c.end += n
	c.lastRead = time.Now()
	switch {
	case n > 0 && c.socket.hasDeferred():
		return errSurplus // TLS had it already
	case n > 0:
		return nil
	}
	if err == io.EOF && c.hasUnread() {
		return io.ErrUnexpectedEOF
	}
	return err
}

// isConnClosed says whether an error is that of a connection which the other side has closed.
func isConnClosed(err error) bool {
	return fault.ClassOf(err).ConnClosed()
}

// isOutOfSync says whether an error means that answers cannot be told apart.
func isOutOfSync(err error) bool { return err == errOutOfSync || err == errSurplus }

// isFirstRequests says whether an error is that of the request which was sent first, even if others are in flight behind it.
func isFirstRequests(err error) bool {
	var timeout net.Error
	return errors.Is(err, errTooLong) || errors.As(err, &timeout) && timeout.Timeout()
}
