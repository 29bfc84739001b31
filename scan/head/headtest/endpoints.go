package headtest

import (
	"cmp"
	"sync/atomic"
	"testing"

	"headcount/scan/head"
	"headcount/scan/store"
)

// testEndpoints: a Session stays at its endpoint, and goes to another from one that it is to avoid, that fails, or that refuses more than an object
// or two. Where there is only one it stays there.
func testEndpoints(t *testing.T, newEngine NewEngine) {
	var answer atomic.Value // of the first endpoint, in place of a right one
	answer.Store("")
	first := NewRaw(t, func(c *Conn) {
		for r := c.Ask(); r != nil; r = c.Ask() {
			text := answer.Load().(string)
			if text == "reset" || !c.Say(cmp.Or(text, Answer(r.RequestURI))) {
				c.Reset()
				return
			}
		}
	})
	second := NewRaw(t, (*Conn).Serve)
	session := Session(t, newEngine, head.Config{}, first.URL, second.URL)
	at := map[string]string{first.URL: "1", second.URL: "2"}
	var (
		last    *store.Address // of the answer before
		avoid   *store.Address // of the next batch
		newConn bool           // likewise
	)
	step := func(what string, n int, want string) {
		t.Helper()
		got := ""
		batch := head.NewBatch(Entries(Keys(n)...))
		batch.Avoid, batch.NewConn = avoid, newConn
		avoid, newConn = nil, false
		for _, r := range AskBatch(t, session, batch) {
			got += at[r.Address.URL]
			if last = r.Address; r.Err == nil && "http://"+r.Address.IP.String() != r.Address.URL {
				t.Errorf("%s: %s is at %v", what, r.Address.URL, r.Address.IP)
			}
		}
		if got != want {
			t.Errorf("%s: at %s, want %s", what, got, want)
		}
	}
	step("it stays", 5, "11111")
	avoid = last
	step("from the first", 3, "222")
	avoid = last
	step("from the second", 1, "1")
	answer.Store("HTTP/1.1 403 F\r\n\r\n")
	step("refusals", 5, "11122")
	avoid = last
	answer.Store("")
	step("back", 1, "1")
	answer.Store("HTTP/1.1 503 S\r\n\r\n")
	step("trouble", 3, "122")
	avoid = last
	answer.Store("")
	newConn = true // else the reset is one of a connection that was idle
	step("back", 1, "1")
	avoid = last
	step("away", 1, "2")
	answer.Store("reset")
	avoid = last
	step("failures", 3, "122")

	s := NewRaw(t, (*Conn).Serve)
	session = Session(t, newEngine, head.Config{}, s.URL)
	at[s.URL] = "s"
	step("alone", 2, "ss")
	avoid = last
	step("still", 2, "ss")
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections to the only endpoint", n)
	}
}
