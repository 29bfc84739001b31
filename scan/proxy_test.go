package scan_test

import (
	"net"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

// proxy watches the connections between clients and a store. Both functions may be nil. Connections call them
// concurrently.
type proxy struct {
	onRequest func(c net.Conn, text []byte) error // with the bytes that the store reads; it returns the error of Read
	onAnswer  func(c net.Conn)                    // before each Write of the store
}

// startBehindProxy starts a sim whose connections pass through a proxy.
func startBehindProxy(t *testing.T, o s3sim.Options, p proxy) (*s3sim.Server, string) {
	t.Helper()
	return simtest.StartBehind(t, o, func(l net.Listener) net.Listener { return &proxyListener{l, p} })
}

type proxyListener struct {
	net.Listener
	proxy proxy
}

func (l *proxyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &proxyConn{c, l.proxy}, nil
}

type proxyConn struct {
	net.Conn
	proxy proxy
}

func (c *proxyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && c.proxy.onRequest != nil {
		err = c.proxy.onRequest(c.Conn, p[:n])
	}
	return n, err
}

func (c *proxyConn) Write(p []byte) (int, error) {
	if c.proxy.onAnswer != nil {
		c.proxy.onAnswer(c.Conn)
	}
	return c.Conn.Write(p)
}
