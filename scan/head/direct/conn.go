package direct

import (
	"context"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

const (
	// readBufferMin is the initial size of a connection's read buffer, in bytes. It holds six usual answers of
	// answerBytes each, or the longest answer of AWS, which allows 2 KB of metadata per object. It grows for longer
	// ones.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html (User-defined object metadata)
	readBufferMin = 4 << 10
	answerBytes   = 640

	// connAgeMax is the age at which a connection is replaced, so that the load follows a store whose addresses
	// change. A random quarter is subtracted: not all connections should be replaced at once.
	connAgeMax = 5 * time.Minute

	// deadlineSlack is the fraction, one part in deadlineSlack, by which a HEAD may exceed its timeout. A deadline is
	// set that much too late, so that it need not be set again for every request.
	deadlineSlack = 16

	tlsTimeout = 10 * time.Second // the store may have a thousand handshakes to do at the start of a run
)

// conn is one connection and the bytes read from it. It belongs to one session.
type conn struct {
	net.Conn
	socket   *socket // the TCP connection below Conn; nil: this system has no sockets
	endpoint *store.Endpoint
	address  *store.Address
	route    *store.Route
	expiry   time.Time // the connection is replaced after it
	single   bool      // it carries one HEAD: the endpoint sends more than its answers
	peek     peek

	deferred   []byte // requests that the next read sends
	answers    int    // answers received so far
	lastAnswer head.LastAnswer
	failures   head.FailureStreak
	lastRead   time.Time // or the time of connecting
	deadline   time.Time // of reads and writes

	buf        []byte
	start, end int // buf[start:end] is read and not parsed
	searched   int // the first bytes of that part contain no end of a header block
	interim    int // bytes of the 1xx answers before the one that is read

	// The last answers: see doubt.go.
	last   *list.Entry // the object of the last answer; nil: its status was not 200, or it was not as listed
	tail   *list.Entry // the object of the last answer that has one; nil: that was the first answer, or there is none
	text   []byte      // a copy of the last answer that has an object
	lastID []byte      // the request ID of the last answer, if the next answer could be a copy of it
}

// dial connects to endpoint. If the endpoint's name has several addresses, it avoids that of avoid. buf becomes the
// read buffer.
func dial(
	ctx context.Context, st *store.Store, endpoint *store.Endpoint, avoid *store.Address, buf []byte,
) (*conn, error) {
	route, err := endpoint.Route()
	if err != nil {
		return nil, err
	}
	c, address, err := st.Dial(ctx, endpoint, route, avoid)
	if err != nil {
		return nil, err
	}
	socket := newSocket(c)
	if socket != nil {
		c = socket
	}
	if route.TLS != nil {
		if c, err = handshake(ctx, c, route.TLS); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	return &conn{
		Conn: c, socket: socket, endpoint: endpoint, address: address, route: route,
		expiry: now.Add(connAgeMax - rand.N(connAgeMax/4)), peek: newPeek(c), lastRead: now, buf: buf,
	}, nil
}

// handshake returns the TLS connection over c. It closes c if the handshake fails.
func handshake(ctx context.Context, c net.Conn, cfg *tls.Config) (net.Conn, error) {
	secured := tls.Client(c, cfg)
	ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return secured, nil
}

// expired reports whether the next request should go over another connection.
func (c *conn) expired(now time.Time) bool {
	return now.Sub(c.lastRead) > store.IdleTimeout || now.After(c.expiry)
}

// setDeadline makes sure that a request sent at that time has its whole timeout. It reports whether it had to move
// the deadline.
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

// Close closes the connection and discards deferred requests. A connection that carried one HEAD is reset: thousands of
// them a second would use up the ports of this machine, each of which rests for a minute after an orderly close.
func (c *conn) Close() error {
	c.socket.discard()
	if c.single {
		c.socket.resetOnClose()
	}
	return c.Conn.Close()
}

// send sends requests: at once, or by the next read. In the second case requests must not change until that read has
// sent them.
func (c *conn) send(requests []byte, atOnce bool) error {
	switch {
	case c.socket == nil || atOnce:
		_, err := c.Write(requests)
		return err
	case c.Conn == c.socket:
		c.deferred = requests
		return nil
	}
	c.socket.deferring = true // TLS encrypts the requests now, and the socket sends them with its next Read
	defer func() { c.socket.deferring = false }()
	_, err := c.Write(requests)
	return err
}

// hasUnread reports whether bytes were read that belong to no parsed answer.
func (c *conn) hasUnread() bool { return c.start < c.end }

// hasHeader reports whether a complete header block was read. It returns an error if the bytes read cannot become
// one.
func (c *conn) hasHeader() (bool, error) {
	text := c.buf[c.start:c.end]
	if !startsHTTP(text) {
		if c.answers > 0 {
			return false, errSurplus // the answer before may have had a body
		}
		return false, malformedError("it does not start with HTTP/1")
	}
	if hasHeaderEnd(text[max(0, c.searched-2):]) { // two bytes of the end may be in the part searched before
		c.searched = 0
		return true, nil
	}
	c.searched = len(text)
	if len(text) > store.HeaderBytesMax {
		return false, errTooLong
	}
	return false, nil
}

// parse parses the next header block into r. It reports whether r is the final answer: a 1xx status announces another
// one (RFC 9110 §15.2).
func (c *conn) parse(r *response) (final, closing bool, err error) {
	length, closing, err := r.parse(c.buf[c.start:c.end])
	if err != nil {
		return false, false, err
	}
	if c.interim+length > store.HeaderBytesMax {
		return false, false, errTooLong
	}
	c.start += length
	if r.Status < 200 {
		c.interim += length
		return false, closing, nil
	}
	c.interim, r.start, r.end = 0, c.start-length, c.start
	return true, closing, nil
}

// moveUnread moves the unread bytes to the start of buf. They overwrite parsed answers.
func (c *conn) moveUnread() {
	c.start, c.end = 0, copy(c.buf, c.buf[c.start:c.end])
}

// read sends deferred requests and reads once. It overwrites parsed answers, unless retain is set: then Results still
// point into them. Without retain it calls onWait after all is sent and before it waits for the store.
func (c *conn) read(retain bool, onWait func()) error {
	switch {
	case c.deferred != nil:
		c.socket.deferWrite(c.deferred, onWait)
		c.deferred = nil
	case !retain:
		onWait()
	}
	switch {
	case retain && c.end == len(c.buf): // retained answers stay valid in the old array
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	case retain:
	case c.start == c.end, c.end == len(c.buf) && c.start > 0:
		c.moveUnread()
	case c.end == len(c.buf):
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.Read(c.buf[c.end:])
	c.end += n
	c.lastRead = time.Now()
	switch {
	case n > 0 && c.socket.hasDeferred():
		return errSurplus // TLS had decrypted it before the request was sent
	case n > 0:
		return nil
	}
	if err == io.EOF && c.hasUnread() {
		return io.ErrUnexpectedEOF
	}
	return err
}
