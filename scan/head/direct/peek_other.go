//go:build !unix

package direct

import "net"

// peek would look whether there is anything to be read on a connection. Here there is no way to do so without reading.
type peek struct{}

func newPeek(net.Conn) peek { return peek{} }

func (peek) readable() bool { return false }
