package scan_test

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headcount/scan"
	"headcount/scan/store"
)

// forger is a store that sends the content of an object after the answer to its HEAD. The content is an HTTP answer
// with the ETag and the length of the next key, and with metadata that the next key does not have.
type forger struct {
	objects int
	etag    func(i int) string // "": listed and answered without one
	ids     bool               // answers have a request ID
	tls     bool
	joined  bool // the answers to a burst are in one segment of TCP

	// send answers the HEAD of object i. It returns false to close the connection.
	send func(f *forger, c net.Conn, i int) bool

	conns, requests atomic.Int64
	owed            sync.Map // connections on which the next request gets an error
}

const forgedSize = 600 // of each object

// answer returns the answer for object i with that metadata.
func (f *forger) answer(i int, id string, more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nx-amz-meta-id: %s\r\n", forgedSize, id)
	if tag := f.etag(i); tag != "" {
		fmt.Fprintf(&b, "ETag: %q\r\n", tag)
	}
	for _, line := range more {
		b.WriteString(line + "\r\n")
	}
	return b.String() + "\r\n"
}

// right returns the right answer for object i. Each call is a request with an ID of its own.
func (f *forger) right(i int) string {
	if f.ids {
		return f.answer(i, forgedKey(i), fmt.Sprintf("x-amz-request-id: R%d", f.requests.Add(1)))
	}
	return f.answer(i, forgedKey(i))
}

// content returns the content of object i: the forged answer for the object after it.
func (f *forger) content(i int, more ...string) string {
	text := f.answer(i+1, "forged", more...)
	return strings.TrimSuffix(text, "\r\n") + "x-pad: " + strings.Repeat("p", max(0, forgedSize-len(text)-9)) + "\r\n\r\n"
}

func forgedKey(i int) string { return fmt.Sprintf("k%05d", i) }

func (f *forger) start(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := "http://"
	if f.joined {
		l = joiningListener{l}
	}
	if f.tls {
		server := httptest.NewUnstartedServer(nil) // for its certificate
		server.StartTLS()
		defer server.Close()
		l, scheme = tls.NewListener(l, server.TLS), "https://"
	}
	var conns sync.WaitGroup
	t.Cleanup(conns.Wait) // the client closes the connections first
	t.Cleanup(func() { l.Close() })
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.conns.Add(1)
			conns.Go(func() { f.serve(c) })
		}
	})
	return scheme + l.Addr().String()
}

func (f *forger) serve(c net.Conn) {
	defer c.Close()
	for in := bufio.NewReader(c); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if r.Method == http.MethodHead {
			i := 0
			_, _ = fmt.Sscanf(r.URL.Path, "/demo/k%d", &i)
			if !f.send(f, c, i) {
				return
			}
			continue
		}
		body := f.list(r.URL.Query().Get("start-after") + r.URL.Query().Get("continuation-token"))
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
}

// joiningListener accepts connections whose writes are sent together, before the next read.
type joiningListener struct{ net.Listener }

func (l joiningListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &joiningConn{Conn: c}, err
}

type joiningConn struct {
	net.Conn
	written []byte
}

func (c *joiningConn) Write(p []byte) (int, error) {
	c.written = append(c.written, p...)
	return len(p), nil
}

func (c *joiningConn) Read(p []byte) (int, error) {
	if _, err := c.Conn.Write(c.written); err != nil {
		return 0, err
	}
	c.written = c.written[:0]
	return c.Conn.Read(p)
}

func (f *forger) list(after string) string {
	var b strings.Builder
	b.WriteString("<ListBucketResult>")
	for i := range f.objects {
		if forgedKey(i) <= after {
			continue
		}
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>%d</Size>", forgedKey(i), forgedSize)
		if tag := f.etag(i); tag != "" {
			fmt.Fprintf(&b, `<ETag>"%s"</ETag>`, tag)
		}
		b.WriteString("</Contents>")
	}
	return b.String() + "</ListBucketResult>"
}

func keyETag(i int) string  { return fmt.Sprintf("%032d", i) }
func equalETag(int) string  { return "same" }
func absentETag(int) string { return "" }

func write(c net.Conn, parts ...string) bool {
	for _, part := range parts {
		if _, err := io.WriteString(c, part); err != nil {
			return false
		}
	}
	return true
}

// lateThenError returns a sender that sends the content of some objects late, and answers the next request on the
// connection by an error, after which it closes it.
func lateThenError(status string) func(f *forger, c net.Conn, i int) bool {
	return func(f *forger, c net.Conn, i int) bool {
		if _, owed := f.owed.LoadAndDelete(c); owed {
			time.Sleep(2 * time.Millisecond) // the content is taken for this answer, and the error for the next one
			write(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			return false
		}
		write(c, f.right(i))
		if i%5 > 0 {
			return true
		}
		pause(4 * time.Millisecond)
		f.owed.Store(c, true)
		return write(c, f.content(i))
	}
}

// pause waits for up to that time, so that the content comes before, during and after the next request.
func pause(most time.Duration) { time.Sleep(rand.N(most)) }

// No answer that belongs to another request, or to none, becomes a Record, whenever and in whatever parts a store sends
// what nobody asked for.
func TestForgedAnswers(t *testing.T) {
	type sender = func(f *forger, c net.Conn, i int) bool
	senders := map[string]sender{
		"one write":  func(f *forger, c net.Conn, i int) bool { return write(c, f.right(i)+f.content(i)) },
		"two writes": func(f *forger, c net.Conn, i int) bool { return write(c, f.right(i), f.content(i)) },
		"late": func(f *forger, c net.Conn, i int) bool {
			write(c, f.right(i))
			pause(time.Millisecond)
			return write(c, f.content(i))
		},
		"in parts": func(f *forger, c net.Conn, i int) bool {
			text := f.content(i)
			write(c, f.right(i), text[:20])
			pause(300 * time.Microsecond)
			write(c, text[20:200])
			pause(300 * time.Microsecond)
			return write(c, text[200:])
		},
		"sometimes": func(f *forger, c net.Conn, i int) bool {
			write(c, f.right(i))
			return rand.N(20) > 0 || write(c, f.content(i))
		},
		"and closes": func(f *forger, c net.Conn, i int) bool {
			write(c, f.right(i), f.content(i))
			return false
		},
		"and closes sometimes": func(f *forger, c net.Conn, i int) bool {
			write(c, f.right(i))
			return rand.N(10) > 0 || write(c, f.content(i)) && false
		},
		"that announce the end": func(f *forger, c net.Conn, i int) bool {
			return write(c, f.right(i), f.content(i, "Connection: close"))
		},
		"that sometimes announce the end": func(f *forger, c net.Conn, i int) bool {
			write(c, f.right(i))
			return rand.N(10) > 0 || write(c, f.content(i, "Connection: close"))
		},
		"late, then 403 and closes": lateThenError("403 Forbidden"),
		"late, then 404 and closes": lateThenError("404 Not Found"),
		"late, then 500 and closes": lateThenError("500 Internal Server Error"),
		"twice":                     func(f *forger, c net.Conn, i int) bool { return write(c, f.right(i), f.content(i), f.content(i+1)) },
	}
	for name, send := range senders {
		t.Run(name, func(t *testing.T) { testForged(t, &forger{etag: keyETag, send: send}, 100) })
		t.Run(name+" over TLS", func(t *testing.T) { testForged(t, &forger{etag: keyETag, send: send, tls: true}, 40) })
	}
	doubled := map[string]sender{
		"at once": func(f *forger, c net.Conn, i int) bool {
			text := f.right(i)
			return write(c, text, text)
		},
		"late": func(f *forger, c net.Conn, i int) bool {
			text := f.right(i)
			write(c, text)
			pause(time.Millisecond)
			return write(c, text)
		},
		"sometimes": func(f *forger, c net.Conn, i int) bool {
			text := f.right(i)
			write(c, text)
			return rand.N(20) > 0 || write(c, text)
		},
	}
	for name, send := range doubled {
		for tags, etag := range map[string]func(int) string{"own": keyETag, "equal": equalETag, "no": absentETag} {
			for _, ids := range []bool{false, true} {
				if testing.Short() && ids != (tags == "own") {
					continue
				}
				t.Run(fmt.Sprint("doubled ", name, ", ", tags, " ETags, IDs ", ids), func(t *testing.T) {
					testForged(t, &forger{etag: etag, ids: ids, send: send}, 100)
				})
			}
		}
	}
}

// The forged answer is for the last object. The true answer follows in the same segment: it is with the TLS connection,
// and no more in the socket, when the session looks whether the store sends more than its answers.
func TestForgedAnswerForTheLastObject(t *testing.T) {
	const objects = 40
	send := func(f *forger, c net.Conn, i int) bool {
		write(c, f.right(i))
		return i != objects-2 || write(c, f.content(i))
	}
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", secure), func(t *testing.T) {
			testForged(t, &forger{etag: keyETag, send: send, tls: secure, joined: true}, objects)
		})
	}
}

func testForged(t *testing.T, f *forger, objects int) {
	f.objects = objects
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		f := &forger{objects: objects, etag: f.etag, ids: f.ids, tls: f.tls, joined: f.joined, send: f.send}
		s, err := store.Open(t.Context(), store.Config{
			Bucket: "demo", Endpoints: []string{f.start(t)}, Isolated: true, NoVerifyTLS: true, Connections: 4,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		cfg.Workers = cmp.Or(cfg.Workers, 4)
		cfg.All = true
		r := run(t.Context(), t, s, cfg)
		if r.err != nil || len(r.lines) != objects || len(r.failed) > 0 {
			t.Errorf("%d lines, %d failed, error %v; want %d objects", len(r.lines), len(r.failed), r.err, objects)
		}
		wrong := 0
		for _, line := range r.lines {
			if key := lineKey(t, line); !strings.Contains(line, fmt.Sprintf(`"metadata":{"id":%q}`, key)) {
				wrong++
			}
		}
		if wrong > 0 {
			t.Errorf("%d of %d records have another answer's metadata; %d connections", wrong, objects, f.conns.Load())
		}
	})
}
