//go:build !unix

package direct

import (
	"net"
	"time"
)

// socket would be a TCP connection whose Read sends the request and waits for the answer. This system has none.
type socket struct {
	net.Conn
	deferring bool
}

func newSocket(net.Conn) *socket { return nil }

func (*socket) deferWrite([]byte, func())             {}
func (*socket) hasDeferred() bool                     { return false }
func (*socket) sawSilentClose() bool                  { return false }
func (*socket) discard()                              {}
func (*socket) resetOnClose()                         {}
func (*socket) setPollDeadline(time.Time, bool) error { return nil }
