package scan_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
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

// equalPage is how many objects equalObjects lists at once.
const equalPage = 20

// equalObjects lists n empty objects, which neither ETag nor length tell apart; what follows the first page it lists
// once goOn is closed. HEADs it leaves to head, which writes to the connection itself.
func equalObjects(t *testing.T, n int, goOn <-chan struct{}, head func(c net.Conn, key string)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	t.Cleanup(conns.Wait) // the client has closed them by then
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
				<-goOn
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

// equalListing is the page of n objects after a key, which is the token too.
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

// An answer that nobody asked for comes while the connection is idle, as workers are when the LIST is slow. Without a
// look at the connection every HEAD from then on would take its predecessor's answer, and nothing would tell.
func TestDuplicateAnswerOnIdleConnection(t *testing.T) {
	forEachEngine(t, testDuplicateAnswerOnIdleConnection)
}

func testDuplicateAnswerOnIdleConnection(t *testing.T, cfg scan.Config) {
	const (
		objects = 3 * equalPage
		way     = 200 * time.Millisecond // an answer's to the client, and its notice of it, on a busy machine
	)
	var heads atomic.Int64
	goOn := make(chan struct{})
	url := equalObjects(t, objects, goOn, func(c net.Conn, key string) {
		writeEqualAnswer(c, key)
		if heads.Add(1) == equalPage { // the last of the first page: nothing is in flight until the next is listed
			time.Sleep(way)
			writeEqualAnswer(c, key)
			time.Sleep(way)
			close(goOn)
		}
	})
	cfg.Workers = 1
	r := run(t.Context(), t, open(t, url), cfg)
	if r.err != nil || len(r.lines) != objects {
		t.Fatalf("%d lines, %v", len(r.lines), r.err)
	}
	for i, line := range r.lines {
		if want := fmt.Sprintf(`{"key":"k%06d","metadata":{"key":"k%06d"}`, i, i); !strings.HasPrefix(line, want) {
			t.Fatalf("line %d is %s, want %s", i, line, want)
		}
	}
}

// An answer that cannot be the object's is none: what is asked again on a fresh connection counts, and only that is
// printed.
func TestMismatchedAnswerIsRetried(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		var asked sync.Map // keys
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
			t.Errorf("%+v, %v", r.stats.Outcomes, r.err)
		}
		expectAllPrinted(t, server, r.lines)
	})
}

// One of two endpoints answers every HEAD with 500, and fast. What it is asked for is asked of the other one then.
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
			t.Errorf("pipeline %d: %+v, retries %v, %v", pipeline, r.stats.Outcomes, r.stats.Retries, r.err)
		}
		expectAllPrinted(t, server, r.lines)
	}
}
