package scan_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/store"
)

// equalPage is the number of objects of a page that serveEqualObjects lists.
const equalPage = 20

// serveEqualObjects starts a store of n empty objects, all with the same ETag and length. It lists the pages after the
// first one once listRest is closed. It calls head for each HEAD, and head writes the response to the connection.
func serveEqualObjects(
	t *testing.T, n int, listRest <-chan struct{}, head func(c net.Conn, key string),
) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	t.Cleanup(conns.Wait) // the client closes the connections first
	t.Cleanup(func() { l.Close() })
	serve := func(c net.Conn) {
		defer c.Close()
		for in := bufio.NewReader(c); ; {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if r.Method == http.MethodHead {
				head(c, strings.TrimPrefix(r.URL.Path, "/demo/"))
				continue
			}
			after := r.URL.Query().Get("start-after") + r.URL.Query().Get("continuation-token")
			if after != "" {
				<-listRest
			}
			body := equalListing(after, n)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
	}
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { serve(c) })
		}
	})
	return "http://" + l.Addr().String()
}

// equalListing returns the page of n objects that begins after a key. Continuation tokens are keys.
func equalListing(after string, n int) string {
	from := 0
	if after != "" {
		_, _ = fmt.Sscanf(after, "k%d", &from)
		from++
	}
	var b strings.Builder
	b.WriteString("<ListBucketResult>")
	end := min(n, from+equalPage)
	for i := from; i < end; i++ {
		fmt.Fprintf(
			&b,
			`<Contents><Key>k%06d</Key><ETag>"d41d8cd98f00b204e9800998ecf8427e"</ETag><Size>0</Size></Contents>`,
			i,
		)
	}
	if end < n {
		fmt.Fprintf(&b, "<IsTruncated>true</IsTruncated><NextContinuationToken>k%06d</NextContinuationToken>", end-1)
	}
	return b.String() + "</ListBucketResult>"
}

func writeEqualAnswer(c net.Conn, key string) {
	_, _ = io.WriteString(
		c,
		"HTTP/1.1 200 OK\r\nETag: \"d41d8cd98f00b204e9800998ecf8427e\"\r\nContent-Length: 0\r\n"+
			"x-amz-meta-key: "+key+"\r\n\r\n",
	)
}

// A duplicate answer arrives while the connection is idle, as connections are during a slow LIST. The engine must check
// an idle connection for unsolicited data: otherwise each later HEAD takes the answer of the HEAD before it, and no
// header shows the error.
func TestDuplicateAnswerOnIdleConnection(t *testing.T) {
	forEachEngine(t, testDuplicateAnswerOnIdleConnection)
}

func testDuplicateAnswerOnIdleConnection(t *testing.T, cfg scan.Config) {
	const (
		objects = 3 * equalPage
		delay   = 200 * time.Millisecond // for the client to receive an answer, on a busy machine too
	)
	var heads atomic.Int64
	listRest := make(chan struct{})
	url := serveEqualObjects(t, objects, listRest, func(c net.Conn, key string) {
		writeEqualAnswer(c, key)
		if heads.Add(1) == equalPage { // the first page is answered: no HEAD is in flight until the next page is listed
			time.Sleep(delay)
			writeEqualAnswer(c, key)
			time.Sleep(delay)
			close(listRest)
		}
	})
	cfg.Workers = 1
	r := run(t.Context(), t, open(t, url), cfg)
	if r.err != nil || len(r.lines) != objects {
		t.Fatalf("got %d lines, error %v; want %d lines", len(r.lines), r.err, objects)
	}
	slices.Sort(r.lines) // an object that is sent again delays its page
	for i, line := range r.lines {
		if want := fmt.Sprintf(`{"key":"k%06d","metadata":{"key":"k%06d"}`, i, i); !strings.HasPrefix(line, want) {
			t.Fatalf("line %d: got %s, want the prefix %s", i, line, want)
		}
	}
}

// The answer to the first HEAD of each object has another object's ETag. The scan sends the HEAD again on a new
// connection and prints only the second answer.
func TestMismatchedAnswerIsRetried(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		var asked sync.Map // paths
		server, url := startWithHandler(t, s3sim.Options{Objects: 200}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodHead {
				return false
			}
			_, again := asked.LoadOrStore(r.URL.Path, true)
			if !again {
				w.Header().Set("ETag", `"another"`)
				w.Header().Set("x-amz-meta-id", "another's")
			}
			return !again
		})
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || r.stats.Changed != 0 || r.stats.Failed != 0 || r.stats.Gone != 0 {
			t.Errorf("got %+v, error %v; want no changed, failed or gone object", r.stats.Outcomes, r.err)
		}
		expectAllPrinted(t, server, r.lines)
	})
}

// One of two endpoints answers every HEAD with 500, and faster than the other one. The retries of these HEADs go to the
// other endpoint.
func TestRetriesUseTheOtherEndpoint(t *testing.T) {
	for _, pipeline := range []int{1, 8} {
		server, good := simtest.Start(t, s3sim.Options{Objects: 2_000, Latency: 5 * time.Millisecond})
		_, bad := startWithHandler(t, s3sim.Options{Objects: 2_000}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return r.Method == http.MethodHead
		})
		s, err := store.Open(
			t.Context(),
			store.Config{Bucket: "demo", Endpoints: []string{good, bad}, Isolated: true, Connections: 16},
		)
		if err != nil {
			t.Fatal(err)
		}
		r := run(t.Context(), t, s, scan.Config{Engine: engine.Direct, Workers: 16, Pipeline: pipeline})
		s.Close()
		if r.err != nil || r.stats.Failed != 0 || r.stats.Retries["head"]["500"] == 0 ||
			r.stats.Retries["head"]["500"] > 1_000 {
			t.Errorf("pipeline %d: got %+v, retries %v, error %v; want no failed object and 1 to 1,000 retries",
				pipeline, r.stats.Outcomes, r.stats.Retries, r.err)
		}
		expectAllPrinted(t, server, r.lines)
	}
}
