//go:build !unix

package head

import (
	"net"
	"time"
)

// socket would be a connection that sends a request by the Read which waits for its answer. Here there is none.
type socket struct {
	net.Conn
	lazy bool
}

func newSocket(net.Conn) *socket { return nil }

func (*socket) post([]byte, func())       {}
func (*socket) posted() bool              { return false }
func (*socket) hasMissed() bool           { return false }
func (*socket) drop()                     {}
func (*socket) arm(time.Time, bool) error { return nil }
