package seed

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

	"headcount/scan/store"
)

// The content of an object is an answer with the Marker of the next key, and the store sends it after the answer to the
// HEAD. No object has the Marker, so nothing is deleted.
func TestCleanBelievesNoForgedMarker(t *testing.T) {
	t.Parallel()
	const objects = 200
	key := func(i int) string { return fmt.Sprintf("p/headcount-seed/k%05d", i) }
	answer := func(i int, more string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nETag: \"%032d\"\r\n%s\r\n", i, more)
	}
	var listing strings.Builder
	for i := range objects {
		fmt.Fprintf(&listing, "<Contents><Key>%s</Key><ETag>\"%032d\"</ETag><Size>9</Size></Contents>", key(i), i)
	}
	var deleted atomic.Int64
	serve := func(c net.Conn) {
		defer c.Close()
		for in := bufio.NewReader(c); ; {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			i := 0
			_, _ = fmt.Sscanf(r.URL.Path, "/"+bucket+"/p/headcount-seed/k%d", &i)
			switch r.Method {
			case http.MethodHead:
				_, _ = io.WriteString(c, answer(i, ""))
				_, _ = io.WriteString(c, answer(i+1, "x-amz-meta-"+markerName+": "+marker(key(i+1))+"\r\n"))
			case http.MethodDelete:
				deleted.Add(1)
				_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
			default:
				body := "<ListBucketResult>" + listing.String() + "</ListBucketResult>"
				if r.URL.Query().Get("start-after") != "" {
					body = "<ListBucketResult></ListBucketResult>"
				}
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	t.Cleanup(conns.Wait)
	t.Cleanup(func() { l.Close() })
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { serve(c) })
		}
	})
	opened, err := store.Open(t.Context(), store.Config{
		Bucket: bucket, Endpoints: []string{"http://" + l.Addr().String()}, Isolated: true, Connections: 8,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	c, err := NewClean(Config{Store: opened, Prefix: "p", Workers: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := c.Run(t.Context())
	if err != nil || stats.Foreign != objects || deleted.Load() != 0 {
		t.Errorf("%+v, %d DELETEs, %v; want %d foreign objects", stats, deleted.Load(), err, objects)
	}
}
