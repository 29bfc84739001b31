package direct_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/headtest"
	"headcount/scan/pace"
	"headcount/scan/store"
)

func answers(paths ...string) string {
	var all strings.Builder
	for _, path := range paths {
		all.WriteString(headtest.Answer(path))
	}
	return all.String()
}

// Whatever a store without support for pipelining makes of eight requests in flight, every key gets its own answer,
// in order and once, and the log has one warning.
func TestPipelineNotSupported(t *testing.T) {
	for name, play := range map[string]func(c *headtest.Conn, paths []string){
		"answers in reverse": func(c *headtest.Conn, paths []string) {
			slices.Reverse(paths)
			c.Send(answers(paths...))
		},
		"two swapped": func(c *headtest.Conn, paths []string) {
			paths[5], paths[6] = paths[6], paths[5]
			c.Send(answers(paths...))
		},
		"the last two swapped": func(c *headtest.Conn, paths []string) {
			paths[6], paths[7] = paths[7], paths[6]
			c.Send(answers(paths...))
		},
		"one left out": func(c *headtest.Conn, paths []string) {
			c.Send(answers(slices.Delete(paths, 3, 4)...))
		},
		"one twice": func(c *headtest.Conn, paths []string) {
			c.Send(answers(slices.Insert(paths, 3, paths[3])...))
		},
		"the last twice": func(c *headtest.Conn, paths []string) {
			c.Send(answers(append(paths, paths[7])...))
		},
		"one with a body": func(c *headtest.Conn, paths []string) {
			c.Send(answers(paths[:3]...) + "<html></html>" + answers(paths[3:]...))
		},
		"closed before the first": func(*headtest.Conn, []string) {},
		"closed after one":        func(c *headtest.Conn, paths []string) { c.Send(answers(paths[:1]...)) },
		"closed after seven":      func(c *headtest.Conn, paths []string) { c.Send(answers(paths[:7]...)) },
		"reset after three": func(c *headtest.Conn, paths []string) {
			c.Send(answers(paths[:3]...))
			c.Reset()
		},
		"closed within one": func(c *headtest.Conn, paths []string) {
			text := answers(paths...)
			c.Send(text[:len(text)/2])
		},
		"garbage after three": func(c *headtest.Conn, paths []string) {
			c.Send(answers(paths[:3]...) + "\x15\x03\x01")
		},
		"malformed after three": func(c *headtest.Conn, paths []string) {
			c.Send(answers(paths[:3]...) + "HTTP/1.1 200 OK\r\n: \r\n\r\n" + answers(paths[4:]...))
		},
		"announced close": func(c *headtest.Conn, paths []string) {
			text := answers(paths...)
			c.Send(strings.Replace(text, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)[:len(text)/8+40])
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRawStore(t, func(c *headtest.Conn) {
				if c.Index > 0 {
					c.Serve()
					return
				}
				if paths := c.ReadBurst(8); len(paths) == 8 {
					play(c, paths)
				} else {
					t.Errorf("the burst has %d requests", len(paths))
				}
			})
			var logged warnings
			session := newSession(t, s, head.Config{Pipeline: 8, Log: slog.New(&logged)})
			headtest.Expect(t, session, headtest.Keys(8)...)
			headtest.Expect(t, session, headtest.Keys(30)...)
			// These two may happen to any connection, so they are no reason for a warning.
			mayBeSilent := name == "closed after seven" || name == "the last twice"
			if n := logged.Load(); n > 1 || n == 0 && !mayBeSilent {
				t.Errorf("%d warnings", n)
			}
		})
	}
}

// A store that closes the connection after every answer causes no failure. After three bursts no HEAD is sent in
// vain.
func TestPipelineToAClosingStore(t *testing.T) {
	for name, headers := range map[string][]string{"announced": {"Connection: close"}, "silent": nil} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRawStore(t, func(c *headtest.Conn) {
				if r := c.ReadRequest(); r != nil {
					c.Send(headtest.Answer(r.RequestURI, headers...))
				}
			})
			var logged warnings
			session := newSession(t, s, head.Config{Pipeline: 8, Log: slog.New(&logged)})
			const keys = 100
			headtest.Expect(t, session, headtest.Keys(keys)...)
			if n := logged.Load(); n != 1 {
				t.Errorf("%d warnings", n)
			}
			if n := s.Connections(); n != keys {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// Against a store that answers only the first request of a burst, each timeout costs one object, and after three
// bursts nothing is pipelined.
func TestPipelineToAStoreThatAnswersOne(t *testing.T) {
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		paths := c.ReadBurst(4)
		for len(paths) == 1 && c.Send(answers(paths...)) {
			paths = c.ReadBurst(4)
		}
		if len(paths) > 0 && c.Send(answers(paths[0])) {
			c.Stall()
		}
	})
	t.Parallel() // it waits for three timeouts
	const timeout = 2 * time.Second
	session := newSession(t, s, head.Config{Pipeline: 4, Timeout: timeout})
	keys := headtest.Keys(24)
	var failed []string
	for i, r := range headtest.Head(t, session, headtest.Entries(keys...)) {
		if headtest.Class(&r) == fault.Timeout {
			failed = append(failed, keys[i])
		} else if !headtest.IsAnswer(&r, keys[i]) {
			t.Errorf("%s: status %d, error %v", keys[i], r.Status, r.Err)
		}
	}
	// Of a burst of four the first has an answer, the second fails, and the other two are sent again alone.
	if fmt.Sprint(failed) != "[key-1 key-5 key-9]" {
		t.Errorf("%s failed", failed)
	}
}

// A session whose pipeline breaks now and then continues to pipeline.
func TestPipelineThatBreaksNowAndThen(t *testing.T) {
	var pipelined atomic.Int64 // requests that came before the answer to the request before
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		for range 20 {
			r := c.ReadRequest()
			if c.Buffered() > 0 {
				pipelined.Add(1)
			}
			if r == nil || !c.Send(headtest.Answer(r.RequestURI)) {
				return
			}
		}
		c.ReadRequest()
	})
	session := newSession(t, s, head.Config{Pipeline: 8})
	for range 20 {
		headtest.Expect(t, session, headtest.Keys(16)...)
	}
	before := pipelined.Load()
	headtest.Expect(t, session, headtest.Keys(16)...)
	if s.Connections() < 10 || pipelined.Load() == before {
		t.Errorf("%d connections, and the last batch is not pipelined", s.Connections())
	}
}

// Answers that fill the read buffer many times are read while others are in flight.
func TestPipelineOfLongHeaders(t *testing.T) {
	long := strings.Repeat("v", store.HeaderBytesMax-500)
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		for r := c.ReadRequest(); r != nil; r = c.ReadRequest() {
			if !c.Send(headtest.Answer(r.RequestURI, "x-long: "+long)) {
				return
			}
		}
	})
	session := newSession(t, s, head.Config{Pipeline: 8})
	keys := headtest.Keys(32)
	for i, r := range headtest.Head(t, session, headtest.Entries(keys...)) {
		if !headtest.IsAnswer(&r, keys[i]) || string(r.Get("x-long")) != long {
			t.Errorf("%s: status %d, error %v, metadata %s", keys[i], r.Status, r.Err, r.Metadata)
		}
	}
	if got := summary(s); got != strings.Join(keys, " ")+" by 1" {
		t.Errorf("requests %s", got)
	}
}

// A header that is too long fails its own object only.
func TestPipelineWithOneHeaderTooLong(t *testing.T) {
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		for r := c.ReadRequest(); r != nil; r = c.ReadRequest() {
			var headers []string
			if strings.HasSuffix(r.RequestURI, "-3") {
				headers = append(headers, "x-long: "+strings.Repeat("v", store.HeaderBytesMax))
			}
			if !c.Send(headtest.Answer(r.RequestURI, headers...)) {
				return
			}
		}
	})
	session := newSession(t, s, head.Config{Pipeline: 8})
	keys := headtest.Keys(8)
	for i, r := range headtest.Head(t, session, headtest.Entries(keys...)) {
		isTooLong := headtest.Class(&r) == fault.HeaderTooLarge
		if i == 3 && !isTooLong || i != 3 && !headtest.IsAnswer(&r, keys[i]) {
			t.Errorf("%s: status %d, error %v", keys[i], r.Status, r.Err)
		}
	}
}

// Batches of one entry share one connection.
func TestPipelineOfOne(t *testing.T) {
	s := headtest.NewRawStore(t, (*headtest.Conn).Serve)
	session := newSession(t, s, head.Config{Pipeline: 8})
	keys := headtest.Keys(20)
	for _, key := range keys {
		headtest.Expect(t, session, key)
	}
	if got := summary(s); got != strings.Join(keys, " ")+" by 1" {
		t.Errorf("requests %s", got)
	}
}

// A burst has the number of HEADs that may be in flight. The next one is sent when the burst is answered.
func TestPipelineIsFull(t *testing.T) {
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		var inFlight []string
		for _, want := range []int{4, 3, 2, 1, 4, 3, 2, 1, 1} { // before each answer
			if len(inFlight) == 0 {
				inFlight = c.ReadBurst(8)
			} else if c.Buffered() > 0 || sendsMore(c) {
				t.Errorf("more than %d HEADs are in flight", want)
			}
			if len(inFlight) != want {
				t.Errorf("%d HEADs are in flight, want %d", len(inFlight), want)
				return
			}
			if !c.Send(answers(inFlight[0])) {
				return
			}
			inFlight = inFlight[1:]
		}
		c.ReadRequest() // waits for the end of the session
	})
	session := newSession(t, s, head.Config{Pipeline: 4})
	headtest.Expect(t, session, headtest.Keys(9)...)
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// sendsMore reports whether the client sends anything within some milliseconds. On a slow machine it may miss that.
func sendsMore(c *headtest.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	n, _ := c.Read(make([]byte, 1))
	return n > 0
}

// The limiter closes while HEADs are in flight. Their answers are delivered, and no other HEAD is sent.
func TestLimiterClosesWithHEADsInFlight(t *testing.T) {
	limiter := new(pace.Limiter)
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		paths := c.ReadBurst(8)
		limiter.ObserveRefusal(time.Now(), time.Hour)
		c.Send(answers(paths...))
		c.Serve()
	})
	session := newSession(t, s, head.Config{Pipeline: 4, Limiter: limiter})
	cause := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	keys := headtest.Keys(10)
	results := 0
	err := session.Head(ctx, head.NewBatch(headtest.Entries(keys...)), func(r *head.Result) {
		if !headtest.IsAnswer(r, keys[results]) {
			t.Errorf("%s: status %d, error %v", keys[results], r.Status, r.Err)
		}
		if results++; results == 4 {
			time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
		}
	})
	if n := len(s.Paths()); !errors.Is(err, cause) || results != 4 || n != 4 {
		t.Errorf("%d results and %d requests before the end, %v", results, n, err)
	}
}

// When the limiter opens again, the next HEAD is sent with its whole timeout: the wait does not count.
func TestLimiterOpensAgain(t *testing.T) {
	t.Parallel() // it waits
	const (
		timeout = 3 * time.Second
		closed  = timeout + time.Second
	)
	limiter := new(pace.Limiter)
	var closedAt, next time.Time
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		paths := c.ReadBurst(8)
		closedAt = time.Now()
		limiter.ObserveRefusal(closedAt, closed)
		c.Send(answers(paths...))
		if r := c.ReadRequest(); r != nil {
			next = time.Now()
			c.Send(headtest.Answer(r.RequestURI))
			c.Serve()
		}
	})
	session := newSession(t, s, head.Config{Pipeline: 4, Limiter: limiter, Timeout: timeout})
	headtest.Expect(t, session, headtest.Keys(10)...)
	if waited := next.Sub(closedAt); waited < closed {
		t.Errorf("the next HEAD was sent %v after the limiter closed for %v", waited, closed)
	}
}

// Folder markers and empty files share their ETag and length. None of them gets another one's answer, whatever
// happens to one of the answers.
func TestEqualObjectsAreNotConfused(t *testing.T) {
	const objects, spoiled = 40, 10
	answer := func(path string) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"same\"\r\nx-amz-meta-key: " + path + "\r\n\r\n"
	}
	for name, spoil := range map[string]func(c *headtest.Conn, path string){
		"left out":        func(*headtest.Conn, string) {},
		"twice":           func(c *headtest.Conn, path string) { c.Send(answer(path) + answer(path)) },
		"after another's": func(c *headtest.Conn, path string) { c.Send(answer("another's") + answer(path)) },
		"after the next": func(c *headtest.Conn, path string) {
			if c.Buffered() > 0 { // it is pipelined
				c.Send(answer(c.ReadRequest().RequestURI) + answer(path))
				return
			}
			c.Send(answer(path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // one HEAD waits for its timeout
			var requests atomic.Int64
			s := headtest.NewRawStore(t, func(c *headtest.Conn) {
				for r := c.ReadRequest(); r != nil; r = c.ReadRequest() {
					if requests.Add(1) == spoiled {
						spoil(c, r.RequestURI)
					} else if !c.Send(answer(r.RequestURI)) {
						return
					}
				}
			})
			batch := headtest.Entries(headtest.Keys(objects)...)
			for i := range batch {
				batch[i].ETag, batch[i].Size = "same", 0
			}
			session := newSession(t, s, head.Config{Pipeline: 8, Timeout: 2 * time.Second})
			answered := 0
			for i, r := range headtest.Head(t, session, batch) {
				switch {
				case r.Err != nil: // of the request without an answer
				case !headtest.IsAnswer(&r, batch[i].Key):
					t.Errorf("%s has the metadata %s", batch[i].Key, r.Metadata)
				default:
					answered++
				}
			}
			if answered < objects-1 {
				t.Errorf("only %d answers", answered)
			}
		})
	}
}
