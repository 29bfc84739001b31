package engines

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"headcount/bench/process"
)

// FloorCommand is the name of the command of bench/dev that runs Floor.
const FloorCommand = "floor"

// FloorConfig says what the floor sends.
type FloorConfig struct {
	URL         string // of an object that exists: http or https, with a port
	Connections int    // each with one request in flight
	Requests    int64  // on all connections together
	CABundle    string // the PEM file of the authorities to trust; empty: the system's
}

// FloorResult is what the floor reports.
type FloorResult struct {
	Requests int64   `json:"requests"`
	Seconds  float64 `json:"seconds"` // from before the first connection is made to the last answer
}

// Floor sends the requests and reads the answers. The store must answer every HEAD of the object with the same number
// of bytes, as s3sim does: Floor finds the end of an answer by that number, without parsing the answer. When ctx ends,
// the error is its cause.
func Floor(ctx context.Context, cfg FloorConfig) (FloorResult, error) {
	f, err := newFloor(cfg)
	if err != nil {
		return FloorResult{}, err
	}
	began := time.Now()
	connections, during := errgroup.WithContext(ctx)
	for i := range int64(cfg.Connections) {
		share := cfg.Requests / int64(cfg.Connections)
		if i < cfg.Requests%int64(cfg.Connections) {
			share++
		}
		if share > 0 {
			connections.Go(func() error { return f.exchange(during, share) })
		}
	}
	err = connections.Wait()
	if ctx.Err() != nil {
		return FloorResult{}, context.Cause(ctx)
	}
	return FloorResult{Requests: cfg.Requests, Seconds: time.Since(began).Seconds()}, err
}

// floor is what all connections have in common.
type floor struct {
	address string
	tls     *tls.Config // nil: plain HTTP
	request []byte
}

func newFloor(cfg FloorConfig) (*floor, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	f := &floor{address: u.Host, request: floorRequest(u)}
	switch {
	case u.Port() == "":
		return nil, fmt.Errorf("%s names no port", cfg.URL)
	case u.Scheme == "https":
		// TLS 1.3 only: the figures are published as figures of TLS 1.3.
		f.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS13}
	case u.Scheme != "http":
		return nil, fmt.Errorf("%s is neither http nor https", cfg.URL)
	}
	if f.tls != nil && cfg.CABundle != "" {
		pem, err := os.ReadFile(cfg.CABundle)
		if err != nil {
			return nil, err
		}
		f.tls.RootCAs = x509.NewCertPool()
		f.tls.RootCAs.AppendCertsFromPEM(pem)
	}
	return f, nil
}

// bucket is the name of the stores' bucket.
const bucket = "demo"

// floorRequest returns a HEAD with the headers and the length of the direct engine's. Its signature is not valid: it is
// for a store that verifies none.
func floorRequest(u *url.URL) []byte {
	return fmt.Appendf(nil, "HEAD %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: headcount\r\nAccept-Encoding: identity\r\n"+
		"X-Amz-Content-Sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n"+
		"X-Amz-Date: 20260101T000000Z\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential="+process.AccessKey+"/20260101/us-east-1/s3/aws4_request, "+
		"SignedHeaders=host;x-amz-content-sha256;x-amz-date, "+
		"Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7\r\n\r\n",
		u.RequestURI(), u.Host)
}

// answerMax is far above the size of s3sim's answer to a HEAD, which is about 500 bytes.
const answerMax = 4 << 10

// exchange sends n requests on a new connection, each after the answer to the one before.
func (f *floor) exchange(ctx context.Context, n int64) error {
	c, err := f.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	// Closing the connection ends a blocked Read.
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	buffer := make([]byte, answerMax)
	length, err := f.firstExchange(c, buffer)
	if err != nil {
		return err
	}
	for range n - 1 {
		if _, err := c.Write(f.request); err != nil {
			return err
		}
		for got := 0; got < length; { // one Read, unless the answer arrives in pieces
			part, err := c.Read(buffer)
			if err != nil {
				return err
			}
			got += part
		}
	}
	return nil
}

func (f *floor) dial(ctx context.Context) (net.Conn, error) {
	if f.tls != nil {
		return (&tls.Dialer{Config: f.tls}).DialContext(ctx, "tcp", f.address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", f.address)
}

// firstExchange sends the first request of a connection, and returns the number of bytes of its answer. The answer must
// be 200.
func (f *floor) firstExchange(c net.Conn, buffer []byte) (length int, err error) {
	if _, err := c.Write(f.request); err != nil {
		return 0, err
	}
	for !bytes.HasSuffix(buffer[:length], []byte("\r\n\r\n")) { // an answer to a HEAD has no body
		if length == len(buffer) {
			return 0, errors.New("the answer has no end")
		}
		n, err := c.Read(buffer[length:])
		if err != nil {
			return 0, err
		}
		length += n
	}
	if !bytes.HasPrefix(buffer, []byte("HTTP/1.1 200 ")) {
		status, _, _ := bytes.Cut(buffer[:length], []byte("\r\n"))
		return 0, fmt.Errorf("the answer is %q", status)
	}
	return length, nil
}
