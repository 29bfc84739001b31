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

// testClosing: a connection is not used again after an answer that announces its end, even if it is still open.
func testClosing(t *testing.T, open opener) {
	for name, c := range map[string]struct {
		version, header string // of the answers
		connections     int
	}{
		"HTTP/1.1":             {"HTTP/1.1", "", 1},
		"HTTP/1.1, close":      {"HTTP/1.1", "Connection: close\r\n", 3},
		"HTTP/1.1, in a list":  {"HTTP/1.1", "Connection: x, Close\r\nConnection: keep-alive\r\n", 3},
		"HTTP/1.0":             {"HTTP/1.0", "", 3},
		"HTTP/1.0, keep-alive": {"HTTP/1.0", "Connection: Keep-Alive\r\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewRawStore(t, func(conn *Conn) {
				for r := conn.ReadRequest(); r != nil; r = conn.ReadRequest() {
					text := strings.Replace(Answer(r.RequestURI), "HTTP/1.1", c.version, 1)
					if !conn.Send(strings.TrimSuffix(text, "\r\n") + c.header + "\r\n") {
						return
					}
				}
			})
			session := open(t, s)
			for _, key := range Keys(3) {
				Expect(t, session, key)
			}
			if n := s.Connections(); n != c.connections {
				t.Errorf("%d connections, want %d", n, c.connections)
			}
		})
	}
}

// testSending: a Batch shows that the Session waits for the store, from after the wait for the Limiter on.
func testSending(t *testing.T, open opener) {
	sending := head.NewSending()
	shown := make(chan bool, 1)
	s := NewRawStore(t, func(c *Conn) {
		if r := c.ReadRequest(); r != nil {
			shown <- sending.AbandonAfter(0)
			c.Send(Answer(r.RequestURI))
		}
	})
	session := open(t, s)
	batch := head.NewBatch(unlistedEntries(Keys(1)))
	batch.Sending = sending
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := session.Head(ended, batch, func(*head.Result) {}); err == nil || sending.AbandonAfter(0) {
		t.Errorf("error %v; or the Session waits for the store when the Limiter ends the HEAD", err)
	}
	batch.Reset(unlistedEntries(Keys(1)))
	batch.Sending = sending
	if HeadBatch(t, session, batch); !<-shown {
		t.Error("the Session does not wait for the store while a HEAD has no answer")
	}
}

// testNewConn: a batch with NewConn uses a connection that carried no request before.
func testNewConn(t *testing.T, open opener) {
	s := newScriptedStore(t, always(okAnswer()))
	session := open(t, s)
	headKeys(t, session, "a", "b")
	before := s.Connections()
	batch := head.NewBatch(unlistedEntries([]string{"a"}))
	batch.NewConn = true
	if r := HeadBatch(t, session, batch)[0]; r.Status != 200 {
		t.Errorf("status %d, error %v", r.Status, r.Err)
	}
	if after := s.Connections(); before != 1 || after != 2 {
		t.Errorf("%d connections, then %d", before, after)
	}
}

// testCancel: the end of the context ends Head with the context's cause: before the first entry, at the first, and at
// the last.
func testCancel(t *testing.T, open opener) {
	for _, at := range []int{-1, 0, 2} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			cause := errors.New("stop")
			ctx, cancel := context.WithCancelCause(t.Context())
			s := newScriptedStore(t, func(_ *http.Request, index int) string {
				if index == at {
					cancel(cause)
					return stall
				}
				return okAnswer()
			})
			if at < 0 {
				cancel(cause)
			}
			results := 0
			batch := head.NewBatch(unlistedEntries([]string{"a", "b", "c"}))
			err := open(t, s).Head(ctx, batch, func(*head.Result) { results++ })
			if !errors.Is(err, cause) || results > max(at, 0) { // answers that the Session had not read are lost
				t.Errorf("%d results, %v", results, err)
			}
		})
	}
}

// testContexts: the end of the context of an earlier Head does not disturb a later Head.
func testContexts(t *testing.T, open opener) {
	session := open(t, NewRawStore(t, (*Conn).Serve))
	for i := range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		err := session.Head(ctx, head.NewBatch(Entries("a", "b")), func(r *head.Result) {
			if r.Status != 200 {
				t.Fatalf("%d: status %d, error %v", i, r.Status, r.Err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		cancel() // the Session may notice it at any later time
		if i%10 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// testStaleConnection: a kept connection that the store closes while it is used again causes no failure.
func testStaleConnection(t *testing.T, open opener) {
	s := newScriptedStore(t, always(okAnswer("x-amz-meta-a: b")+hangUp))
	session := open(t, s)
	for range 20 {
		if r := headKeys(t, session, "k")[0]; r.Status != 200 {
			t.Fatalf("status %d, error %v", r.Status, r.Err)
		}
	}
}

// testUnconnected: a failure says whether the HEAD had a connection over which the store has sent something. The next
// answer is not Unconnected.
func testUnconnected(t *testing.T, newEngine NewEngine, pipeline int) {
	for name, c := range map[string]struct {
		serve func(c *Conn, request *http.Request) // gets the first request of a connection
		want  bool
	}{
		"reset":     {func(c *Conn, _ *http.Request) { c.Reset() }, true},
		"closed":    {func(c *Conn, _ *http.Request) { c.Close() }, true},
		"no answer": {func(c *Conn, _ *http.Request) { c.Stall() }, true},
		"a part of an answer": {func(c *Conn, _ *http.Request) {
			c.Send("HTTP/1.1 200 OK\r\n")
			c.Close()
		}, false},
		"malformed": {func(c *Conn, _ *http.Request) { c.Send("what\r\n\r\n") }, false},
		"used before": {func(c *Conn, r *http.Request) {
			c.Send(Answer(r.RequestURI))
			c.ReadRequest()
			c.Send("HTTP/1.1 200 OK\r\n")
			c.Reset()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := NewRawStore(t, func(conn *Conn) {
				if conn.Index > 0 {
					conn.Serve()
				} else if r := conn.ReadRequest(); r != nil {
					c.serve(conn, r)
				}
			})
			session := OpenSession(t, newEngine, head.Config{Pipeline: pipeline, Timeout: 500 * time.Millisecond}, s.URL)
			keys := Keys(1)
			if name == "used before" {
				Expect(t, session, keys...)
			}
			if r := Head(t, session, Entries(keys...))[0]; r.Err == nil || r.Unconnected != c.want {
				t.Errorf("status %d, error %v, unconnected %v, want %v", r.Status, r.Err, r.Unconnected, c.want)
			}
			if r := Head(t, session, Entries(keys...))[0]; r.Status != http.StatusOK || r.Unconnected {
				t.Errorf("afterwards: status %d, error %v, unconnected %v", r.Status, r.Err, r.Unconnected)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		session := OpenSession(t, newEngine, head.Config{Pipeline: pipeline}, "http://127.0.0.1:1")
		if r := Head(t, session, Entries("a"))[0]; !r.Unconnected || r.Err == nil {
			t.Errorf("status %d, error %v, unconnected %v", r.Status, r.Err, r.Unconnected)
		}
	})
}
