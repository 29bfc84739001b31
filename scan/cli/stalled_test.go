package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"headcount/bench/scripttest"
	"headcount/scan/exit"
)

// Stores that stop answering, each at another point. Requests end by --timeout and the scan by --retry-for, with a
// fatal error. A write that blocks is among the tests of the direct engine.
func TestStalledStores(t *testing.T) {
	for name, value := range scripttest.IsolatedEnv(t.TempDir()) {
		t.Setenv(name, value)
	}
	const (
		timeout, retryFor = 500 * time.Millisecond, time.Second
		reads             = 1 << 20
		listFails         = "error: LIST s3://demo/:"
		headsFail         = "error: no HEAD has succeeded for"
	)
	for name, c := range map[string]struct { // in turn: urfave/cli shares its help flag among apps
		store stalledStore
		flags []string
		says  string
	}{
		"never reads":                     {stalledStore{reads: 0}, nil, listFails},
		"never answers a LIST":            {stalledStore{reads: reads}, nil, listFails},
		"a LIST of one byte a second":     {stalledStore{reads: reads, pages: 1, slowPage: 1}, nil, listFails},
		"never answers the second LIST":   {stalledStore{reads: reads, pages: 1, heads: true}, nil, listFails},
		"the second LIST a byte a second": {stalledStore{reads: reads, pages: 2, slowPage: 2, heads: true}, nil, listFails},
		"reads no HEAD":                   {stalledStore{reads: reads, pages: 2}, nil, headsFail},
		"reads no HEAD, sdk":              {stalledStore{reads: reads, pages: 2}, []string{"--engine", "sdk"}, headsFail},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{
				"scan", "--no-sign-request", "--endpoint-url", c.store.serve(t), "--all", "--workers", "4",
				"--timeout", timeout.String(), "--retry-for", retryFor.String(), "s3://demo",
			}, c.flags...)
			began := time.Now()
			code, stdout, stderr := runs(t, args...)
			if took := time.Since(began); took < timeout {
				t.Errorf("it took %v, less than one timeout", took)
			}
			if code != exit.Fatal || !strings.Contains(stderr, c.says) {
				t.Errorf("exit %d, want %d and %q\n%s", code, exit.Fatal, c.says, stderr)
			}
			if printed := strings.Count(stdout, "\n"); printed != 0 && (printed != stalledObjects || !c.store.heads) {
				t.Errorf("%d objects were printed", printed)
			}
		})
	}
	t.Cleanup(func() { goleak.VerifyNone(t) })
}

// stalledObjects is the number of objects on each page of a stalledStore.
const stalledObjects = 1000

// stalledStore is a store that stops answering at some point.
type stalledStore struct {
	reads    int  // bytes that it reads of a connection; 0: it only accepts connections
	pages    int  // that it lists, of two
	slowPage int  // the page that it sends byte by byte; 0: none
	heads    bool // it answers HEADs; otherwise it stops reading at the first one
}

// serve serves until the test ends, and returns the URL.
func (s stalledStore) serve(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				s.talk(c, over)
				<-over
			})
		}
	})
	t.Cleanup(func() { close(over); l.Close(); all.Wait() })
	return "http://" + l.Addr().String()
}

// talk answers requests on a connection until the store stalls or the client closes it.
func (s stalledStore) talk(c net.Conn, over <-chan struct{}) {
	for in := bufio.NewReader(io.LimitReader(c, int64(s.reads))); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		page := 1
		if r.URL.Query().Get("continuation-token") != "" {
			page = 2
		}
		switch {
		case r.Method == http.MethodHead && s.heads:
			etag := r.URL.Path[len("/demo/"):]
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \""+etag+"\"\r\n\r\n")
		case r.Method == http.MethodHead, page > s.pages:
			return
		case page == s.slowPage:
			for _, b := range []byte(s.page(page)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				select {
				case <-time.After(time.Second):
				case <-over:
					return
				}
			}
		default:
			_, _ = io.WriteString(c, s.page(page)) // the client may have closed the connection
		}
	}
}

// page returns the answer to a LIST.
func (s stalledStore) page(page int) string {
	var body strings.Builder
	body.WriteString("<ListBucketResult>")
	for i := range stalledObjects {
		fmt.Fprintf(&body, "<Contents><Key>%d%04d</Key><ETag>%[1]d%04[2]d</ETag><Size>0</Size></Contents>", page, i)
	}
	if page == 1 {
		body.WriteString("<IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken>")
	}
	body.WriteString("</ListBucketResult>")
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", body.Len(), body.String())
}
