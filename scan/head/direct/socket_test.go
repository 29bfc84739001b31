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

// pair is a socket and the other side of its connection.
func pair(t *testing.T) (*socket, *net.TCPConn) {
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
		t.Fatal("a TCP connection is no socket")
	}
	return s, far.(*net.TCPConn)
}

// readWhole reads so many bytes of the far side.
func readWhole(t *testing.T, c net.Conn, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	if _, err := io.ReadFull(c, p); err != nil {
		t.Error(err)
	}
	return p
}

// An exchange is one write and one read: it does not try to read what cannot be there yet.
func TestExchangeIsTwoCalls(t *testing.T) {
	s, far := pair(t)
	calls, sent := 0, 0
	step := s.step
	s.step = func(fd uintptr) bool { calls++; return step(fd) }
	asked := make(chan struct{})
	go func() {
		for range 3 {
			readWhole(t, far, 5)
			asked <- struct{}{}
			_, _ = far.Write([]byte("answer"))
		}
	}()
	p := make([]byte, 100)
	for i := range 3 {
		s.deferWrite([]byte("asked"), func() {
			sent++
			<-asked // it was written, and the answer is not there yet
		})
		n, err := s.Read(p)
		if err != nil || string(p[:n]) != "answer" || sent != i+1 || calls != 2*(i+1) {
			t.Fatalf("%q, %v, after %d calls; told %d times that it was sent", p[:n], err, calls, sent)
		}
	}
}

// What the kernel does not take at once is written before it is waited for an answer.
func TestExchangeOfMuch(t *testing.T) {
	s, far := pair(t)
	much := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	var got []byte
	go func() {
		got = readWhole(t, far, len(much))
		_, _ = far.Write([]byte("answer"))
	}()
	sent := 0
	s.deferWrite(much, func() { sent++ })
	p := make([]byte, 100)
	n, err := s.Read(p)
	if err != nil || string(p[:n]) != "answer" || sent != 1 || !bytes.Equal(got, much) {
		t.Errorf("%q, %v; %d bytes arrived of %d; told %d times that all was sent", p[:n], err, len(got), len(much), sent)
	}
}

// What TLS writes of a request is kept for the Read, and what it writes of its own is not, nor does it overtake that.
func TestKept(t *testing.T) {
	s, far := pair(t)
	s.deferring = true
	for _, part := range []string{"to", "gether"} {
		if n, err := s.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	s.deferring = false
	go func() { _, _ = far.Write(readWhole(t, far, 8)) }()
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
	if got := readWhole(t, far, 11); string(got) != "first, then" {
		t.Errorf("%q", got)
	}
}

// reset is what a write says of a connection that was reset, or, on some systems, EPIPE.
const reset = syscall.ECONNRESET

func TestExchangeFails(t *testing.T) {
	for name, c := range map[string]struct {
		do func(s *socket, far *net.TCPConn)
		op string
		is error
	}{
		"in time": {func(s *socket, _ *net.TCPConn) { _ = s.SetDeadline(time.Unix(1, 0)) }, "read", os.ErrDeadlineExceeded},
		"later": {func(s *socket, _ *net.TCPConn) {
			s.deferWrite([]byte("asked"), func() { _ = s.SetDeadline(time.Unix(1, 0)) })
		}, "read", os.ErrDeadlineExceeded},
		"closed here": {func(s *socket, _ *net.TCPConn) { s.Close() }, "read", net.ErrClosed},
		"closed there": {func(s *socket, far *net.TCPConn) {
			go func() { readWhole(t, far, 5); far.Close() }()
		}, "", io.EOF},
		"reset": {func(s *socket, far *net.TCPConn) {
			go func() { readWhole(t, far, 5); _ = far.SetLinger(0); far.Close() }()
		}, "read", reset},
		"reset before": {func(s *socket, far *net.TCPConn) { _ = far.SetLinger(0); far.Close() }, "write", reset},
	} {
		t.Run(name, func(t *testing.T) {
			s, far := pair(t)
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

// A store that ends its side after an answer, before the next request, and reads on: the edge of that was taken by the poller's being made ready. It is found when
// the Read has waited for a while, and long before the deadline.
func TestEndBetweenExchanges(t *testing.T) {
	s, far := pair(t)
	if err := s.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := far.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // sysmon polls after 10, and has it then
	if err := s.setPollDeadline(time.Now(), true); err != nil {
		t.Fatal(err)
	}
	s.deferWrite([]byte("asked"), nil)
	if n, err := s.Read(make([]byte, 100)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
	readWhole(t, far, 5)
}

// Who looks too early waits on, until the answer comes or the deadline, whoever sets that.
func TestExchangeGoesOn(t *testing.T) {
	for name, end := range map[string]func(s *socket, far *net.TCPConn){
		"answer":   func(_ *socket, far *net.TCPConn) { _, _ = far.Write([]byte("answer")) },
		"deadline": func(s *socket, _ *net.TCPConn) { _ = s.SetDeadline(time.Unix(1, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			s, far := pair(t)
			if err := s.SetDeadline(time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if err := s.setPollDeadline(time.Now().Add(-pollInterval), true); err != nil { // it has to look before it has written
				t.Fatal(err)
			}
			s.deferWrite([]byte("asked"), nil)
			go func() {
				readWhole(t, far, 5)
				end(s, far)
			}()
			p := make([]byte, 100)
			n, err := s.Read(p)
			if name == "answer" && (err != nil || string(p[:n]) != "answer") || name == "deadline" && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%q, %v", p[:n], err)
			}
		})
	}
}
