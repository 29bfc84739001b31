package direct_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
)

// shortTimeout is the timeout of HEADs that the store answers later, or never.
const shortTimeout = 100 * time.Millisecond

// headWithTimeout sends HEADs for keys with a short timeout until the first Result. Later HEADs have a long one, so
// that a slow machine does not fail them, too.
func headWithTimeout(
	t *testing.T, session head.Session, timeout time.Duration, keys []string, onResult func(int, *head.Result),
) {
	t.Helper()
	direct.SetTimeout(session, timeout)
	n := 0
	err := session.Head(t.Context(), head.NewBatch(headtest.Entries(keys...)), func(r *head.Result) {
		if n == 0 {
			direct.SetTimeout(session, headtest.Timeout)
		}
		onResult(n, r)
		n++
	})
	if err != nil || n != len(keys) {
		t.Errorf("%d results, %v", n, err)
	}
}

// The timeout covers a whole HEAD, whatever the store sends to seem alive. Only that HEAD fails.
func TestDeadline(t *testing.T) {
	const (
		pause   = shortTimeout / 10
		repeats = 50 // an answer after so many pauses would come after the timeout
	)
	for name, play := range map[string]func(*headtest.Conn){
		"no answer":  (*headtest.Conn).Stall,
		"no reading": (*headtest.Conn).Freeze,
		"interim answers": func(c *headtest.Conn) {
			r := c.ReadRequest()
			for i := 0; i < repeats && r != nil && c.Send("HTTP/1.1 102 Processing\r\n\r\n"); i++ {
				time.Sleep(pause)
			}
			if r != nil {
				c.Send(headtest.Answer(r.RequestURI))
			}
		},
		"a long header": func(c *headtest.Conn) {
			r := c.ReadRequest()
			if r == nil {
				return
			}
			status, header, _ := strings.Cut(headtest.Answer(r.RequestURI), "\r\n")
			c.Send(status + "\r\n")
			for i := 0; i < repeats && c.Send("a: b\r\n"); i++ {
				time.Sleep(pause)
			}
			c.Send(header)
		},
	} {
		for _, pipeline := range []int{1, 8} {
			t.Run(fmt.Sprint(name, " ", pipeline), func(t *testing.T) {
				t.Parallel() // it waits
				s := headtest.NewRawStore(t, func(c *headtest.Conn) {
					if c.Index > 0 {
						c.Serve()
						return
					}
					if r := c.ReadRequest(); r != nil && c.Send(headtest.Answer(r.RequestURI)) {
						play(c)
					}
				})
				session := newSession(t, s, head.Config{Pipeline: pipeline})
				headtest.Expect(t, session, "a")
				began := time.Now()
				keys := headtest.Keys(8)
				headWithTimeout(t, session, shortTimeout, keys, func(i int, r *head.Result) {
					switch took := time.Since(began); {
					case i == 0 && headtest.Class(r) != fault.Timeout:
						t.Errorf("the first: status %d, error %v", r.Status, r.Err)
					case i == 0 && took < shortTimeout:
						t.Errorf("the first: timeout after %v, want %v", took, shortTimeout)
					case i > 0 && !headtest.IsAnswer(r, keys[i]):
						t.Errorf("%s: status %d, error %v", keys[i], r.Status, r.Err)
					}
				})
			})
		}
	}
}

// A store that does not read blocks the write. The timeout ends it, or the context does.
func TestBlockedWrite(t *testing.T) {
	const depth = 1000 // of 6 kB each: more than the kernel buffers for a receiver that does not read
	keys := make([]string, depth)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s%d", strings.Repeat("\xff", 2000), i)
	}
	// freeze reads nothing from the first connection. Keys need encoding in a path: the answers on other connections
	// are for the decoded path, as those of headtest.Entries.
	freeze := func(started chan struct{}) func(*headtest.Conn) {
		return func(c *headtest.Conn) {
			if c.Index > 0 {
				for r := c.ReadRequest(); r != nil && c.Send(headtest.Answer(r.URL.Path)); r = c.ReadRequest() {
				}
				return
			}
			_ = c.TCP().SetReadBuffer(4 << 10)
			close(started)
			c.Freeze()
		}
	}
	t.Run("timeout", func(t *testing.T) {
		s := headtest.NewRawStore(t, freeze(make(chan struct{})))
		session := newSession(t, s, head.Config{Pipeline: depth})
		headWithTimeout(t, session, 2*time.Second, keys, func(i int, r *head.Result) { // signing takes a part of it
			var op *net.OpError
			switch {
			case i == 0 && (!errors.As(r.Err, &op) || op.Op != "write" || !op.Timeout()):
				t.Errorf("the first: status %d, error %v", r.Status, r.Err)
			case i > 0 && r.Err != nil:
				t.Errorf("%d: %v", i, r.Err)
			}
		})
	})
	t.Run("context", func(t *testing.T) {
		started := make(chan struct{})
		s := headtest.NewRawStore(t, freeze(started))
		session := newSession(t, s, head.Config{Pipeline: depth})
		checkCancel(t, session, headtest.Entries(keys...), started)
	})
}
