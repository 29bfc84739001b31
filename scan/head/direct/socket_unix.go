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

// socket is a TCP connection that sends a request by the Read which waits for its answer. A Read begins by trying, and what was asked a moment ago is not
// there yet: that is one system call of three, and a tenth of what a HEAD costs. Here the poller is made ready first, then the request
// is written, then the goroutine waits, and only then it reads.
//
// What comes after the poller was made ready wakes it: the answer always does. What came before does not. A store that ends a connection without a word
// (RFC 9112 §9.6: it closes its side, and reads on) may do so between an answer and the next request, and then it says nothing more. So who
// waits for lookAfter tries to read all the same; and with a store that does so, the engine does without.
//
// A socket belongs to one goroutine, but for Close and SetDeadline. There is no other deadline but that.
type socket struct {
	*net.TCPConn
	raw  syscall.RawConn
	step func(fd uintptr) (done bool)

	pollUntil   time.Time // until then a Read looks in time
	silentClose bool      // an end that the poller did not tell of

	mu       sync.Mutex
	deadline time.Time // of all reads and writes; zero: there is none

	deferring bool   // Write keeps what it is given for the next Read
	deferred  []byte // by it
	out       []byte // what the next Read writes first; empty: it reads only
	sent      func() // is called when that is written; nil: nothing is
	in        []byte // what Read was given
	n         int
	err       error
}

// pollInterval is how long a Read waits before it looks; half of it, where the last one began just before. It is long beside what an answer takes, and short beside
// what a new connection does. To set it anew costs a microsecond in each half of it.
const pollInterval = 200 * time.Millisecond

// newSocket returns nil where c is no TCP connection.
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

// SetDeadline sets that of reads and writes. It may be called concurrently.
func (s *socket) SetDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	return s.TCPConn.SetDeadline(t)
}

// setPollDeadline lets Reads that begin at that time look after a while. It must be told of a deadline that was set since.
func (s *socket) setPollDeadline(at time.Time, moved bool) error {
	if !moved && at.Before(s.pollUntil) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	look := at.Add(pollInterval)
	if !s.deadline.IsZero() && s.deadline.Before(look) {
		return nil // which wakes it
	}
	s.pollUntil = at.Add(pollInterval / 2)
	return s.TCPConn.SetReadDeadline(look)
}

// extendDeadline says whether a Read that was woken is to wait on, until the deadline proper.
func (s *socket) extendDeadline() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pollUntil = time.Time{}
	if !s.deadline.IsZero() && !time.Now().Before(s.deadline) {
		return false
	}
	return s.TCPConn.SetReadDeadline(s.deadline) == nil
}

// hasDeferred says whether there is something left to be written.
func (s *socket) hasDeferred() bool { return s != nil && len(s.out) > 0 }

// sawSilentClose says whether the connection had ended before a Read looked.
func (s *socket) sawSilentClose() bool { return s != nil && s.silentClose }

// discard forgets what is left to be written.
func (s *socket) discard() {
	if s != nil {
		s.out, s.deferred, s.sent = nil, nil, nil
	}
}

// deferWrite lets the next Read write out, which must not change until sent is called.
func (s *socket) deferWrite(out []byte, sent func()) { s.out, s.sent = out, sent }

// Write writes, after what was kept; or keeps.
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

// flush writes what is left to be written, however long that takes.
func (s *socket) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.TCPConn.Write(s.out)
	s.written()
	return err
}

func (s *socket) written() {
	s.out, s.deferred = nil, s.deferred[:0]
	if s.sent != nil {
		s.sent()
		s.sent = nil
	}
}

// Read writes what was posted, and reads once.
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
			raw.Op = "read" // raw-read is nobody's word
		}
		return 0, err
	case s.err != nil:
		return 0, s.err
	case s.n > 0:
		return s.n, nil
	}
	if err := s.flush(); err != nil { // there was no room for all of it
		return 0, err
	}
	return s.TCPConn.Read(p)
}

// exchange is called when the poller is ready, and again whenever there may be something to be read, until it says that it is done.
func (s *socket) exchange(fd uintptr) (done bool) {
	if len(s.out) > 0 {
		n, err := again(syscall.Write, int(fd), s.out)
		switch {
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			s.err = s.failed("write", os.NewSyscallError("write", err))
			return true
		case n < len(s.out):
			s.out = s.out[n:]
			return true
		}
		s.written()
		return false
	}
	n, err := again(syscall.Read, int(fd), s.in)
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != nil:
		s.err = s.failed("read", os.NewSyscallError("read", err))
	case n == 0:
		s.err = io.EOF
	}
	s.n = n
	return true
}

// again calls what a signal may interrupt, until none does.
func again(call func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		if n, err := call(fd, p); err != syscall.EINTR {
			return n, err
		}
	}
}

// failed is an error as net would tell it.
func (s *socket) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}
