package s3sim

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	headRequest = "HEAD /demo/obj-000000000003 HTTP/1.1\r\nHost: x\r\n\r\n"
	pageRequest = "GET /demo?list-type=2 HTTP/1.1\r\nHost: x\r\n\r\n"
)

// request returns the request that a fault of the kind hits, and its method.
func (k FaultKind) request() (text, method string) {
	if k.affects(opHead) {
		return headRequest, "HEAD"
	}
	return pageRequest, "GET"
}

// faulty starts a server on which every request meets the fault.
func faulty(t *testing.T, kind FaultKind) (*Server, string) {
	return start(t, Options{
		Objects: 20, Faults: []Fault{{kind, 1}},
		RefuseFor: 50 * time.Millisecond, ByteEvery: time.Millisecond,
	})
}

// readAll reads what comes until the connection ends.
func (c *rawConn) readAll() (string, error) {
	text, err := io.ReadAll(c.r)
	return string(text), err
}

// TestFaultStatuses looks at those that are a status, on HEAD and on LIST, and
// at the connection after them.
func TestFaultStatuses(t *testing.T) {
	for _, test := range []struct {
		kind   FaultKind
		status int
		body   string // of a LIST
	}{
		{Fault500, 500, "<Code>InternalError</Code>"},
		{Fault502, 502, "Bad Gateway"},
		{Fault503Empty, 503, ""},
		{Fault503RetryAfter, 503, ""},
		{Fault504, 504, "Gateway"},
		{Fault429, 429, ""},
		{Fault520, 520, "520"},
		{FaultListSlowDown, 503, "<Code>SlowDown</Code>"},
		{FaultListError, 200, "<Error><Code>InternalError</Code>"},
		{FaultListEmpty, 200, ""},
		{FaultListHTML, 200, "<!DOCTYPE html>"},
	} {
		for _, op := range []operation{opHead, opList} {
			if !test.kind.affects(op) {
				continue
			}
			_, address := faulty(t, test.kind)
			request, method := pageRequest, "GET"
			if op == opHead {
				request, method = headRequest, "HEAD"
			}
			c := dial(t, address)
			for range faultsInARow {
				response, body := c.say(request).answer(method)
				if response.StatusCode != test.status || op == opList && (!strings.Contains(body, test.body) || (test.body == "") != (body == "")) {
					t.Errorf("%s: %s: %d %q", test.kind, method, response.StatusCode, body)
				}
				if after := response.Header.Get("Retry-After"); (after == "1") != (test.kind == Fault503RetryAfter) {
					t.Errorf("%s: Retry-After %q", test.kind, after)
				}
			}
			if response, body := c.say(request).answer(method); response.StatusCode != 200 || op == opList && !strings.Contains(body, "</ListBucketResult>") {
				t.Errorf("%s: %s is not answered after %d faults: %d", test.kind, method, faultsInARow, response.StatusCode)
			}
		}
	}
}

// TestFaultsOfConnections looks at what the raw connection of each shows.
func TestFaultsOfConnections(t *testing.T) {
	for kind, check := range map[FaultKind]func(t *testing.T, c *rawConn, address string){
		FaultListCutShort: func(t *testing.T, c *rawConn, _ string) {
			if response, body, err := c.tryAnswer("GET"); !errors.Is(err, io.ErrUnexpectedEOF) || int64(len(body)) >= response.ContentLength || body == "" {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		},
		FaultListBadChunk: func(t *testing.T, c *rawConn, _ string) {
			if _, body, err := c.tryAnswer("GET"); err == nil || !strings.HasPrefix(body, "<?xml") {
				t.Errorf("%q, %v", body, err)
			}
		},
		FaultRSTBeforeByte: func(t *testing.T, c *rawConn, _ string) {
			if text, err := c.readAll(); !errors.Is(err, syscall.ECONNRESET) || text != "" {
				t.Errorf("%q, %v", text, err)
			}
		},
		FaultRSTInHeaders: func(t *testing.T, c *rawConn, _ string) {
			text, err := c.readAll() // the reset may overtake what was written
			if !errors.Is(err, syscall.ECONNRESET) || strings.Contains(text, "\r\n\r\n") {
				t.Errorf("%q, %v", text, err)
			}
		},
		FaultFINInHeaders: func(t *testing.T, c *rawConn, _ string) {
			if text, err := c.readAll(); err != nil || !strings.HasPrefix(text, "HTTP/1.1 200 OK\r\n") || strings.Contains(text, "\r\n\r\n") {
				t.Errorf("%q, %v", text, err)
			}
		},
		FaultIdleClose: func(t *testing.T, c *rawConn, _ string) {
			text, err := c.readAll()
			if err != nil || !strings.HasSuffix(text, "\r\n\r\n") || strings.Contains(text, "Connection:") {
				t.Errorf("%q, %v", text, err)
			}
		},
		FaultHang: func(t *testing.T, c *rawConn, _ string) {
			c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			if text, err := c.readAll(); text != "" || !errors.Is(err, errTimeout(err)) {
				t.Errorf("%q, %v", text, err)
			}
		},
		FaultBytePerSecond: func(t *testing.T, c *rawConn, _ string) {
			began := time.Now()
			response, _ := c.answer("HEAD")
			// Every byte of some 300 takes a millisecond here.
			if response.StatusCode != 200 || time.Since(began) < 200*time.Millisecond {
				t.Errorf("%d after %s", response.StatusCode, time.Since(began))
			}
			if response, _ := c.say(pageRequest[:4] + "/demo/other HTTP/1.1\r\nHost: x\r\n\r\n").answer("GET"); response.StatusCode != 501 {
				t.Errorf("then %d", response.StatusCode)
			}
		},
		FaultHeadBody: func(t *testing.T, c *rawConn, _ string) {
			if response, _ := c.answer("HEAD"); response.StatusCode != 200 {
				t.Error(response.Status)
			}
			if line, err := c.r.ReadString('\n'); err != nil || !strings.Contains(line, "body") {
				t.Errorf("%q, %v", line, err)
			}
		},
		FaultUnsolicited: func(t *testing.T, c *rawConn, _ string) {
			first, _ := c.answer("HEAD")
			second, _ := c.answer("HEAD")
			if first.StatusCode != 200 || second.StatusCode != 200 || first.Header.Get("ETag") == second.Header.Get("ETag") {
				t.Errorf("%v, %v", first.Header, second.Header)
			}
		},
		FaultGarbageStatus: func(t *testing.T, c *rawConn, _ string) {
			if response, _, err := c.tryAnswer("HEAD"); err == nil {
				t.Error(response.Status)
			}
		},
		Fault103: func(t *testing.T, c *rawConn, _ string) {
			first, _ := c.answer("HEAD")
			second, _ := c.answer("HEAD")
			if first.StatusCode != 103 || second.StatusCode != 200 || second.Header.Get("ETag") == "" {
				t.Errorf("%d, %d", first.StatusCode, second.StatusCode)
			}
		},
		FaultRefuse: func(t *testing.T, c *rawConn, address string) {
			if text, err := c.readAll(); !errors.Is(err, syscall.ECONNRESET) || text != "" {
				t.Errorf("%q, %v", text, err)
			}
			if again, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial: %v", err)
				again.Close()
			}
			time.Sleep(150 * time.Millisecond)
			dial(t, address).say("HEAD /demo HTTP/1.1\r\nHost: x\r\n\r\n").answer("HEAD")
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			s, address := faulty(t, kind)
			request, _ := kind.request()
			check(t, dial(t, address).say(request), address)
			if played := s.Counts().Faults[kind]; played != 1 {
				t.Errorf("%d played: %v", played, s.Counts().Faults)
			}
		})
	}
}

// errTimeout returns err if it is a timeout.
func errTimeout(err error) error {
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return err
	}
	return errors.New("no timeout")
}

// TestFaultsLeavePipelinedNeighboursAlone hits the second of three requests.
func TestFaultsLeavePipelinedNeighboursAlone(t *testing.T) {
	for _, kind := range []FaultKind{FaultRSTInHeaders, FaultFINInHeaders, FaultIdleClose, FaultHang, FaultBytePerSecond, FaultRSTBeforeByte} {
		for _, latency := range []time.Duration{0, time.Millisecond} {
			s, err := New(Options{Objects: 2000, Faults: []Fault{{kind, 0.2}}, ByteEvery: time.Microsecond, Latency: latency})
			if err != nil {
				t.Fatal(err)
			}
			var hit, fine []byte
			for i := int64(0); hit == nil || fine == nil; i++ {
				key := s.Keyspace().Key(i)
				if s.faultSampler.draw(opHead, hashKey(key)) != "" {
					hit = key
				} else {
					fine = key
				}
			}
			_, address := start(t, s.options)
			c := dial(t, address)
			pipelined := "" // in one write: the fault may end the connection before a second
			for _, key := range [][]byte{fine, hit, fine} {
				pipelined += "HEAD " + pathOf(key) + " HTTP/1.1\r\nHost: x\r\n\r\n"
			}
			c.say(pipelined)
			response, _ := c.answer("HEAD")
			if o := s.Object(fine); response.Header.Get("ETag") != o.ETag() {
				t.Errorf("%s, latency %s: %v", kind, latency, response.Header)
			}
		}
	}
}

// TestFaultsAreDeterministic draws twice with one seed and once with another.
func TestFaultsAreDeterministic(t *testing.T) {
	draw := func(seed uint64) (kinds []FaultKind) {
		sampler := newFaultSampler(Options{Seed: seed, Faults: []Fault{{Fault500, 0.1}, {FaultHang, 0.2}, {FaultListEmpty, 0.5}}})
		for request := range uint64(20_000) {
			kinds = append(kinds, sampler.draw(opHead, request))
		}
		return kinds
	}
	first, again, other := draw(1), draw(1), draw(2)
	count := map[FaultKind]int{}
	same := 0
	for i, kind := range first {
		count[kind]++
		if kind != again[i] {
			t.Fatalf("request %d: %q, and then %q", i, kind, again[i])
		}
		if kind == other[i] {
			same++
		}
	}
	if n := count[Fault500]; n < 1800 || n > 2200 {
		t.Errorf("%d of 20000 at 0.1", n)
	}
	if n := count[FaultHang]; n < 3700 || n > 4300 {
		t.Errorf("%d of 20000 at 0.2", n)
	}
	if count[FaultListEmpty] != 0 || same > 15_000 {
		t.Errorf("%v, %d alike with another seed", count, same)
	}
}

// TestFaultsEnd repeats every request until it is answered.
func TestFaultsEnd(t *testing.T) {
	sampler := newFaultSampler(Options{Faults: []Fault{{Fault500, 0.9}}})
	longest := 0
	for request := range uint64(10_000) {
		tries := 0
		for sampler.draw(opHead, request) != "" {
			tries++
		}
		longest = max(longest, tries)
	}
	if longest != faultsInARow || len(sampler.consecutive) != 0 {
		t.Errorf("%d in a row, %d remembered", longest, len(sampler.consecutive))
	}
}

// TestFaultKindsAreAllPlayed guards against a kind that is played like a plain answer.
func TestFaultKindsAreAllPlayed(t *testing.T) {
	if len(FaultKinds()) != 24 || len(Quirks()) != 12 {
		t.Errorf("%d faults and %d quirks", len(FaultKinds()), len(Quirks()))
	}
	answer := func(kind FaultKind, o Options) []byte {
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		c := newConn(s, nil, 1)
		request, _ := kind.request()
		if _, err := c.req.parse([]byte(request)); err != nil {
			t.Fatal(err)
		}
		then := c.respond(&c.req)
		return append(c.out, byte(then))
	}
	for _, kind := range FaultKinds() {
		hit := answer(kind, Options{Objects: 10, Faults: []Fault{{kind, 1}}})
		if bytes.Equal(hit, answer(kind, Options{Objects: 10})) {
			t.Errorf("%s changes nothing", kind)
		}
	}
}
