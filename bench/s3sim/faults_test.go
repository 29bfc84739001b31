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

// request returns a request that the kind can affect, and its method.
func (k FaultKind) request() (text, method string) {
	if k.affects(opHead) {
		return headRequest, "HEAD"
	}
	return pageRequest, "GET"
}

// refuseFor is short, because tests wait until connections are accepted again.
const refuseFor = 100 * time.Millisecond

// faulty starts a Server on which every request meets the fault.
func faulty(t *testing.T, kind FaultKind) (*Server, string) {
	return start(t, Options{
		Objects: 20, Faults: []Fault{{kind, 1}},
		RefuseFor: refuseFor, ByteEvery: time.Millisecond,
	})
}

// readAll reads until the connection ends.
func (c *rawConn) readAll() (string, error) {
	text, err := io.ReadAll(c.r)
	return string(text), err
}

// TestFaultStatuses checks the faults that are a status, on HEAD and on LIST, and that the connection stays usable.
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
				response, body := c.send(request).receive(method)
				wrongBody := op == opList && (!strings.Contains(body, test.body) || (test.body == "") != (body == ""))
				if response.StatusCode != test.status || wrongBody {
					t.Errorf("%s: %s: %d %q", test.kind, method, response.StatusCode, body)
				}
				if after := response.Header.Get("Retry-After"); (after == "1") != (test.kind == Fault503RetryAfter) {
					t.Errorf("%s: Retry-After %q", test.kind, after)
				}
			}
			response, body := c.send(request).receive(method)
			if response.StatusCode != 200 || op == opList && !strings.Contains(body, "</ListBucketResult>") {
				t.Errorf("%s: %s after %d faults: %d", test.kind, method, faultsInARow, response.StatusCode)
			}
		}
	}
}

// TestConnFaults checks the bytes and the end of the raw connection for each kind.
func TestConnFaults(t *testing.T) {
	var sent time.Time // before the request
	for kind, check := range map[FaultKind]func(t *testing.T, c *rawConn, address string){
		FaultListCutShort: func(t *testing.T, c *rawConn, _ string) {
			response, body, err := c.tryReceive("GET")
			if !errors.Is(err, io.ErrUnexpectedEOF) || int64(len(body)) >= response.ContentLength || body == "" {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		},
		FaultListBadChunk: func(t *testing.T, c *rawConn, _ string) {
			if _, body, err := c.tryReceive("GET"); err == nil || !strings.HasPrefix(body, "<?xml") {
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
			text, err := c.readAll()
			if err != nil || !strings.HasPrefix(text, "HTTP/1.1 200 OK\r\n") || strings.Contains(text, "\r\n\r\n") {
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
			response, _ := c.receive("HEAD")
			// The response has some 300 bytes, each followed by a pause of a millisecond.
			if response.StatusCode != 200 || time.Since(began) < 200*time.Millisecond {
				t.Errorf("%d after %s", response.StatusCode, time.Since(began))
			}
			next, _ := c.send("GET /demo/other HTTP/1.1\r\nHost: x\r\n\r\n").receive("GET")
			if next.StatusCode != 501 {
				t.Errorf("the next response: %d", next.StatusCode)
			}
		},
		FaultHeadBody: func(t *testing.T, c *rawConn, _ string) {
			if response, _ := c.receive("HEAD"); response.StatusCode != 200 {
				t.Error(response.Status)
			}
			if line, err := c.r.ReadString('\n'); err != nil || !strings.Contains(line, "body") {
				t.Errorf("%q, %v", line, err)
			}
		},
		FaultUnsolicited: func(t *testing.T, c *rawConn, _ string) {
			first, _ := c.receive("HEAD")
			second, _ := c.receive("HEAD")
			sameETag := first.Header.Get("ETag") == second.Header.Get("ETag")
			if first.StatusCode != 200 || second.StatusCode != 200 || sameETag {
				t.Errorf("%v, %v", first.Header, second.Header)
			}
		},
		FaultGarbageStatus: func(t *testing.T, c *rawConn, _ string) {
			if response, _, err := c.tryReceive("HEAD"); err == nil {
				t.Error(response.Status)
			}
		},
		Fault103: func(t *testing.T, c *rawConn, _ string) {
			first, _ := c.receive("HEAD")
			second, _ := c.receive("HEAD")
			if first.StatusCode != 103 || second.StatusCode != 200 || second.Header.Get("ETag") == "" {
				t.Errorf("%d, %d", first.StatusCode, second.StatusCode)
			}
		},
		FaultRefuse: func(t *testing.T, c *rawConn, address string) {

			if text, err := c.readAll(); !errors.Is(err, syscall.ECONNRESET) || text != "" {
				t.Errorf("%q, %v", text, err)
			}
			checkRefusal(t, sent.Add(refuseFor), syscall.ECONNREFUSED, func() (net.Conn, error) {
				return net.Dial("tcp", address)
			})
			dial(t, address).send("HEAD /demo HTTP/1.1\r\nHost: x\r\n\r\n").receive("HEAD")
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			s, address := faulty(t, kind)
			request, _ := kind.request()
			sent = time.Now()
			check(t, dial(t, address).send(request), address)
			if n := s.Counts().Faults[kind]; n != 1 {
				t.Errorf("%d faults counted: %v", n, s.Counts().Faults)
			}
		})
	}
}

// checkRefusal dials until the server accepts connections again. The first dial must fail with want, unless the machine
// is so slow that the dial ended after the pause.
func checkRefusal(t *testing.T, end time.Time, want error, dial func() (net.Conn, error)) {
	t.Helper()
	for refused := false; ; refused = true {
		c, err := dial()
		switch {
		case err == nil:
			c.Close()
			if !refused && time.Now().Before(end) {
				t.Error("the first dial is not refused")
			}
			return
		case !refused && !errors.Is(err, want):
			t.Errorf("dial: %v, want %v", err, want)
		}
		time.Sleep(time.Millisecond)
	}
}

// errTimeout returns err if it is a timeout.
func errTimeout(err error) error {
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return err
	}
	return errors.New("no timeout")
}

// TestFaultsSpareEarlierPipelinedResponses injects a fault into the second of three requests.
func TestFaultsSpareEarlierPipelinedResponses(t *testing.T) {
	for _, kind := range []FaultKind{
		FaultRSTInHeaders, FaultFINInHeaders, FaultIdleClose, FaultHang, FaultBytePerSecond, FaultRSTBeforeByte,
	} {
		for _, latency := range []time.Duration{0, time.Millisecond} {
			faults := []Fault{{kind, 0.2}}
			s, err := New(Options{Objects: 2000, Faults: faults, ByteEvery: time.Microsecond, Latency: latency})
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
			pipelined := "" // one write: the fault may end the connection before a second write
			for _, key := range [][]byte{fine, hit, fine} {
				pipelined += "HEAD " + pathOf(key) + " HTTP/1.1\r\nHost: x\r\n\r\n"
			}
			c.send(pipelined)
			response, _ := c.receive("HEAD")
			if o := s.Object(fine); response.Header.Get("ETag") != o.ETag() {
				t.Errorf("%s, latency %s: %v", kind, latency, response.Header)
			}
		}
	}
}

// TestFaultsAreDeterministic draws twice with one seed and once with another.
func TestFaultsAreDeterministic(t *testing.T) {
	draw := func(seed uint64) (kinds []FaultKind) {
		faults := []Fault{{Fault500, 0.1}, {FaultHang, 0.2}, {FaultListEmpty, 0.5}}
		sampler := newFaultSampler(Options{Seed: seed, Faults: faults})
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

// TestFaultsInARowAreBounded repeats every request until it meets no fault.
func TestFaultsInARowAreBounded(t *testing.T) {
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

// TestEveryFaultChangesTheResponse finds a kind that is injected as a normal response.
func TestEveryFaultChangesTheResponse(t *testing.T) {
	if len(FaultKinds()) != 24 || len(Quirks()) != 16 {
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
