//go:build unix

package direct

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// socketPair returns a socket and the other end of its connection.
func socketPair(t *testing.T) (*socket, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	s := newSocket(near)
	if s == nil {
		t.Fatal("no socket for a TCP connection")
	}
	return s, far.(*net.TCPConn)
}

// readFull reads n bytes.
func readFull(t *testing.T, c net.Conn, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	if _, err := io.ReadFull(c, p); err != nil {
		t.Error(err)
	}
	return p
}

// An exchange is one write and one read. There is no useless read before the answer.
func TestExchangeIsTwoCalls(t *testing.T) {
	s, far := socketPair(t)
	calls, sent := 0, 0
	step := s.step
	s.step = func(fd uintptr) bool { calls++; return step(fd) }
	asked := make(chan struct{})
	go func() {
		for range 3 {
			readFull(t, far, 5)
			asked <- struct{}{}
			_, _ = far.Write([]byte("answer"))
		}
	}()
	p := make([]byte, 100)
	for i := range 3 {
		s.deferWrite([]byte("asked"), func() {
			sent++
			<-asked // the request is written, and the answer is not
		})
		n, err := s.Read(p)
		if err != nil || string(p[:n]) != "answer" || sent != i+1 || calls != 2*(i+1) {
			t.Fatalf("%q, %v, after %d calls of step and %d of sent", p[:n], err, calls, sent)
		}
	}
}

// A request that the kernel takes only in parts is written completely before Read waits for the answer.
func TestExchangeOfLongRequest(t *testing.T) {
	s, far := socketPair(t)
	request := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	var got []byte
	go func() {
		got = readFull(t, far, len(request))
		_, _ = far.Write([]byte("answer"))
	}()
	sent := 0
	s.deferWrite(request, func() { sent++ })
	p := make([]byte, 100)
	n, err := s.Read(p)
	if err != nil || string(p[:n]) != "answer" || sent != 1 || !bytes.Equal(got, request) {
		t.Errorf("%q, %v; %d of %d bytes arrived; %d calls of sent", p[:n], err, len(got), len(request), sent)
	}
}

// Deferred writes are sent by the next Read, in one piece, or before the next write that is not deferred.
func TestDeferredWrites(t *testing.T) {
	s, far := socketPair(t)
	s.deferring = true
	for _, part := range []string{"to", "gether"} {
		if n, err := s.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	s.deferring = false
	go func() { _, _ = far.Write(readFull(t, far, 8)) }()
	p := make([]byte, 100)
	if n, err := s.Read(p); err != nil || string(p[:n]) != "together" {
		t.Errorf("%q, %v", p[:n], err)
	}
	s.deferring = true
	_, _ = s.Write([]byte("first, "))
	s.deferring = false
	if _, err := s.Write([]byte("then")); err != nil {
		t.Fatal(err)
	}
	if got := readFull(t, far, 11); string(got) != "first, then" {
		t.Errorf("%q", got)
	}
}

// reset is the error of a connection that was reset. On some systems a write returns EPIPE instead.
const reset = syscall.ECONNRESET

func TestExchangeFails(t *testing.T) {
	for name, c := range map[string]struct {
		do func(s *socket, far *net.TCPConn)
		op string
		is error
	}{
		"deadline before": {func(s *socket, _ *net.TCPConn) {
			_ = s.SetDeadline(time.Unix(1, 0))
		}, "read", os.ErrDeadlineExceeded},
		"deadline during": {func(s *socket, _ *net.TCPConn) {
			s.deferWrite([]byte("asked"), func() { _ = s.SetDeadline(time.Unix(1, 0)) })
		}, "read", os.ErrDeadlineExceeded},
		"closed here": {func(s *socket, _ *net.TCPConn) { s.Close() }, "read", net.ErrClosed},
		"closed there": {func(s *socket, far *net.TCPConn) {
			go func() { readFull(t, far, 5); far.Close() }()
		}, "", io.EOF},
		"reset": {func(s *socket, far *net.TCPConn) {
			go func() { readFull(t, far, 5); _ = far.SetLinger(0); far.Close() }()
		}, "read", reset},
		"reset before": {func(s *socket, far *net.TCPConn) { _ = far.SetLinger(0); far.Close() }, "write", reset},
	} {
		t.Run(name, func(t *testing.T) {
			s, far := socketPair(t)
			s.deferWrite([]byte("asked"), nil)
			c.do(s, far)
			n, err := s.Read(make([]byte, 100))
			var op *net.OpError
			isIt := errors.Is(err, c.is) || c.is == reset && errors.Is(err, syscall.EPIPE)
			if n != 0 || !isIt || c.op != "" && (!errors.As(err, &op) || op.Op != c.op) {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
}

// The other end closes its side before the Read, so that the poller reports it before it is prepared. The Read finds
// the end after pollInterval, long before the deadline.
func TestEndBetweenExchanges(t *testing.T) {
	s, far := socketPair(t)
	if err := s.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := far.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // the runtime polls every 10 ms, and has the event by then
	if err := s.setPollDeadline(time.Now(), true); err != nil {
		t.Fatal(err)
	}
	s.deferWrite([]byte("asked"), nil)
	if n, err := s.Read(make([]byte, 100)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
	readFull(t, far, 5)
}

// A Read whose poll deadline passes too early waits until the answer or the deadline, which may be set meanwhile.
func TestExchangeContinuesAfterPollDeadline(t *testing.T) {
	for name, end := range map[string]func(s *socket, far *net.TCPConn){
		"answer":   func(_ *socket, far *net.TCPConn) { _, _ = far.Write([]byte("answer")) },
		"deadline": func(s *socket, _ *net.TCPConn) { _ = s.SetDeadline(time.Unix(1, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			s, far := socketPair(t)
			if err := s.SetDeadline(time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			// The poll deadline passes before the request is written.
			if err := s.setPollDeadline(time.Now().Add(-pollInterval), true); err != nil {
				t.Fatal(err)
			}
			s.deferWrite([]byte("asked"), nil)
			go func() {
				readFull(t, far, 5)
				end(s, far)
			}()
			p := make([]byte, 100)
			n, err := s.Read(p)
			ok := err == nil && string(p[:n]) == "answer"
			if name == "deadline" {
				ok = errors.Is(err, os.ErrDeadlineExceeded)
			}
			if !ok {
				t.Errorf("%q, %v", p[:n], err)
			}
		})
	}
}
