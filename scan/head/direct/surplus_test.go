package direct_test

import (
	"testing"
	"time"

	"headcount/scan/head"
	"headcount/scan/head/headtest"
)

// Bytes after an answer make it unknown which bytes are the answer. On a new connection there was one request, and
// its answer came first. On a connection that was used before, the HEAD is sent again. None of this is a failure.
func TestSurplus(t *testing.T) {
	const body = "<html>Not Found</html>"
	answer := headtest.Answer
	for name, c := range map[string]struct {
		first, second string // the answers to a and b on the first connection
		want          string
	}{
		"a body after the first":      {answer("/b/a") + body, "", "a b by 2"},
		"a body after the second":     {answer("/b/a"), answer("/b/b") + body, "a b b by 2"},
		"a body before the second":    {answer("/b/a"), body + answer("/b/b"), "a b b by 2"},
		"the first twice":             {answer("/b/a") + answer("/b/a"), "", "a b by 2"},
		"the second twice":            {answer("/b/a"), answer("/b/b") + answer("/b/b"), "a b b by 2"},
		"the first again":             {answer("/b/a"), answer("/b/a") + answer("/b/b"), "a b b by 2"},
		"an interim answer":           {answer("/b/a"), "HTTP/1.1 103 E\r\n\r\n" + answer("/b/b"), "a b by 1"},
		"the first byte of another":   {answer("/b/a"), answer("/b/b") + "H", "a b b by 2"},
		"an empty line before it":     {answer("/b/a"), "\r\n" + answer("/b/b"), "a b b by 2"},
		"nothing but the two answers": {answer("/b/a"), answer("/b/b"), "a b by 1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRawStore(t, func(conn *headtest.Conn) {
				if conn.Index > 0 {
					conn.Serve()
					return
				}
				for _, text := range []string{c.first, c.second} {
					if conn.ReadRequest() == nil || !conn.Send(text) {
						return
					}
				}
				conn.Stall()
			})
			session := newSession(t, s, head.Config{})
			headtest.Expect(t, session, "a")
			headtest.Expect(t, session, "b")
			if got := summary(s); got != c.want {
				t.Errorf("requests %s, want %s", got, c.want)
			}
		})
	}
}

// An unrequested answer that arrives while a HEAD waits looks like the answer to that HEAD. Only its ETag and length
// differ. The HEAD is sent again, and from then on each HEAD has a connection of its own.
func TestUnrequestedAnswer(t *testing.T) {
	for name, pause := range map[string]time.Duration{"with the right one": 0, "before it": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRawStore(t, func(c *headtest.Conn) {
				if c.Index > 0 {
					c.Serve()
					return
				}
				for _, unrequested := range []string{"", headtest.Answer("/b/a")} {
					r := c.ReadRequest()
					if r == nil || !c.Send(unrequested) {
						return
					}
					time.Sleep(pause)
					c.Send(headtest.Answer(r.RequestURI))
				}
				c.Stall()
			})
			session := newSession(t, s, head.Config{})
			headtest.Expect(t, session, "a")
			r := headtest.Head(t, session, headtest.Entries("b"))[0]
			if r.Mismatch || !headtest.IsAnswer(&r, "b") {
				t.Errorf("mismatch %v of status %d, metadata %s", r.Mismatch, r.Status, r.Metadata)
			}
			headtest.Expect(t, session, "b", "c")
			// The store is known to send too much: b, and both later keys, have a connection each.
			if n := s.Connections(); n != 4 {
				t.Errorf("%d connections", n)
			}
		})
	}
}
