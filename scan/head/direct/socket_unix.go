//go:build unix

package direct

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// socket is a TCP connection whose Read sends the request and waits for the answer. The Read of a net.TCPConn tries to
// read before it waits. Directly after a request the try always fails, since the answer cannot be there yet. A HEAD
// needs three system calls, one of which is this try: a tenth of the cost of the HEAD. The Read of a socket prepares
// the poller, writes the request, waits, and only then reads.
//
// The poller reports only events that come after it was prepared. The answer always does. The end of the connection may
// come before: a store may close its side between an answer and the next request (RFC 9112 §9.6: the store closes its
// side and continues to read). So a Read that has waited for pollInterval tries to read without an event. Against a
// store that closes connections in this way, the engine stops deferring writes.
//
// A socket belongs to one goroutine. Only Close and SetDeadline may be called concurrently. SetReadDeadline and
// SetWriteDeadline of the embedded connection must not be used.
type socket struct {
	*net.TCPConn
	raw  syscall.RawConn
	step func(fd uintptr) (done bool)

	pollUntil   time.Time // a Read that starts before this time has a poll deadline
	silentClose bool      // the connection had ended, and the poller had not reported it

	mu       sync.Mutex
	deadline time.Time // of all reads and writes; zero: none

	deferring bool   // Write defers what it gets to the next Read
	deferred  []byte // by Write
	out       []byte // the next Read writes it first; empty: it only reads
	sent      func() // called when out is written; may be nil

	// Arguments and results of step.
	in  []byte
	n   int
	err error
}

// pollInterval is the time that a Read waits for the poller before it tries to read; at least half of it. It is long
// compared with an answer and short compared with a new connection. Setting its deadline costs a microsecond, once in
// each half.
const pollInterval = 200 * time.Millisecond

// newSocket returns nil if c is not a TCP connection.
func newSocket(c net.Conn) *socket {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{TCPConn: tcp, raw: raw}
	s.step = s.exchange
	return s
}

// SetDeadline sets the deadline of reads and writes. It may be called concurrently.
func (s *socket) SetDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	return s.TCPConn.SetDeadline(t)
}

// setPollDeadline makes Reads that start at that time stop waiting for the poller after pollInterval. moved means
// that the deadline was set since the last call.
func (s *socket) setPollDeadline(at time.Time, moved bool) error {
	if !moved && at.Before(s.pollUntil) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	poll := at.Add(pollInterval)
	if !s.deadline.IsZero() && s.deadline.Before(poll) {
		return nil // the deadline ends the wait first
	}
	s.pollUntil = at.Add(pollInterval / 2)
	return s.TCPConn.SetReadDeadline(poll)
}

// extendDeadline replaces a poll deadline that has passed by the deadline. It reports whether there is time left.
func (s *socket) extendDeadline() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pollUntil = time.Time{}
	if !s.deadline.IsZero() && !time.Now().Before(s.deadline) {
		return false
	}
	return s.TCPConn.SetReadDeadline(s.deadline) == nil
}

// hasDeferred reports whether there is something left to write. A nil socket has nothing.
func (s *socket) hasDeferred() bool { return s != nil && len(s.out) > 0 }

// sawSilentClose reports whether the connection had ended without a report of the poller.
func (s *socket) sawSilentClose() bool { return s != nil && s.silentClose }

// resetOnClose makes Close reset the connection.
func (s *socket) resetOnClose() {
	if s != nil {
		_ = s.SetLinger(0)
	}
}

// discard drops everything that is left to write.
func (s *socket) discard() {
	if s != nil {
		s.out, s.deferred, s.sent = nil, nil, nil
	}
}

// deferWrite makes the next Read write out first. out must not change until that Read calls sent, which may be nil.
func (s *socket) deferWrite(out []byte, sent func()) { s.out, s.sent = out, sent }

// Write writes what was deferred, and then p. While s.deferring is set it defers p instead.
func (s *socket) Write(p []byte) (int, error) {
	if s.deferring {
		s.deferred = append(s.deferred, p...)
		s.deferWrite(s.deferred, nil)
		return len(p), nil
	}
	if err := s.flush(); err != nil {
		return 0, err
	}
	return s.TCPConn.Write(p)
}

// flush writes everything that is left to write. It may block.
func (s *socket) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.TCPConn.Write(s.out)
	s.onSent()
	return err
}

func (s *socket) onSent() {
	s.out, s.deferred = nil, s.deferred[:0]
	if s.sent != nil {
		s.sent()
		s.sent = nil
	}
}

// Read writes what was deferred, and reads once.
func (s *socket) Read(p []byte) (int, error) {
	n, err := s.read(p)
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !s.extendDeadline() {
		return n, err
	}
	if err := s.flush(); err != nil {
		return 0, err
	}
	n, err = s.TCPConn.Read(p)
	s.silentClose = err == io.EOF
	return n, err
}

func (s *socket) read(p []byte) (int, error) {
	if len(s.out) == 0 {
		return s.TCPConn.Read(p)
	}
	s.in, s.n, s.err = p, 0, nil
	err := s.raw.Read(s.step)
	s.in = nil
	switch {
	case err != nil:
		var raw *net.OpError
		if errors.As(err, &raw) {
			raw.Op = "read" // it is "raw-read"
		}
		return 0, err
	case s.err != nil:
		return 0, s.err
	case s.n > 0:
		return s.n, nil
	}
	if err := s.flush(); err != nil { // the kernel took only a part of it
		return 0, err
	}
	return s.TCPConn.Read(p)
}

// exchange is the function of RawConn.Read. RawConn.Read calls it after it has prepared the poller, and again for
// each event, until exchange is done. The first call writes; the next one reads.
func (s *socket) exchange(fd uintptr) (done bool) {
	if len(s.out) > 0 {
		n, err := ignoringEINTR(syscall.Write, int(fd), s.out)
		switch {
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			s.err = s.opError("write", os.NewSyscallError("write", err))
			return true
		case n < len(s.out):
			s.out = s.out[n:]
			return true
		}
		s.onSent()
		return false
	}
	n, err := ignoringEINTR(syscall.Read, int(fd), s.in)
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != nil:
		s.err = s.opError("read", os.NewSyscallError("read", err))
	case n == 0:
		s.err = io.EOF
	}
	s.n = n
	return true
}

// ignoringEINTR repeats a system call for as long as signals interrupt it.
func ignoringEINTR(call func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		if n, err := call(fd, p); err != syscall.EINTR {
			return n, err
		}
	}
}

// opError returns an error of the form that package net returns.
func (s *socket) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}
