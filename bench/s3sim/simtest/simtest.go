// Package simtest serves a synthetic bucket on the loopback until the end of a test. Its nouns are those of s3sim.
// The tests of s3sim itself cannot import it.
package simtest

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"

	"headcount/bench/s3sim"
)

// Start serves a bucket on a free port of the loopback until the test ends, and returns its URL. An error ends the
// test.
func Start(t testing.TB, o s3sim.Options) (server *s3sim.Server, url string) {
	t.Helper()
	return StartTLS(t, o, nil)
}

// StartTLS is Start over TLS. With a nil cfg it is Start.
func StartTLS(t testing.TB, o s3sim.Options, cfg *tls.Config) (server *s3sim.Server, url string) {
	t.Helper()
	if cfg == nil {
		return StartBehind(t, o, func(l net.Listener) net.Listener { return l })
	}
	server, url = StartBehind(t, o, func(l net.Listener) net.Listener { return tls.NewListener(l, cfg) })
	return server, "https" + strings.TrimPrefix(url, "http")
}

// StartBehind is Start with the listener that front makes of the TCP listener. If that is not a TCP listener, the fault
// "refuse" resets connections instead of refusing them.
func StartBehind(
	t testing.TB, o s3sim.Options, front func(net.Listener) net.Listener,
) (server *s3sim.Server, url string) {
	t.Helper()
	server, err := s3sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(front(l)) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return server, "http://" + l.Addr().String()
}
