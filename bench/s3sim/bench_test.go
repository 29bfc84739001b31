package s3sim

import (
	"bytes"
	"fmt"
	"net"
	"testing"
)

// signedHead is a HEAD of the length of a signed one.
const signedHead = "HEAD /demo/obj-%012d HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n" +
	"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
	"SignedHeaders=host;x-amz-content-sha256;x-amz-date," +
	"Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7\r\n" +
	"X-Amz-Content-Sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n" +
	"X-Amz-Date: 20130524T000000Z\r\n\r\n"

// benchAppend measures parsing a request and building the response, without a socket.
func benchAppend(b *testing.B, requests int, request string) {
	s, err := New(Options{Objects: 1_000_000_000})
	if err != nil {
		b.Fatal(err)
	}
	c := newConn(s, discardConn{}, 1)
	var buf []byte
	for i := range requests {
		buf = append(buf, fmt.Sprintf(request, 123_456_789+i)...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if used, open := c.respondAll(buf); used != len(buf) || !open {
			b.Fatal(used, open)
		}
		c.out = c.out[:0]
	}
}

func BenchmarkHead(b *testing.B)          { benchAppend(b, 1, signedHead) }
func BenchmarkHeadPipelined(b *testing.B) { benchAppend(b, 8, signedHead) }

const listRequest = "GET /demo?list-type=2&encoding-type=url&max-keys=1000&start-after=obj-%012d HTTP/1.1\r\n" +
	"Host: x\r\n\r\n"

// BenchmarkListPage builds a page of 1,000 keys out of a billion.
func BenchmarkListPage(b *testing.B) { benchAppend(b, 1, listRequest) }

// benchLoopback measures a whole exchange over the loopback, with the client.
func benchLoopback(b *testing.B, requests int) {
	_, address := start(b, Options{Objects: 1_000_000_000})
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	var buf []byte
	for i := range requests {
		buf = append(buf, fmt.Sprintf(signedHead, 123_456_789+i)...)
	}
	in := make([]byte, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
		for answered := 0; answered < requests; {
			n, err := c.Read(in)
			if err != nil {
				b.Fatal(err)
			}
			answered += bytes.Count(in[:n], []byte("\r\n\r\n"))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*requests), "ns/HEAD")
}

func BenchmarkHeadLoopback(b *testing.B)          { benchLoopback(b, 1) }
func BenchmarkHeadLoopbackPipelined(b *testing.B) { benchLoopback(b, 8) }
