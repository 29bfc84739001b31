package head

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"headcount/scan/fault"
	"headcount/scan/store"
)

const (
	// readBufferMin holds six usual answers, of answerBytes each, or the longest of AWS, which takes 2 KB of metadata for an object. Every
	// connection has one; it grows where they are longer.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html (User-defined object metadata)
	readBufferMin = 4 << 10
	answerBytes   = 640

	// ageMax is how long a connection is used, or up to a quarter less, so that not all end at once: the load moves along
	// when a store's addresses change.
	ageMax = 5 * time.Minute

	// deadlineSlack is the part of a timeout by which it may be exceeded: a deadline is set that much later than it must
	// be, so that it need not be set anew for every request.
	deadlineSlack = 16

	tlsTimeout = 10 * time.Second // the store's CPU may be busy with a thousand other handshakes
)

var (
	errOutOfStep = &wireError{fault.Malformed, "an answer that is another request's"}
	errSurplus   = &wireError{fault.Malformed, "more answers than requests"}
	errClosing   = &wireError{fault.Closed, "the store closes the connection before it has answered"}
)

// conn is one connection, and what was read from it. It belongs to one session.
type conn struct {
	net.Conn
	socket *socket // below it; nil: there is none of that kind
	sender store.Sender
	at     *store.Address
	route  *store.Route
	expiry time.Time // when it has been used for long enough
	peek   peek

	posted   []byte    // what the next fill sends
	answers  int       // that it has brought
	refused  int       // of them, in a row: see isRefusal
	lastRead time.Time // or when it was opened
	deadline time.Time // of whatever it does next

	in       []byte
	from, to int // in[from:to] was read, and not taken yet
	searched int // bytes of that in which no header block ends
}

// dial connects to the sender's endpoint, and to another address than that of but if its name has others; in becomes the read buffer.
func dial(ctx context.Context, st *store.Store, sender store.Sender, but *store.Address, in []byte) (*conn, error) {
	route, err := sender.Route()
	if err != nil {
		return nil, err
	}
	c, at, err := st.Dial(ctx, sender, route, but)
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
	expiry := now.Add(ageMax - rand.N(ageMax/4))
	return &conn{Conn: c, socket: socket, sender: sender, at: at, route: route, expiry: expiry, peek: newPeek(c), lastRead: now, in: in}, nil
}

// dialApart is dial on a stack of its own. Nothing else that a Session does over plain HTTP needs more than 4 KiB of its worker's stack; a dial
// needs 8, and these would stay: the runtime shrinks no stack of which a quarter is in use, as it is by the wait for an answer.
func dialApart(ctx context.Context, st *store.Store, sender store.Sender, but *store.Address, in []byte) (c *conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err = dial(ctx, st, sender, but, in)
	}()
	<-done // soon after ctx's end, too
	return c, err
}

// stale says whether another request should rather go over another connection.
func (c *conn) stale(now time.Time) bool {
	return now.Sub(c.lastRead) > store.IdleTimeout || now.After(c.expiry)
}

// extend moves the deadline so that what is sent at that time has the whole of its timeout, and says whether it had to.
func (c *conn) extend(at time.Time, timeout time.Duration) (moved bool, err error) {
	if end := at.Add(timeout); c.deadline.Before(end) {
		c.deadline = end.Add(timeout / deadlineSlack)
		if err := c.SetDeadline(c.deadline); err != nil {
			return true, err
		}
		moved = true
	}
	if c.socket != nil {
		err = c.socket.arm(at, moved)
	}
	return moved, err
}

// Close closes it. What was not sent yet is not.
func (c *conn) Close() error {
	c.socket.drop()
	return c.Conn.Close()
}

// send writes requests, or lets the next fill do so, unless they are to go at once: until that says so, they must not change.
func (c *conn) send(requests []byte, atOnce bool) error {
	switch {
	case c.socket == nil || atOnce:
		_, err := c.Write(requests)
		return err
	case c.Conn == c.socket:
		c.posted = requests
		return nil
	}
	c.socket.lazy = true // what TLS makes of them
	defer func() { c.socket.lazy = false }()
	_, err := c.Write(requests)
	return err
}

// untaken says whether bytes were read that are part of no answer taken.
func (c *conn) untaken() bool { return c.from < c.to }

// whole says whether a whole header block was read. An error says that what was read will not become one.
func (c *conn) whole() (bool, error) {
	text := c.in[c.from:c.to]
	if !startsHTTP(text) {
		if c.answers > 0 {
			return false, errSurplus // of the answer before, like a body
		}
		return false, malformed("it does not begin as HTTP does")
	}
	if headerEnds(text[max(0, c.searched-2):]) { // two bytes of the end may have been there
		c.searched = 0
		return true, nil
	}
	c.searched = len(text)
	if len(text) > store.HeaderBytesMax {
		return false, errTooLong
	}
	return false, nil
}

// take reads the header block at the front into r, and says whether it is an answer: a 1xx is none yet (RFC 9110 §15.2).
func (c *conn) take(r *Result) (final, closing bool, err error) {
	length, closing, err := r.parse(c.in[c.from:c.to])
	if err != nil {
		return false, false, err
	}
	if length > store.HeaderBytesMax {
		return false, false, errTooLong
	}
	c.from += length
	return r.Status >= 200, closing, nil
}

// fill reads once. What was taken before is overwritten, unless it is still held; if not, it calls waits when all is sent and it waits for what comes.
func (c *conn) fill(held bool, waits func()) error {
	switch {
	case c.posted != nil:
		c.socket.post(c.posted, waits)
		c.posted = nil
	case !held:
		waits()
	}
	switch {
	case c.from == c.to && !held:
		c.from, c.to = 0, 0
	case c.to == len(c.in): // what is held stays where it is, in the old memory
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
	n, err := c.Read(c.in[c.to:])
	c.to += n
	c.lastRead = time.Now()
	switch {
	case n > 0 && c.socket.posted():
		return errSurplus // TLS had it already
	case n > 0:
		return nil
	}
	if err == io.EOF && c.untaken() {
		return io.ErrUnexpectedEOF
	}
	return err
}

// isDead says whether an error is that of a connection which the other side has closed.
func isDead(err error) bool {
	return fault.ClassOf(err).ConnClosed()
}

// refusalsMost is after how many refusals in a row a session looks for another endpoint, if there is one. One that is out of order
// answers fast: the session would stay with it and bring it ever more. Passing trouble is a reason at once.
const refusalsMost = 3

// isRefusal says whether a status may be the endpoint's word, and not meant for the object.
func isRefusal(status int) bool { return status >= 400 && status != http.StatusNotFound }

// isDoubt says whether an error means that answers cannot be told apart.
func isDoubt(err error) bool { return err == errOutOfStep || err == errSurplus }

// isOwn says whether an error is that of the request which was sent first, even if others are in flight behind it.
func isOwn(err error) bool {
	var timeout net.Error
	return errors.Is(err, errTooLong) || errors.As(err, &timeout) && timeout.Timeout()
}
