package direct_test

import (
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

// window reads so many requests, or what there is within a moment, and returns their paths.
func window(c *headtest.Conn, n int) (paths []string) {
	for range n {
		_ = c.SetReadDeadline(time.Now().Add(headtest.Timeout / 10))
		r := c.Ask()
		if r == nil {
			break
		}
		paths = append(paths, r.RequestURI)
	}
	_ = c.SetReadDeadline(time.Time{})
	return paths
}

func answers(paths ...string) string {
	var all strings.Builder
	for _, path := range paths {
		all.WriteString(headtest.Answer(path))
	}
	return all.String()
}

// A store that does not bear pipelining: whatever it makes of eight requests at once, every key gets its own answer, in
// order and once, and the run is told.
func TestPipelineIsNotBorne(t *testing.T) {
	for name, play := range map[string]func(c *headtest.Conn, paths []string){
		"answered in the wrong order": func(c *headtest.Conn, paths []string) {
			slices.Reverse(paths)
			c.Say(answers(paths...))
		},
		"two of them swapped": func(c *headtest.Conn, paths []string) {
			paths[5], paths[6] = paths[6], paths[5]
			c.Say(answers(paths...))
		},
		"the last two swapped": func(c *headtest.Conn, paths []string) {
			paths[6], paths[7] = paths[7], paths[6]
			c.Say(answers(paths...))
		},
		"one left out": func(c *headtest.Conn, paths []string) {
			c.Say(answers(slices.Delete(paths, 3, 4)...))
		},
		"one answered twice": func(c *headtest.Conn, paths []string) {
			c.Say(answers(slices.Insert(paths, 3, paths[3])...))
		},
		"the last answered twice": func(c *headtest.Conn, paths []string) {
			c.Say(answers(append(paths, paths[7])...))
		},
		"one with a body": func(c *headtest.Conn, paths []string) {
			c.Say(answers(paths[:3]...) + "<html></html>" + answers(paths[3:]...))
		},
		"closed before all":   func(*headtest.Conn, []string) {},
		"closed after one":    func(c *headtest.Conn, paths []string) { c.Say(answers(paths[:1]...)) },
		"closed after seven":  func(c *headtest.Conn, paths []string) { c.Say(answers(paths[:7]...)) },
		"reset after three":   func(c *headtest.Conn, paths []string) { c.Say(answers(paths[:3]...)); c.Reset() },
		"closed within one":   func(c *headtest.Conn, paths []string) { text := answers(paths...); c.Say(text[:len(text)/2]) },
		"garbage after three": func(c *headtest.Conn, paths []string) { c.Say(answers(paths[:3]...) + "\x15\x03\x01") },
		"malformed after three": func(c *headtest.Conn, paths []string) {
			c.Say(answers(paths[:3]...) + "HTTP/1.1 200 OK\r\n: \r\n\r\n" + answers(paths[4:]...))
		},
		"said to be closed": func(c *headtest.Conn, paths []string) {
			text := answers(paths...)
			c.Say(strings.Replace(text, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)[:len(text)/8+40])
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRaw(t, func(c *headtest.Conn) {
				if c.Nth > 0 {
					c.Serve()
					return
				}
				if paths := window(c, 8); len(paths) == 8 {
					play(c, paths)
				}
			})
			var told logged
			session := newSession(t, s, head.Config{Pipeline: 8, Log: slog.New(&told)})
			keys := headtest.Keys(8)
			headtest.Expect(t, session, keys...)
			headtest.Expect(t, session, headtest.Keys(30)...)                                                           // which it does not forget
			if n := told.Load(); n > 1 || n == 0 && name != "closed after seven" && name != "the last answered twice" { // which may happen to any connection
				t.Errorf("the log was told %d times", n)
			}
		})
	}
}

// A store that says Connection: close with every answer, as some do: it costs no failure, and after a few tries no
// requests in vain either.
func TestPipelineToAStoreThatCloses(t *testing.T) {
	for name, says := range map[string][]string{"says so": {"Connection: close"}, "just does": nil} {
		t.Run(name, func(t *testing.T) {
			s := headtest.NewRaw(t, func(c *headtest.Conn) {
				if r := c.Ask(); r != nil {
					c.Say(headtest.Answer(r.RequestURI, says...))
				}
			})
			var told logged
			session := newSession(t, s, head.Config{Pipeline: 8, Log: slog.New(&told)})
			const keys = 100
			headtest.Expect(t, session, headtest.Keys(keys)...)
			if n := told.Load(); n != 1 {
				t.Errorf("the log was told %d times", n)
			}
			if n := s.Connections(); n != keys {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A store that answers the first of those in flight and is silent then: each deadline costs one object, and after a few
// nothing is pipelined any more.
func TestPipelineToAStoreThatAnswersOne(t *testing.T) {
	s := headtest.NewRaw(t, func(c *headtest.Conn) {
		paths := window(c, 4)
		for len(paths) == 1 && c.Say(answers(paths...)) {
			paths = window(c, 4)
		}
		if len(paths) > 0 && c.Say(answers(paths[0])) {
			c.Stall()
		}
	})
	session := newSession(t, s, head.Config{Pipeline: 4, Timeout: headtest.Timeout / 2})
	keys := headtest.Keys(24)
	began := time.Now()
	results := headtest.Ask(t, session, headtest.Entries(keys...))
	var failed []string
	for i := range results {
		if r := &results[i]; headtest.Class(r) == fault.Timeout {
			failed = append(failed, keys[i])
		} else if !headtest.IsAnswer(r, keys[i]) {
			t.Errorf("%s: status %d, error %v", keys[i], r.Status, r.Err)
		}
	}
	// Of the first four the second fails and two are asked alone, and so on.
	if fmt.Sprint(failed) != "[key-1 key-5 key-9]" {
		t.Errorf("%s failed within %v", failed, time.Since(began))
	}
}

// A pipeline that breaks now and then goes on: pipelining is given up only where it never works.
func TestPipelineThatBreaksNowAndThen(t *testing.T) {
	var piped atomic.Int64 // requests that were followed before they were answered
	s := headtest.NewRaw(t, func(c *headtest.Conn) {
		for range 20 {
			r := c.Ask()
			if c.Waiting() > 0 {
				piped.Add(1)
			}
			if r == nil || !c.Say(headtest.Answer(r.RequestURI)) {
				return
			}
		}
		c.Ask()
	})
	session := newSession(t, s, head.Config{Pipeline: 8})
	for range 20 {
		headtest.Expect(t, session, headtest.Keys(16)...)
	}
	before := piped.Load()
	headtest.Expect(t, session, headtest.Keys(16)...)
	if s.Connections() < 10 || piped.Load() == before {
		t.Errorf("%d connections, and at last none is pipelined", s.Connections())
	}
}

// Long answers, of which one fills the read buffer many times, are taken while others are in flight.
func TestPipelineOfLongHeaders(t *testing.T) {
	long := strings.Repeat("v", store.HeaderBytesMax-500)
	s := headtest.NewRaw(t, func(c *headtest.Conn) {
		for r := c.Ask(); r != nil && c.Say(headtest.Answer(r.RequestURI, "x-long: "+long)); r = c.Ask() {
		}
	})
	session := newSession(t, s, head.Config{Pipeline: 8})
	keys := headtest.Keys(32)
	for i, r := range headtest.Ask(t, session, headtest.Entries(keys...)) {
		if !headtest.IsAnswer(&r, keys[i]) || string(r.Get("x-long")) != long {
			t.Errorf("%s: status %d, error %v, metadata %s", keys[i], r.Status, r.Err, r.Metadata)
		}
	}
	if got := wire(s); got != strings.Join(keys, " ")+" by 1" {
		t.Errorf("asked for %s", got)
	}
}

// One that is too long is that object's failure alone.
func TestPipelineOfOneTooLong(t *testing.T) {
	s := headtest.NewRaw(t, func(c *headtest.Conn) {
		for r := c.Ask(); r != nil; r = c.Ask() {
			var more []string
			if strings.HasSuffix(r.RequestURI, "-3") {
				more = append(more, "x-long: "+strings.Repeat("v", store.HeaderBytesMax))
			}
			if !c.Say(headtest.Answer(r.RequestURI, more...)) {
				return
			}
		}
	})
	session := newSession(t, s, head.Config{Pipeline: 8})
	keys := headtest.Keys(8)
	for i, r := range headtest.Ask(t, session, headtest.Entries(keys...)) {
		switch {
		case i == 3 && headtest.Class(&r) != fault.HeaderTooLarge,
			i != 3 && !headtest.IsAnswer(&r, keys[i]):
			t.Errorf("%s: status %d, error %v", keys[i], r.Status, r.Err)
		}
	}
}

// In batches of one there is nothing to pipeline, and one connection.
func TestPipelineOfOne(t *testing.T) {
	s := headtest.NewRaw(t, (*headtest.Conn).Serve)
	session := newSession(t, s, head.Config{Pipeline: 8})
	keys := headtest.Keys(20)
	for _, key := range keys {
		headtest.Expect(t, session, key)
	}
	if got := wire(s); got != strings.Join(keys, " ")+" by 1" {
		t.Errorf("asked for %s", got)
	}
}

// A burst has as many HEADs as may be in flight, and the next one begins when it is answered.
func TestPipelineIsFull(t *testing.T) {
	s := headtest.NewRaw(t, func(c *headtest.Conn) {
		var waiting []string
		for _, inFlight := range []int{4, 3, 2, 1, 4, 3, 2, 1, 1} { // before each answer
			for len(waiting) < inFlight {
				r := c.Ask()
				if r == nil {
					return
				}
				waiting = append(waiting, r.RequestURI)
			}
			if more := window(c, 1); len(more) > 0 {
				t.Errorf("more than %d are in flight", inFlight)
				return
			}
			if !c.Say(answers(waiting[0])) {
				return
			}
			waiting = waiting[1:]
		}
	})
	session := newSession(t, s, head.Config{Pipeline: 4})
	headtest.Expect(t, session, headtest.Keys(9)...)
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// The gate closes while HEADs are in flight: their answers are handed on, and no other is sent before it opens.
func TestGateClosesInFlight(t *testing.T) {
	const held = headtest.Timeout + headtest.Timeout/2 // longer than a HEAD may take
	var (
		gate = new(pace.Limiter)
		shut time.Time
		sent atomic.Int64 // nanoseconds after that the next one was
	)
	s := headtest.NewRaw(t, func(c *headtest.Conn) {
		paths := window(c, 4)
		shut = time.Now()
		gate.ObserveRefusal(time.Now(), held)
		c.Say(answers(paths[:3]...))
		time.Sleep(headtest.Timeout / 10)
		c.Say(answers(paths[3:]...))
		if r := c.Ask(); r != nil {
			sent.Store(int64(time.Since(shut)))
			c.Say(headtest.Answer(r.RequestURI))
			c.Serve()
		}
	})
	session := newSession(t, s, head.Config{Pipeline: 4, Limiter: gate})
	keys := headtest.Keys(10)
	var at []time.Duration
	i := 0
	err := session.Head(t.Context(), head.NewBatch(headtest.Entries(keys...)), func(r *head.Result) {
		if !headtest.IsAnswer(r, keys[i]) {
			t.Errorf("%s: status %d, error %v", keys[i], r.Status, r.Err)
		}
		i++
		at = append(at, time.Since(shut))
	})
	if err != nil || len(at) != len(keys) {
		t.Fatalf("%d answers, %v", len(at), err)
	}
	if at[3] > headtest.Timeout/2 {
		t.Errorf("the answers that were on their way came after %v", at)
	}
	if next := time.Duration(sent.Load()); next < held {
		t.Errorf("the next was sent %v after the gate closed for %v", next, held)
	}
}

// Folder markers and empty files are alike in their ETag and length. Whatever becomes of an answer on its way, none of them gets
// another one's.
func TestAlikeAreNotTakenForEachOther(t *testing.T) {
	const objects, spoiled = 40, 10
	say := func(path string) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"same\"\r\nx-amz-meta-key: " + path + "\r\n\r\n"
	}
	for name, spoil := range map[string]func(c *headtest.Conn, path string){
		"left out":        func(c *headtest.Conn, path string) {},
		"twice":           func(c *headtest.Conn, path string) { c.Say(say(path) + say(path)) },
		"after another's": func(c *headtest.Conn, path string) { c.Say(say("another's") + say(path)) },
		"with its next": func(c *headtest.Conn, path string) {
			if c.Waiting() > 0 { // it was pipelined
				c.Say(say(c.Ask().RequestURI) + say(path))
				return
			}
			c.Say(say(path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var nth atomic.Int64
			s := headtest.NewRaw(t, func(c *headtest.Conn) {
				for r := c.Ask(); r != nil; r = c.Ask() {
					if nth.Add(1) == spoiled {
						spoil(c, r.RequestURI)
					} else if !c.Say(say(r.RequestURI)) {
						return
					}
				}
			})
			batch := headtest.Entries(headtest.Keys(objects)...)
			for i := range batch {
				batch[i].ETag, batch[i].Size = "same", 0
			}
			answered := 0
			for i, r := range headtest.Ask(t, newSession(t, s, head.Config{Pipeline: 8}), batch) {
				switch {
				case r.Err != nil: // of the one without an answer
				case !headtest.IsAnswer(&r, batch[i].Key):
					t.Errorf("%s got %s", batch[i].Key, r.Metadata)
				default:
					answered++
				}
			}
			if answered < objects-1 {
				t.Errorf("only %d were answered", answered)
			}
		})
	}
}
