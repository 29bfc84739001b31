package sdk

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

// watchedConn is a TCP connection that remembers what came over it between an answer and the next request. net/http
// reads from an idle connection all the time, and closes one on which it reads anything. It tells nobody.
type watchedConn struct {
	net.Conn
	idle    atomic.Bool // there was an answer, and no request since
	surplus atomic.Bool // bytes came meanwhile
	closed  atomic.Bool
}

func watch(c net.Conn) net.Conn { return &watchedConn{Conn: c} }

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.idle.Load() && !head.IsIdleNotice(p[:n]) {
		c.surplus.Store(true)
	}
	return n, err
}

func (c *watchedConn) Write(p []byte) (int, error) {
	c.idle.Store(false)
	return c.Conn.Write(p)
}

func (c *watchedConn) Close() error {
	c.closed.Store(true)
	return c.Conn.Close()
}

// connUse is a connection, and what came over it.
type connUse struct {
	conn    *watchedConn // nil: there is none
	secured bool         // by TLS
	address *store.Address
	answers int
	usedAt  time.Time
	tail    *list.Entry // the object of session.before; nil: that was the first answer, or there is none

	lastAnswer head.LastAnswer
}

// watchedBelow returns the TCP connection below c, and whether TLS is between them.
func watchedBelow(c net.Conn) (conn *watchedConn, secured bool) {
	for {
		tlsConn, isTLS := c.(*tls.Conn)
		if !isTLS {
			conn, _ = c.(*watchedConn)
			return conn, secured
		}
		c, secured = tlsConn.NetConn(), true
	}
}

// sawSurplus reports whether the store sent more than its answers. Over TLS that is not known: the bytes may be a
// message of TLS.
func (u *connUse) sawSurplus() bool { return u.conn.surplus.Load() && !u.secured }
