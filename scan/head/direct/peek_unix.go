//go:build unix

package direct

import (
	"crypto/tls"
	"net"
	"syscall"
)

// peek looks whether there is anything to be read on a connection, without reading it. Nothing should be while nothing
// was asked: bytes are an answer that nobody asked for, which the next HEAD would take for its own, and an end is the
// end of the connection.
type peek struct {
	socket syscall.RawConn // nil: nobody knows
	check  func(fd uintptr)
	found  *bool
}

func newPeek(c net.Conn) peek {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn() // what is there then may be a session ticket; a connection dropped for one is a small loss
	}
	raw, ok := c.(syscall.Conn)
	if !ok {
		return peek{}
	}
	socket, err := raw.SyscallConn()
	if err != nil {
		return peek{}
	}
	p := peek{socket: socket, found: new(bool)}
	p.check = func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		*p.found = err != syscall.EAGAIN && err != syscall.EINTR
	}
	return p
}

// readable says whether there is. It costs a system call.
func (p peek) readable() bool {
	if p.socket == nil {
		return false
	}
	return p.socket.Control(p.check) != nil || *p.found
}
