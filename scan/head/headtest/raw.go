package headtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// TB is what a test is to this package: a *testing.T or a *rapid.T.
type TB interface {
	Helper()
	Error(args ...any)
	Fatal(args ...any)
	Cleanup(func())
	Context() context.Context
}

// Raw is a store that speaks HTTP/1.1 byte by byte, as a test says, right or wrong.
type Raw struct {
	URL string

	listener net.Listener
	serve    func(*Conn)
	closing  chan struct{}
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	paths []string // of the requests, as they were sent
}

// NewRaw starts a Raw that lives as long as the test. Every connection is played by serve, in a goroutine of its own, and
// closed when that returns.
func NewRaw(t TB, serve func(*Conn)) *Raw {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Raw{URL: "http://" + l.Addr().String(), listener: l, serve: serve, closing: make(chan struct{})}
	s.running.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

func (s *Raw) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		conn := &Conn{Conn: c, Nth: len(s.conns), raw: s, in: bufio.NewReader(c)}
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.running.Go(func() {
			defer c.Close()
			s.serve(conn)
		})
	}
}

func (s *Raw) close() {
	close(s.closing)
	s.listener.Close()
	s.mu.Lock()
	for _, c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// OverTLS is serve behind a handshake. The Raw's URL begins with https then.
func OverTLS(cfg *tls.Config, serve func(*Conn)) func(*Conn) {
	return func(c *Conn) {
		c.Conn = tls.Server(c.Conn, cfg)
		c.in = bufio.NewReader(c.Conn)
		serve(c)
	}
}

// Connections is how many there have been.
func (s *Raw) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Paths are those of the requests so far, as they were sent.
func (s *Raw) Paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.paths...)
}

// Conn is one connection to a Raw.
type Conn struct {
	net.Conn
	Nth int // which of the Raw's connections it is, from 0

	raw *Raw
	in  *bufio.Reader
}

// Ask is the next request, nil when there will be none.
func (c *Conn) Ask() *http.Request {
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return nil
	}
	c.raw.mu.Lock()
	c.raw.paths = append(c.raw.paths, r.RequestURI)
	c.raw.mu.Unlock()
	return r
}

// Waiting is how many bytes of further requests have been read.
func (c *Conn) Waiting() int { return c.in.Buffered() }

// Say sends text, and says whether the client is still there.
func (c *Conn) Say(text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// Stall does nothing until the client or the Raw closes the connection. What the client sends is read.
func (c *Conn) Stall() { _, _ = io.Copy(io.Discard, c.in) }

// Starve does nothing until the Raw closes, and reads nothing.
func (c *Conn) Starve() { <-c.raw.closing }

// Reset closes the connection so that the client finds an error and not an end.
func (c *Conn) Reset() {
	under := c.Conn
	if secured, ok := under.(*tls.Conn); ok {
		under = secured.NetConn()
	}
	_ = under.(*net.TCPConn).SetLinger(0)
	under.Close()
}

// Serve answers every request well.
func (c *Conn) Serve() {
	for r := c.Ask(); r != nil && c.Say(Answer(r.RequestURI)); r = c.Ask() {
	}
}

// Answer is the right answer to the request for path. No two paths have the same ETag.
func Answer(path string, headers ...string) string {
	return ok(append(headers, `ETag: "`+tag(path)+`"`, "x-amz-meta-key: "+path)...)
}

// Entries are what a LIST says of keys for which Answer is the answer. The keys stand for themselves in a path.
func Entries(keys ...string) []list.Entry {
	batch := make([]list.Entry, len(keys))
	for i, key := range keys {
		batch[i] = list.Entry{Key: key, ETag: tag("/b/" + key), Size: okLength}
	}
	return batch
}

// IsAnswer says whether the Result is that of Answer for this key.
func IsAnswer(r *head.Result, key string) bool {
	return r.Status == http.StatusOK && len(r.Metadata) == 1 && string(r.Metadata[0].Value) == "/b/"+key
}

// Keys are so many keys.
func Keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
	}
	return keys
}

func tag(path string) string {
	hash := fnv.New64a()
	_, _ = io.WriteString(hash, path)
	return fmt.Sprintf("%016x", hash.Sum64())
}

// okLength is the length of all objects.
const okLength = 3

func ok(headers ...string) string {
	length := fmt.Sprintf("Content-Length: %d", okLength)
	return "HTTP/1.1 200 OK\r\n" + strings.Join(append(headers, length), "\r\n") + "\r\n\r\n"
}

// Timeout of a HEAD in tests: long for a loopback, short for a test.
const Timeout = 500 * time.Millisecond

// Session opens a Session of the Engine that newEngine makes, on a store at these URLs. It sets the Store of cfg, and sets Limiter and
// Timeout where they are missing.
func Session(t TB, newEngine NewEngine, cfg head.Config, urls ...string) head.Session {
	t.Helper()
	opened, err := store.Open(t.Context(), store.Config{
		Bucket: "b", Endpoints: urls, Isolated: true, Region: "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return SessionOf(t, opened, newEngine, cfg)
}

// SessionOf is Session on an open Store.
func SessionOf(t TB, opened *store.Store, newEngine NewEngine, cfg head.Config) head.Session {
	t.Helper()
	cfg.Store = opened
	if cfg.Limiter == nil {
		cfg.Limiter = new(pace.Limiter)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = Timeout
	}
	session := newEngine(cfg).Session()
	t.Cleanup(session.Close)
	return session
}

// Ask HEADs entries and returns what each callback saw, copied.
func Ask(t TB, session head.Session, entries []list.Entry) []head.Result {
	t.Helper()
	results := AskBatch(t, session, head.NewBatch(entries))
	if len(results) != len(entries) {
		t.Fatal(len(results), "results for", len(entries), "keys")
	}
	return results
}

// AskBatch HEADs a batch and returns what each callback saw, copied.
func AskBatch(t TB, session head.Session, batch *head.Batch) []head.Result {
	t.Helper()
	var results []head.Result
	if err := session.Head(t.Context(), batch, func(r *head.Result) { results = append(results, clone(r)) }); err != nil {
		t.Fatal(err)
	}
	return results
}

// Expect HEADs keys, and expects Answer for each of them.
func Expect(t TB, session head.Session, keys ...string) {
	t.Helper()
	for i, r := range Ask(t, session, Entries(keys...)) {
		if !IsAnswer(&r, keys[i]) {
			t.Error(fmt.Sprintf("%s: status %d, error %v, metadata %s", keys[i], r.Status, r.Err, r.Metadata))
		}
	}
}

// Class is the Class of a Result's error, empty if it has none.
func Class(r *head.Result) fault.Class {
	if r.Err == nil {
		return ""
	}
	return fault.ClassOf(r.Err)
}
