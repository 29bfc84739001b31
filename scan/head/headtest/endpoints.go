package headtest

import (
	"cmp"
	"sync/atomic"
	"testing"

	"headcount/scan/head"
	"headcount/scan/store"
)

// testEndpoints: a Session stays at its endpoint. It leaves an endpoint that the batch avoids, that fails, that
// answers with a transient status, or that refuses three times in a row. With a single endpoint it stays there.
func testEndpoints(t *testing.T, newEngine NewEngine) {
	var answer atomic.Value // of the first endpoint; empty: the right one
	answer.Store("")
	first := NewRawStore(t, func(c *Conn) {
		for r := c.ReadRequest(); r != nil; r = c.ReadRequest() {
			text := answer.Load().(string)
			if text == "reset" || !c.Send(cmp.Or(text, Answer(r.RequestURI))) {
				c.Reset()
				return
			}
		}
	})
	second := NewRawStore(t, (*Conn).Serve)
	session := OpenSession(t, newEngine, head.Config{}, first.URL, second.URL)
	names := map[string]string{first.URL: "1", second.URL: "2"}
	var (
		last    *store.Address // of the last Result
		avoid   *store.Address // of the next batch
		newConn bool           // of the next batch
	)
	step := func(name string, n int, want string) {
		t.Helper()
		got := ""
		batch := head.NewBatch(Entries(Keys(n)...))
		batch.Avoid, batch.NewConn = avoid, newConn
		avoid, newConn = nil, false
		for _, r := range HeadBatch(t, session, batch) {
			got += names[r.Address.URL]
			if last = r.Address; r.Err == nil && "http://"+r.Address.IP.String() != r.Address.URL {
				t.Errorf("%s: %s has the address %v", name, r.Address.URL, r.Address.IP)
			}
		}
		if got != want {
			t.Errorf("%s: endpoints %s, want %s", name, got, want)
		}
	}
	step("no reason to leave", 5, "11111")
	avoid = last
	step("the first is avoided", 3, "222")
	avoid = last
	step("the second is avoided", 1, "1")
	answer.Store("HTTP/1.1 403 F\r\n\r\n")
	step("the first refuses", 5, "11122")
	avoid = last
	answer.Store("")
	step("back to the first", 1, "1")
	answer.Store("HTTP/1.1 503 S\r\n\r\n")
	step("a transient status", 3, "122")
	avoid = last
	answer.Store("")
	newConn = true // on a kept connection, the reset below would count as an idle one's
	step("back to the first", 1, "1")
	avoid = last
	step("the first is avoided", 1, "2")
	answer.Store("reset")
	avoid = last
	step("the first fails", 3, "122")

	s := NewRawStore(t, (*Conn).Serve)
	session = OpenSession(t, newEngine, head.Config{}, s.URL)
	names[s.URL] = "s"
	step("a single endpoint", 2, "ss")
	avoid = last
	step("a single endpoint is avoided", 2, "ss")
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections to the only endpoint", n)
	}
}
