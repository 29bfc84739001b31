package direct_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
	"headcount/scan/store"
)

// direct opens a Session of the direct engine on a raw store.
func newSession(t *testing.T, s *headtest.Raw, cfg head.Config) head.Session {
	t.Helper()
	return headtest.Session(t, direct.New, cfg, s.URL)
}

// wire is what a raw store was asked for, without the bucket, and over how many connections.
func wire(s *headtest.Raw) string {
	var keys []string
	for _, path := range s.Paths() {
		keys = append(keys, strings.TrimPrefix(path, "/b/"))
	}
	return fmt.Sprintf("%s by %d", strings.Join(keys, " "), s.Connections())
}

// Bytes after an answer: which of them is the answer? On a new connection there is no doubt, and on another it is asked
// again. None of it is a failure.
func TestSurplus(t *testing.T) {
	const body = "<html>Not Found</html>"
	answer := headtest.Answer
	for name, c := range map[string]struct {
		first, second string // what the answers to a and b on the first connection are
		want          string
	}{
		"a body, at the first":        {answer("/b/a") + body, "", "a b by 2"},
		"a body, at the second":       {answer("/b/a"), answer("/b/b") + body, "a b b by 2"},
		"a body, late":                {answer("/b/a"), body + answer("/b/b"), "a b b by 2"},
		"an answer, at the first":     {answer("/b/a") + answer("/b/a"), "", "a b by 2"},
		"an answer, at the second":    {answer("/b/a"), answer("/b/b") + answer("/b/b"), "a b b by 2"},
		"an answer, late":             {answer("/b/a"), answer("/b/a") + answer("/b/b"), "a b b by 2"},
		"an interim answer, late":     {answer("/b/a"), "HTTP/1.1 103 E\r\n\r\n" + answer("/b/b"), "a b by 1"},
		"a byte of the next, at once": {answer("/b/a"), answer("/b/b") + "H", "a b b by 2"},
		"an empty line, late":         {answer("/b/a"), "\r\n" + answer("/b/b"), "a b b by 2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRaw(t, func(on *headtest.Conn) {
				if on.Nth > 0 {
					on.Serve()
					return
				}
				for _, text := range []string{c.first, c.second} {
					if on.Ask() == nil || !on.Say(text) {
						return
					}
				}
				on.Stall()
			})
			session := newSession(t, s, head.Config{})
			headtest.Expect(t, session, "a")
			headtest.Expect(t, session, "b")
			if got := wire(s); got != c.want {
				t.Errorf("asked for %s, want %s", got, c.want)
			}
		})
	}
}

// An answer that nobody asked for, and that comes when another is awaited, cannot be told from that one but by what it
// says: it is handed on as it is, does not match, and the connection is not used again.
func TestUnsolicitedAnswer(t *testing.T) {
	for _, pause := range []time.Duration{0, 20 * time.Millisecond} { // together with the right one, or before it
		s := headtest.NewRaw(t, func(c *headtest.Conn) {
			if c.Nth > 0 {
				c.Serve()
				return
			}
			for _, late := range []string{"", headtest.Answer("/b/a")} {
				r := c.Ask()
				if r == nil || !c.Say(late) {
					return
				}
				time.Sleep(pause)
				c.Say(headtest.Answer(r.RequestURI))
			}
			c.Stall()
		})
		session := newSession(t, s, head.Config{})
		headtest.Expect(t, session, "a")
		b := headtest.Entries("b")
		if r := headtest.Ask(t, session, b)[0]; !r.Mismatch != headtest.IsAnswer(&r, "b") {
			t.Errorf("another's answer looks like the right one: %d %s", r.Status, r.Metadata)
		}
		headtest.Expect(t, session, "b", "c")
		if n := s.Connections(); n != 2 {
			t.Errorf("%d connections", n)
		}
	}
}

// A kept connection that the store has closed costs one more request, and no failure, however many were to go over it.
func TestClosedWhileIdle(t *testing.T) {
	for name, end := range map[string]func(*headtest.Conn){
		"closed": func(*headtest.Conn) {},
		"reset":  func(c *headtest.Conn) { c.Reset() },
		// The store closes just as it has read what it is asked.
		"closed on the next": func(c *headtest.Conn) { c.Ask() },
		"reset on the next":  func(c *headtest.Conn) { c.Ask(); c.Reset() },
	} {
		for _, pipeline := range []int{1, 8} {
			t.Run(fmt.Sprint(name, " ", pipeline), func(t *testing.T) {
				closed := make(chan struct{})
				s := headtest.NewRaw(t, func(c *headtest.Conn) {
					if c.Nth > 0 {
						c.Serve()
						return
					}
					if r := c.Ask(); r != nil {
						c.Say(headtest.Answer(r.RequestURI))
					}
					if !strings.Contains(name, "on the next") {
						end(c)
						c.Close()
						close(closed)
						return
					}
					close(closed)
					end(c)
				})
				var told logged
				session := newSession(t, s, head.Config{Pipeline: pipeline, Log: slog.New(&told)})
				headtest.Expect(t, session, "a")
				<-closed
				headtest.Expect(t, session, headtest.Keys(8)...)
				requests := slices.DeleteFunc(s.Paths(), func(path string) bool { return path != "/b/key-0" })
				if most := map[bool]int{false: 1, true: 2}[strings.Contains(name, "on the next")]; len(requests) != most {
					t.Errorf("the first was asked for %d times", len(requests))
				}
				if n := s.Connections(); n != 2 {
					t.Errorf("%d connections", n)
				}
				if n := told.Load(); n != 0 {
					t.Errorf("the log was told %d times of what is no trouble", n)
				}
			})
		}
	}
}

// An answer that is cut short has begun, so that it is no idle connection's: this one HEAD fails.
func TestCutShort(t *testing.T) {
	for class, end := range map[fault.Class]func(*headtest.Conn){fault.Closed: func(*headtest.Conn) {}, fault.Reset: (*headtest.Conn).Reset} {
		s := headtest.NewRaw(t, func(c *headtest.Conn) {
			if c.Nth > 0 {
				c.Serve()
				return
			}
			if r := c.Ask(); r != nil && c.Say(headtest.Answer(r.RequestURI)) && c.Ask() != nil && c.Say("HTTP/1.1 200") {
				time.Sleep(20 * time.Millisecond) // a reset may overtake what was said before it
				end(c)
			}
		})
		session := newSession(t, s, head.Config{})
		headtest.Expect(t, session, "a")
		if r := headtest.Ask(t, session, headtest.Entries("b"))[0]; headtest.Class(&r) != class {
			t.Errorf("%s: status %d, error %v", class, r.Status, r.Err)
		}
		headtest.Expect(t, session, "b")
		if got := wire(s); got != "a b b by 2" {
			t.Errorf("%s: asked for %s", class, got)
		}
	}
}

// logged counts the warnings.
type logged struct{ atomic.Int64 }

func (l *logged) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (l *logged) Handle(context.Context, slog.Record) error        { l.Add(1); return nil }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *logged) WithGroup(string) slog.Handler                    { return l }

// A connection that was idle for 15 s, or is four or five minutes old, is replaced before anything is sent over it.
func TestStaleConnectionIsReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		pass func(head.Session)
		want int
	}{
		"idle for long":  {func(s head.Session) { direct.Idle(s, 16*time.Second) }, 2},
		"idle, not long": {func(s head.Session) { direct.Idle(s, 14*time.Second) }, 1},
		"old":            {func(s head.Session) { direct.Age(s, 301*time.Second) }, 2},
		"not that old":   {func(s head.Session) { direct.Age(s, 200*time.Second) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRaw(t, (*headtest.Conn).Serve)
			session := newSession(t, s, head.Config{})
			headtest.Expect(t, session, "a")
			c.pass(session)
			headtest.Expect(t, session, "b")
			if s.Connections() != c.want || len(s.Paths()) != 2 {
				t.Errorf("asked for %s", wire(s))
			}
		})
	}
}

// The deadline is that of a whole HEAD, whatever the store does to seem alive, and only that HEAD fails.
func TestDeadline(t *testing.T) {
	interim := "HTTP/1.1 102 Processing\r\n\r\n"
	for name, play := range map[string]func(*headtest.Conn){
		"silent":      (*headtest.Conn).Stall,
		"not reading": (*headtest.Conn).Starve,
		"interim answers for ever": func(c *headtest.Conn) {
			for c.Ask(); c.Say(interim); {
				time.Sleep(headtest.Timeout / 20)
			}
		},
		"a header for ever": func(c *headtest.Conn) {
			c.Ask()
			for c.Say("HTTP/1.1 200 OK\r\n"); c.Say("a: b\r\n"); {
				time.Sleep(headtest.Timeout / 20)
			}
		},
	} {
		for _, pipeline := range []int{1, 8} {
			t.Run(fmt.Sprint(name, " ", pipeline), func(t *testing.T) {
				t.Parallel() // it waits
				s := headtest.NewRaw(t, func(c *headtest.Conn) {
					if c.Nth == 0 {
						if r := c.Ask(); r != nil && c.Say(headtest.Answer(r.RequestURI)) {
							play(c)
						}
						return
					}
					c.Serve()
				})
				session := newSession(t, s, head.Config{Pipeline: pipeline})
				headtest.Expect(t, session, "a")
				began := time.Now()
				keys := headtest.Keys(8)
				results := headtest.Ask(t, session, headtest.Entries(keys...))
				if took := time.Since(began); took < headtest.Timeout || took > headtest.Timeout*3 {
					t.Errorf("it took %v", took)
				}
				if r := &results[0]; headtest.Class(r) != fault.Timeout {
					t.Errorf("the first: status %d, error %v", r.Status, r.Err)
				}
				for i := 1; i < len(keys); i++ {
					if !headtest.IsAnswer(&results[i], keys[i]) {
						t.Errorf("%s: status %d, error %v", keys[i], results[i].Status, results[i].Err)
					}
				}
			})
		}
	}
}

// A store that ends a connection while nothing is asked, and reads on, answers nothing that comes then. That is seen before anything is sent.
func TestEndedWhileIdle(t *testing.T) {
	ended := make(chan struct{})
	s := headtest.NewRaw(t, func(c *headtest.Conn) {
		if c.Nth > 0 {
			c.Serve()
			return
		}
		c.Say(headtest.Answer(c.Ask().RequestURI))
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		close(ended)
		c.Stall()
	})
	session := newSession(t, s, head.Config{Timeout: 2 * time.Second})
	for _, key := range []string{"first", "second"} {
		if err := session.Head(t.Context(), head.NewBatch(headtest.Entries(key)), func(r *head.Result) {
			if r.Err != nil || r.Status != 200 || r.Resent != 0 {
				t.Errorf("%s: status %d, error %v, %d sent for nothing", key, r.Status, r.Err, r.Resent)
			}
		}); err != nil {
			t.Error(err)
		}
		<-ended
	}
}

// A store that ends connections between two HEADs, without a word, is no store that does not answer.
func TestEndedBetweenHEADs(t *testing.T) {
	const perConnection = 4
	end := func(c *headtest.Conn) {
		for range perConnection {
			r := c.Ask()
			if r == nil || !c.Say(headtest.Answer(r.RequestURI)) {
				return
			}
		}
		under := c.Conn
		if secured, ok := under.(*tls.Conn); ok {
			under = secured.NetConn() // not even TLS is told
		}
		_ = under.(*net.TCPConn).CloseWrite()
		c.Stall()
	}
	cfg := head.Config{Timeout: 20 * time.Second} // which nothing has to wait for
	pair, _ := headtest.Certificate(t, "127.0.0.1")
	_, url := headtest.Secure(t, pair, end)
	opened := headtest.OpenStore(t, store.Config{Bucket: "b", Endpoints: []string{url}, Anonymous: true, Region: "r", NoVerifyTLS: true})
	for name, session := range map[string]head.Session{
		"http":  newSession(t, headtest.NewRaw(t, end), cfg),
		"https": headtest.SessionOf(t, opened, direct.New, cfg),
	} {
		t.Run(name, func(t *testing.T) { headtest.Expect(t, session, headtest.Keys(10*perConnection)...) })
	}
}

// A store that reads nothing blocks the write, and the deadline ends it, or the context does.
func TestBlockedWrite(t *testing.T) {
	const (
		depth   = 1000            // of 6 kB each: more than the kernel takes for a receiver that does not read
		timeout = 2 * time.Second // the race detector wants a good part of one to sign that
	)
	keys := make([]string, depth)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s%d", strings.Repeat("\xff", 2000), i)
	}
	play := func(c *headtest.Conn) {
		if c.Nth > 0 {
			for r := c.Ask(); r != nil && c.Say(headtest.Answer("/b/"+r.URL.Path)); r = c.Ask() {
			}
			return
		}
		_ = c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		c.Starve()
	}
	t.Run("deadline", func(t *testing.T) {
		session := newSession(t, headtest.NewRaw(t, play), head.Config{Pipeline: depth, Timeout: timeout})
		began, took := time.Now(), time.Duration(0)
		n := 0
		if err := session.Head(t.Context(), head.NewBatch(headtest.Entries(keys...)), func(r *head.Result) {
			n++
			var op *net.OpError
			switch {
			case n == 1 && (!errors.As(r.Err, &op) || op.Op != "write" || !op.Timeout()):
				t.Errorf("the first: status %d, error %v", r.Status, r.Err)
			case n == 1:
				took = time.Since(began)
			case r.Err != nil:
				t.Errorf("%d: %v", n, r.Err)
			}
		}); err != nil || n != depth {
			t.Errorf("%d answers, %v", n, err)
		}
		if took < timeout || took > 3*timeout {
			t.Errorf("it took %v", took)
		}
	})
	t.Run("context", func(t *testing.T) {
		session := newSession(t, headtest.NewRaw(t, play), head.Config{Pipeline: depth, Timeout: time.Minute})
		checkEnds(t, session, headtest.Entries(keys...))
	})
}
