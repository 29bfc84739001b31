//go:build !unix

package direct

import (
	"net"
	"time"
)

// socket would be a connection that sends a request by the Read which waits for its answer. Here there is none.
type socket struct {
	net.Conn
	deferring bool
}

func newSocket(net.Conn) *socket { return nil }

func (*socket) deferWrite([]byte, func())             {}
func (*socket) hasDeferred() bool                     { return false }
func (*socket) sawSilentClose() bool                  { return false }
func (*socket) discard()                              {}
func (*socket) setPollDeadline(time.Time, bool) error { return nil }
