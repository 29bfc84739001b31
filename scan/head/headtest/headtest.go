// Package headtest holds what every head.Engine has to do, as one suite of tests. A store that speaks raw HTTP/1.1 plays
// what real ones do, right and wrong.
package headtest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

// opener opens a Session of the Engine that is tested on a Raw.
type opener func(*testing.T, *Raw) head.Session

// NewEngine makes the Engine that is tested.
type NewEngine func(head.Config) head.Engine

// Run tests the Engine that newEngine makes, with so many HEADs in flight on a connection.
func Run(t *testing.T, newEngine NewEngine, pipeline int) {
	open := func(t *testing.T, s *Raw) head.Session {
		return Session(t, newEngine, head.Config{Pipeline: pipeline}, s.URL)
	}
	suite := map[string]func(*testing.T, opener){
		"Metadata":        testMetadata,
		"Answers":         testAnswers,
		"Unlike":          testUnlike,
		"Failures":        testFailures,
		"Paths":           testPaths,
		"Order":           testOrder,
		"Framing":         testFraming,
		"NewConn":         testNewConn,
		"Closing":         testClosing,
		"Cancel":          testCancel,
		"Contexts":        testContexts,
		"StaleConnection": testStaleConnection,
	}
	for name, test := range suite {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
	t.Run("Endpoints", func(t *testing.T) { testEndpoints(t, newEngine) })
	t.Run("Trust", func(t *testing.T) { testTrust(t, newEngine) })
}

// What an answer may end with instead of bytes.
const (
	hangUp = "\x00hang up"
	stall  = "\x00stall"
	drip   = "\x00drip" // the answer before it byte by byte, for ever
)

// newRaw is a Raw that answers each request with the bytes that answer returns, on connections that stay open unless
// those bytes are followed by hangUp.
func newRaw(t *testing.T, answer func(r *http.Request, nth int) string) *Raw {
	t.Helper()
	var requests atomic.Int64
	return NewRaw(t, func(c *Conn) {
		for r := c.Ask(); r != nil; r = c.Ask() {
			text, end, _ := strings.Cut(answer(r, int(requests.Add(1))-1), "\x00")
			if "\x00"+end == drip {
				for _, b := range []byte(text) {
					if !c.Say(string(b)) {
						return
					}
					time.Sleep(Timeout / 10)
				}
				return
			}
			if !c.Say(text) {
				return
			}
			switch "\x00" + end {
			case hangUp:
				return
			case stall:
				c.Stall()
				return
			}
		}
	})
}

// ask HEADs keys of which the LIST said nothing.
func ask(t *testing.T, session head.Session, keys ...string) []head.Result {
	t.Helper()
	return Ask(t, session, entries(keys))
}

func entries(keys []string) []list.Entry {
	batch := make([]list.Entry, len(keys))
	for i, key := range keys {
		batch[i] = list.Entry{Key: key, Size: -1}
	}
	return batch
}

// clone copies a Result out of its Session's memory.
func clone(r *head.Result) head.Result {
	c := *r
	c.Metadata, c.Headers = cloneFields(r.Metadata), cloneFields(r.Headers)
	return c
}

func cloneFields(fields []head.Field) []head.Field {
	copies := make([]head.Field, len(fields))
	for i, f := range fields {
		copies[i] = head.Field{Name: bytes.Clone(f.Name), Value: bytes.Clone(f.Value)}
	}
	return copies
}

func always(text string) func(*http.Request, int) string {
	return func(*http.Request, int) string { return text }
}

func testMetadata(t *testing.T, open opener) {
	s := newRaw(t, always(ok(
		"x-amz-meta-zulu: last", "X-Amz-Meta-Alpha:  outer blanks \t", "x-amz-meta-empty:", "x-amz-meta-dup: one",
		"x-amz-meta-utf8: Füße ☃", "x-amz-meta-latin1: F\xfc\xdfe", "X-AMZ-META-Dup: two", "x-amz-meta-inner: a  b",
		"x-amz-meta-mime: =?UTF-8?B?w7w=?=", "ETag: \"e\"", "x-amz-metadata: none", "Last-Modified: whenever",
	)))
	r := ask(t, open(t, s), "k")[0]
	var got strings.Builder
	for _, f := range r.Metadata {
		fmt.Fprintf(&got, "%s=%q ", f.Name, f.Value)
	}
	want := `alpha="outer blanks" dup="one,two" empty="" inner="a  b" latin1="F\xfc\xdfe" mime="=?UTF-8?B?w7w=?=" utf8="Füße ☃" zulu="last" `
	if got.String() != want {
		t.Errorf("metadata\n %s\nwant\n %s", got.String(), want)
	}
	if string(r.ETag()) != "e" || string(r.Get("content-length")) != "3" || string(r.Get("x-amz-metadata")) != "none" || r.Get("absent") != nil {
		t.Errorf("headers %s", r.Headers)
	}
	if r.Status != 200 || r.Err != nil || r.Latency <= 0 || time.Since(r.Received) > time.Minute || r.Region != "us-east-1" {
		t.Errorf("%+v", r)
	}
}

// testAnswers: whatever the store answers is an answer, and the Engine judges none.
func testAnswers(t *testing.T, open opener) {
	for _, status := range []int{200, 204, 301, 304, 307, 400, 401, 403, 404, 405, 408, 429, 500, 501, 503, 504, 509, 520} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newRaw(t, always(fmt.Sprintf("HTTP/1.1 %d X\r\nRetry-After: 7\r\nLocation: http://127.0.0.1:1/\r\nx-amz-request-id: R\r\n\r\n", status)))
			r := ask(t, open(t, s), "k")[0]
			if r.Status != status || r.Err != nil {
				t.Errorf("status %d, error %v", r.Status, r.Err)
			}
			if string(r.Get("retry-after")) != "7" || string(r.Get("x-amz-request-id")) != "R" {
				t.Errorf("headers %s", r.Headers)
			}
			if n := len(s.Paths()); n != 1 {
				t.Errorf("%d requests: an Engine tries once", n)
			}
		})
	}
	t.Run("long header", func(t *testing.T) {
		value := strings.Repeat("v", 60_000)
		r := ask(t, open(t, newRaw(t, always(ok("x-amz-meta-long: "+value)))), "k")[0]
		if len(r.Metadata) != 1 || string(r.Metadata[0].Value) != value {
			t.Errorf("status %d, error %v, %d metadata", r.Status, r.Err, len(r.Metadata))
		}
	})
}

// testUnlike: an answer is held against what the LIST said of the object, where both say something.
func testUnlike(t *testing.T, open opener) {
	for name, c := range map[string]struct {
		etag   string // as listed
		size   int64
		answer string
		want   bool
	}{
		"as listed":            {"e", okLength, ok(`ETag: "e"`), false},
		"another ETag":         {"e", okLength, ok(`ETag: "f"`), true},
		"another length":       {"e", okLength + 1, ok(`ETag: "e"`), true},
		"a weak ETag":          {"e", okLength, ok(`ETag: W/"e"`), false},
		"no ETag listed":       {"", okLength, ok(`ETag: "e"`), false},
		"no ETag listed, long": {"", okLength + 1, ok(`ETag: "e"`), true},
		"no ETag answered":     {"e", okLength, ok(), false},
		"no size listed":       {"e", -1, ok(`ETag: "e"`), false},
		"no size, another":     {"e", -1, ok(`ETag: "f"`), true},
		"an empty object":      {"e", 0, ok(`ETag: "e"`), true},
		"no object":            {"e", 7, "HTTP/1.1 404 NF\r\nETag: \"f\"\r\n\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			entry := list.Entry{Key: "k", ETag: c.etag, Size: c.size}
			if r := Ask(t, open(t, newRaw(t, always(c.answer))), []list.Entry{entry})[0]; r.Mismatch != c.want || r.Err != nil {
				t.Errorf("unlike: %v, want %v; error %v", r.Mismatch, c.want, r.Err)
			}
		})
	}
}

// testFailures: no answer is a Result too, and the Session is of use after it.
func testFailures(t *testing.T, open opener) {
	cases := map[string]struct {
		answer string
		class  fault.Class
	}{
		"garbage":             {"HTTP/1.1 what\r\n\r\n", fault.Malformed},
		"no HTTP":             {"\x16\x03\x01\r\n\r\n", fault.Malformed},
		"closed in the head":  {"HTTP/1.1 200 OK\r\nETag: " + hangUp, fault.Closed},
		"hang":                {stall, fault.Timeout},
		"hang in the head":    {"HTTP/1.1 200 OK\r\n" + stall, fault.Timeout},
		"a byte at a time":    {ok("x-amz-meta-a: b") + drip, fault.Timeout},
		"too long a head":     {ok("x-amz-meta-a: " + strings.Repeat("a", 2*store.HeaderBytesMax)), fault.HeaderTooLarge},
		"a name that is none": {ok("x-amz-meta-\xc3\xa9: b"), fault.Malformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newRaw(t, func(_ *http.Request, nth int) string {
				if nth == 0 {
					return c.answer
				}
				return ok()
			})
			session := open(t, s)
			began := time.Now()
			r := ask(t, session, "k")[0]
			if took := time.Since(began); took > 3*Timeout {
				t.Errorf("the deadline did not hold: %v", took)
			}
			if r.Status != 0 || Class(&r) != c.class {
				t.Errorf("status %d, error %v (%s), want %s", r.Status, r.Err, fault.ClassOf(r.Err), c.class)
			}
			if r := ask(t, session, "k")[0]; r.Status != 200 {
				t.Errorf("afterwards: status %d, error %v", r.Status, r.Err)
			}
		})
	}
}

// testPaths: the path is the key's bytes, percent-encoded once, and nothing is cleaned.
func testPaths(t *testing.T, open opener) {
	keys := map[string]string{
		"plain/AZaz09-._~": "/b/plain/AZaz09-._~",
		"a b+c%d":          "/b/a%20b%2Bc%25d",
		"%41":              "/b/%2541",
		"?q=1#f&g":         "/b/%3Fq%3D1%23f%26g",
		"é☃😀":              "/b/%C3%A9%E2%98%83%F0%9F%98%80",
		"\xff\x01\n":       "/b/%FF%01%0A",
		"a//b/":            "/b/a//b/",
		"/a":               "/b//a",
		"a/../b/./c":       "/b/a/../b/./c",
		"..":               "/b/..",
		"!*'()":            "/b/%21%2A%27%28%29",
	}
	s := newRaw(t, always(ok()))
	session := open(t, s)
	for key, path := range keys {
		ask(t, session, key)
		if got := s.Paths()[len(s.Paths())-1]; got != path {
			t.Errorf("key %q was asked for as %s, want %s", key, got, path)
		}
	}
}

// testOrder: each is called once for every entry, in order, with its own answer.
func testOrder(t *testing.T, open opener) {
	s := newRaw(t, func(r *http.Request, _ int) string { return ok("x-amz-meta-key: " + r.RequestURI) })
	session := open(t, s)
	if err := session.Head(t.Context(), new(head.Batch), func(*head.Result) { t.Error("called for nothing") }); err != nil {
		t.Error(err)
	}
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprintf("key-%d", i))
	}
	for i, r := range ask(t, session, keys...) {
		if got, want := string(r.Metadata[0].Value), "/b/"+keys[i]; got != want {
			t.Fatalf("answer %d is that to %s, want %s", i, got, want)
		}
	}
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections for one request at a time", n)
	}
}

// testFraming: a HEAD's answer has no body, whatever it says; what an HTTP/1.1 client has to bear.
func testFraming(t *testing.T, open opener) {
	cases := map[string]string{
		"length without body":  "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nx-amz-meta-a: b\r\n\r\n",
		"chunked without body": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-amz-meta-a: b\r\n\r\n",
		"103 before":           "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok("x-amz-meta-a: b"),
		"100 before":           "HTTP/1.1 100 Continue\r\n\r\n" + ok("x-amz-meta-a: b"),
		"HTTP/1.0":             "HTTP/1.0 200 OK\r\nx-amz-meta-a: b\r\n\r\n" + hangUp,
		"close":                "HTTP/1.1 200 OK\r\nConnection: close\r\nx-amz-meta-a: b\r\n\r\n" + hangUp,
		"no reason":            "HTTP/1.1 200\r\nx-amz-meta-a: b\r\n\r\n",
		"continuation line":    "HTTP/1.1 200 OK\r\nx-amz-meta-a:\r\n b\r\n\r\n", // RFC 9112 §5.2, obs-fold
		"empty continuation":   "HTTP/1.1 200 OK\r\nx-amz-meta-a: b\r\n \r\n\r\n",
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			session := open(t, newRaw(t, always(answer)))
			for range 3 {
				r := ask(t, session, "k")[0]
				if r.Status != 200 || len(r.Metadata) != 1 || string(r.Metadata[0].Value) != "b" {
					t.Fatalf("status %d, error %v, metadata %s", r.Status, r.Err, r.Metadata)
				}
			}
		})
	}
}
