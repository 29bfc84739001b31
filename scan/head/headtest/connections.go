package headtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"headcount/scan/head"
)

// testClosing: a connection of which the store says that it closes it is not used again, even if it is still there.
func testClosing(t *testing.T, open opener) {
	for name, c := range map[string]struct {
		before, after string // of an answer's status line and of its header
		connections   int
	}{
		"HTTP/1.1":             {"HTTP/1.1", "", 1},
		"HTTP/1.1, close":      {"HTTP/1.1", "Connection: close\r\n", 3},
		"HTTP/1.1, in a list":  {"HTTP/1.1", "Connection: x, Close\r\nConnection: keep-alive\r\n", 3},
		"HTTP/1.0":             {"HTTP/1.0", "", 3},
		"HTTP/1.0, keep-alive": {"HTTP/1.0", "Connection: Keep-Alive\r\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewRaw(t, func(on *Conn) {
				for r := on.Ask(); r != nil; r = on.Ask() {
					text := strings.Replace(Answer(r.RequestURI), "HTTP/1.1", c.before, 1)
					if !on.Say(strings.TrimSuffix(text, "\r\n") + c.after + "\r\n") {
						return
					}
				}
			})
			session := open(t, s)
			for _, key := range Keys(3) {
				if r := Ask(t, session, Entries(key))[0]; !IsAnswer(&r, key) {
					t.Errorf("%s: status %d, error %v", key, r.Status, r.Err)
				}
			}
			if n := s.Connections(); n != c.connections {
				t.Errorf("%d connections, want %d", n, c.connections)
			}
		})
	}
}

// testNewConn: a batch with NewConn goes over a connection that carried no request before.
func testNewConn(t *testing.T, open opener) {
	s := newRaw(t, always(ok()))
	session := open(t, s)
	ask(t, session, "a", "b")
	before := s.Connections()
	batch := head.NewBatch(entries([]string{"a"}))
	batch.NewConn = true
	if r := AskBatch(t, session, batch)[0]; r.Status != 200 {
		t.Errorf("status %d, error %v", r.Status, r.Err)
	}
	if after := s.Connections(); before != 1 || after != 2 {
		t.Errorf("%d connections, then %d", before, after)
	}
}

// testCancel: the end of the context ends Head with its cause, before the first, at the first and at the last entry.
func testCancel(t *testing.T, open opener) {
	for _, at := range []int{-1, 0, 2} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			cause := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			s := newRaw(t, func(_ *http.Request, nth int) string {
				if nth == at {
					cancel(cause)
					return stall
				}
				return ok()
			})
			if at < 0 {
				cancel(cause)
			}
			called := 0
			err := open(t, s).Head(ctx, head.NewBatch(entries([]string{"a", "b", "c"})), func(*head.Result) { called++ })
			if !errors.Is(err, cause) || called > max(at, 0) { // fewer, if some were answered that nobody had read yet
				t.Errorf("%d answers, %v", called, err)
			}
		})
	}
}

// testContexts: the end of a context that Head was called with before is no matter of the next.
func testContexts(t *testing.T, open opener) {
	session := open(t, NewRaw(t, (*Conn).Serve))
	for i := range 100 { // the end may be noticed any time later
		ctx, cancel := context.WithCancel(t.Context())
		err := session.Head(ctx, head.NewBatch(Entries("a", "b")), func(r *head.Result) {
			if r.Status != 200 {
				t.Fatalf("%d: status %d, error %v", i, r.Status, r.Err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if i%10 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// testStaleConnection: a kept connection that the store closes just as it is used again costs nothing.
func testStaleConnection(t *testing.T, open opener) {
	s := newRaw(t, always(ok("x-amz-meta-a: b")+hangUp))
	session := open(t, s)
	for range 20 {
		if r := ask(t, session, "k")[0]; r.Status != 200 {
			t.Fatalf("status %d, error %v", r.Status, r.Err)
		}
	}
}
