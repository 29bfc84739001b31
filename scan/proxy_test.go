package scan_test

import (
	"net"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

// tap is the way between a store and its clients, for a test that listens in. Both functions may be nil, and are called from
// many connections at once.
type tap struct {
	heard func(c net.Conn, text []byte) error // of what the store is about to read; an error is what it reads instead
	said  func(c net.Conn)                    // before the store writes
}

// tapped serves a sim behind a tap.
func tapped(t *testing.T, o s3sim.Options, by tap) (*s3sim.Server, string) {
	t.Helper()
	return simtest.StartBehind(t, o, func(l net.Listener) net.Listener { return &tapListener{l, by} })
}

type tapListener struct {
	net.Listener
	tap tap
}

func (l *tapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tapConn{c, l.tap}, nil
}

type tapConn struct {
	net.Conn
	tap tap
}

func (c *tapConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && c.tap.heard != nil {
		err = c.tap.heard(c.Conn, p[:n])
	}
	return n, err
}

func (c *tapConn) Write(p []byte) (int, error) {
	if c.tap.said != nil {
		c.tap.said(c.Conn)
	}
	return c.Conn.Write(p)
}
