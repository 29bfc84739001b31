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

// Stores that go silent, each in another place: the deadlines hold, and the scan ends as fatal when the user's patience does.
// That a write which blocks has its deadline is among the tests of the direct engine.
func TestStalledStores(t *testing.T) {
	for name, value := range scripttest.IsolatedEnv(t.TempDir()) {
		t.Setenv(name, value)
	}
	const timeout, retryFor = 300 * time.Millisecond, time.Second // one after the other: urfave/cli shares its help flag
	for name, c := range map[string]struct {
		store stalledStore
		flags []string
		says  string
	}{
		"never reads":                     {stalledStore{reads: 0}, nil, "error: LIST s3://demo/:"},
		"never answers a LIST":            {stalledStore{reads: 1 << 20}, nil, "error: LIST s3://demo/:"},
		"a LIST of one byte a second":     {stalledStore{reads: 1 << 20, pages: 1, slowPage: 1}, nil, "error: LIST s3://demo/:"},
		"never answers the second LIST":   {stalledStore{reads: 1 << 20, pages: 1, heads: true}, nil, "error: LIST s3://demo/:"},
		"the second LIST a byte a second": {stalledStore{reads: 1 << 20, pages: 2, slowPage: 2, heads: true}, nil, "error: LIST s3://demo/:"},
		"reads no HEAD":                   {stalledStore{reads: 1 << 20, pages: 2}, nil, "error: no HEAD has succeeded for"},
		"reads no HEAD, sdk":              {stalledStore{reads: 1 << 20, pages: 2}, []string{"--engine", "sdk"}, "error: no HEAD has succeeded for"},
	} {
		t.Run(name, func(t *testing.T) {
			url := c.store.serve(t)
			began := time.Now()
			code, stdout, stderr := runs(t, append([]string{"scan", "--no-sign-request", "--endpoint-url", url, "--all", "--workers", "4",
				"--timeout", timeout.String(), "--retry-for", retryFor.String(), "s3://demo"}, c.flags...)...)
			if took := time.Since(began); took > retryFor+timeout+2*time.Second || took < timeout {
				t.Errorf("it took %v", took) // what was sent in the last moment has its timeout, and the machine may be busy
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

// stalledObjects are on each page of a stalledStore.
const stalledObjects = 1000

// stalledStore is a store that says nothing any more at some point.
type stalledStore struct {
	reads    int  // bytes it reads of a connection; 0: it accepts, and that is all
	pages    int  // it lists, of two
	slowPage int  // which of them comes byte by byte; 0: none
	heads    bool // it answers HEADs; it stops reading at the first one otherwise
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

// talk answers what is answered on a connection, until it stalls or the client goes.
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
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \""+r.URL.Path[len("/demo/"):]+"\"\r\n\r\n")
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
			_, _ = io.WriteString(c, s.page(page)) // the client has gone, or it has not
		}
	}
}

// page is the answer to a LIST.
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
