package headtest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"headcount/scan/head"
	"headcount/scan/list"
)

// RawStore is a store that speaks HTTP/1.1 byte by byte. A test writes its side of each connection, right or wrong.
type RawStore struct {
	URL string

	listener net.Listener
	serve    func(*Conn)
	closing  chan struct{}
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	paths []string // of the requests, as they were sent
}

// NewRawStore starts a RawStore that ends with the test. Each connection gets a goroutine that calls serve. When
// serve returns, the connection is closed.
func NewRawStore(t TB, serve func(*Conn)) *RawStore {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &RawStore{URL: "http://" + l.Addr().String(), listener: l, serve: serve, closing: make(chan struct{})}
	s.running.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

func (s *RawStore) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		conn := &Conn{Conn: c, Index: len(s.conns), store: s, in: newReader(c)}
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.running.Go(func() {
			defer c.Close()
			s.serve(conn)
		})
	}
}

func (s *RawStore) close() {
	close(s.closing)
	s.listener.Close()
	s.mu.Lock()
	for _, c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// OverTLS returns serve behind a TLS handshake. The URL of its RawStore has to begin with https.
func OverTLS(cfg *tls.Config, serve func(*Conn)) func(*Conn) {
	return func(c *Conn) {
		c.Conn = tls.Server(c.Conn, cfg)
		c.in = newReader(c.Conn)
		serve(c)
	}
}

// Connections returns the number of connections so far.
func (s *RawStore) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Paths returns the paths of the requests so far, as they were sent.
func (s *RawStore) Paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.paths...)
}

// Conn is one connection to a RawStore.
type Conn struct {
	net.Conn
	Index int // of the connection among those of its RawStore, from 0

	store *RawStore
	in    *bufio.Reader
}

// newReader returns a reader with room for every burst of a test: what one Write sends, one Read receives.
func newReader(c net.Conn) *bufio.Reader { return bufio.NewReaderSize(c, 64<<10) }

// ReadRequest returns the next request, or nil if there is none.
func (c *Conn) ReadRequest() *http.Request {
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return nil
	}
	c.store.mu.Lock()
	c.store.paths = append(c.store.paths, r.RequestURI)
	c.store.mu.Unlock()
	return r
}

// ReadBurst reads the requests that the client sent by one write, up to most, and returns their paths. It returns
// fewer than one if there is no request.
func (c *Conn) ReadBurst(most int) (paths []string) {
	for len(paths) < most && (len(paths) == 0 || c.Buffered() > 0) {
		r := c.ReadRequest()
		if r == nil {
			break
		}
		paths = append(paths, r.RequestURI)
	}
	return paths
}

// Buffered returns the number of bytes received of further requests.
func (c *Conn) Buffered() int { return c.in.Buffered() }

// Send sends text. It reports whether the client still receives.
func (c *Conn) Send(text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// Stall reads and answers nothing until the client or the RawStore closes the connection.
func (c *Conn) Stall() { _, _ = io.Copy(io.Discard, c.in) }

// Freeze neither reads nor answers until the RawStore closes.
func (c *Conn) Freeze() { <-c.store.closing }

// Reset closes the connection so that the client gets an error instead of an end.
func (c *Conn) Reset() {
	tcp := c.TCP()
	_ = tcp.SetLinger(0)
	tcp.Close()
}

// TCP returns the TCP connection, below TLS if there is TLS.
func (c *Conn) TCP() *net.TCPConn {
	if secured, ok := c.Conn.(*tls.Conn); ok {
		return secured.NetConn().(*net.TCPConn)
	}
	return c.Conn.(*net.TCPConn)
}

// Serve answers every request with Answer.
func (c *Conn) Serve() {
	for r := c.ReadRequest(); r != nil && c.Send(Answer(r.RequestURI)); r = c.ReadRequest() {
	}
}

// Answer returns the right answer to the request for path. Each path has its own ETag.
func Answer(path string, headers ...string) string {
	return okAnswer(append(headers, `ETag: "`+tag(path)+`"`, "x-amz-meta-key: "+path)...)
}

// Entries returns the entries of a LIST whose HEADs have Answer. The keys must need no encoding in a path.
func Entries(keys ...string) []list.Entry {
	batch := make([]list.Entry, len(keys))
	for i, key := range keys {
		batch[i] = list.Entry{Key: key, ETag: tag("/b/" + key), Size: okLength}
	}
	return batch
}

// IsAnswer reports whether the Result is Answer for that key.
func IsAnswer(r *head.Result, key string) bool {
	return r.Status == http.StatusOK && len(r.Metadata) == 1 && string(r.Metadata[0].Value) == "/b/"+key
}

// Keys returns n keys.
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

func okAnswer(headers ...string) string {
	length := fmt.Sprintf("Content-Length: %d", okLength)
	return "HTTP/1.1 200 OK\r\n" + strings.Join(append(headers, length), "\r\n") + "\r\n\r\n"
}
