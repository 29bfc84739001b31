//go:build !unix

package direct

import "net"

// peek would check a connection for unread bytes. On this system that is impossible without reading them.
type peek struct{}

func newPeek(net.Conn) peek { return peek{} }

func (peek) readable() bool { return false }
