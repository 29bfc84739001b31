//go:build unix

package direct

import (
	"crypto/tls"
	"net"
	"syscall"
)

// peek checks a connection for unread bytes, without reading them. There should be none while no request is in
// flight. Bytes would be an unrequested answer, which the next HEAD would take for its own. An end would be the end
// of the connection.
type peek struct {
	socket syscall.RawConn // nil: the connection has no socket
	check  func(fd uintptr)
	found  *bool
}

func newPeek(c net.Conn) peek {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn() // the bytes may be a session ticket; to drop a connection because of one is a small loss
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

// readable reports whether there are unread bytes, or an end or error to read. It costs a system call.
func (p peek) readable() bool {
	if p.socket == nil {
		return false
	}
	return p.socket.Control(p.check) != nil || *p.found
}
