package direct_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
	"headcount/scan/store"
)

// A kept connection that the store has closed costs one more request and no failure, however many HEADs were to use
// it.
func TestClosedWhileIdle(t *testing.T) {
	closeConn := func(*headtest.Conn) {} // the RawStore closes it afterwards
	for name, c := range map[string]struct {
		end         func(*headtest.Conn)
		nextRequest bool // the store ends the connection when it has read the next request
		requests    int  // for the first key
	}{
		"closed":                     {closeConn, false, 1},
		"reset":                      {(*headtest.Conn).Reset, false, 1},
		"closed at the next request": {closeConn, true, 2},
		"reset at the next request":  {(*headtest.Conn).Reset, true, 2},
	} {
		for _, pipeline := range []int{1, 8} {
			t.Run(fmt.Sprint(name, " ", pipeline), func(t *testing.T) {
				ready := make(chan struct{})
				s := headtest.NewRawStore(t, func(conn *headtest.Conn) {
					if conn.Index > 0 {
						conn.Serve()
						return
					}
					if r := conn.ReadRequest(); r != nil {
						conn.Send(headtest.Answer(r.RequestURI))
					}
					if c.nextRequest {
						close(ready)
						conn.ReadRequest()
						c.end(conn)
						return
					}
					c.end(conn)
					conn.Close()
					close(ready)
				})
				var logged warnings
				session := newSession(t, s, head.Config{Pipeline: pipeline, Log: slog.New(&logged)})
				headtest.Expect(t, session, "a")
				<-ready
				headtest.Expect(t, session, headtest.Keys(8)...)
				first := slices.DeleteFunc(s.Paths(), func(path string) bool { return path != "/b/key-0" })
				if len(first) != c.requests {
					t.Errorf("%d requests for the first key, want %d", len(first), c.requests)
				}
				if n := s.Connections(); n != 2 {
					t.Errorf("%d connections", n)
				}
				if n := logged.Load(); n != 0 {
					t.Errorf("%d warnings", n)
				}
			})
		}
	}
}

// A connection that ends within an answer was not idle: that one HEAD fails.
func TestCutShort(t *testing.T) {
	for class, end := range map[fault.Class]func(*headtest.Conn){
		fault.Closed: func(*headtest.Conn) {}, fault.Reset: (*headtest.Conn).Reset,
	} {
		s := headtest.NewRawStore(t, func(c *headtest.Conn) {
			if c.Index > 0 {
				c.Serve()
				return
			}
			r := c.ReadRequest()
			if r != nil && c.Send(headtest.Answer(r.RequestURI)) && c.ReadRequest() != nil && c.Send("HTTP/1.1 200") {
				time.Sleep(20 * time.Millisecond) // some systems drop unread bytes at a reset
				end(c)
			}
		})
		session := newSession(t, s, head.Config{})
		headtest.Expect(t, session, "a")
		if r := headtest.Head(t, session, headtest.Entries("b"))[0]; headtest.Class(&r) != class {
			t.Errorf("%s: status %d, error %v", class, r.Status, r.Err)
		}
		headtest.Expect(t, session, "b")
		if got := summary(s); got != "a b b by 2" {
			t.Errorf("%s: requests %s", class, got)
		}
	}
}

// A connection that was idle for 15 s, or that is four to five minutes old, is replaced before the next HEAD is sent.
func TestStaleConnectionIsReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		pass func(head.Session)
		want int
	}{
		"idle for 16 s":  {func(s head.Session) { direct.SetIdle(s, 16*time.Second) }, 2},
		"idle for 10 s":  {func(s head.Session) { direct.SetIdle(s, 10*time.Second) }, 1},
		"301 s old":      {func(s head.Session) { direct.AddAge(s, 301*time.Second) }, 2},
		"200 s old":      {func(s head.Session) { direct.AddAge(s, 200*time.Second) }, 1},
		"not idle, new ": {func(head.Session) {}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRawStore(t, (*headtest.Conn).Serve)
			session := newSession(t, s, head.Config{})
			headtest.Expect(t, session, "a")
			c.pass(session)
			headtest.Expect(t, session, "b")
			if s.Connections() != c.want || len(s.Paths()) != 2 {
				t.Errorf("requests %s", summary(s))
			}
		})
	}
}

// A store that closes its side of an idle connection, and still reads, answers no later request. The session notices
// the end before it sends one.
func TestEndedWhileIdle(t *testing.T) {
	ended := make(chan struct{})
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		if c.Index > 0 {
			c.Serve()
			return
		}
		c.Send(headtest.Answer(c.ReadRequest().RequestURI))
		_ = c.TCP().CloseWrite()
		close(ended)
		c.Stall()
	})
	session := newSession(t, s, head.Config{})
	for _, key := range []string{"first", "second"} {
		r := headtest.Head(t, session, headtest.Entries(key))[0]
		if r.Err != nil || r.Status != 200 || r.Resent != 0 {
			t.Errorf("%s: status %d, error %v, sent again %d", key, r.Status, r.Err, r.Resent)
		}
		<-ended
	}
}

// A store that closes its side between two HEADs, and says nothing, causes no timeouts: each HEAD has its answer.
func TestEndedBetweenHEADs(t *testing.T) {
	const perConnection = 4
	end := func(c *headtest.Conn) {
		for range perConnection {
			r := c.ReadRequest()
			if r == nil || !c.Send(headtest.Answer(r.RequestURI)) {
				return
			}
		}
		_ = c.TCP().CloseWrite() // without an alert of TLS
		c.Stall()
	}
	pair, _ := headtest.Certificate(t, "127.0.0.1")
	_, url := headtest.Secure(t, pair, end)
	opened := headtest.OpenStore(t, store.Config{
		Bucket: "b", Endpoints: []string{url}, Anonymous: true, Region: "r", NoVerifyTLS: true,
	})
	for name, session := range map[string]head.Session{
		"http":  newSession(t, headtest.NewRawStore(t, end), head.Config{}),
		"https": headtest.OpenSessionOn(t, opened, direct.New, head.Config{}),
	} {
		t.Run(name, func(t *testing.T) { headtest.Expect(t, session, headtest.Keys(10*perConnection)...) })
	}
}
