package s3sim

import (
	"bufio"
	"context"
	"encoding/xml"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves a Server on a free port of the loopback, until the test ends.
func start(t testing.TB, o Options) (s *Server, address string) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error("Close:", err)
		}
		if err := <-served; err != nil {
			t.Error("Serve:", err)
		}
	})
	return s, l.Addr().String()
}

// startInProcess serves one connection of a Server over net.Pipe until the test ends. It works under synctest, whose
// clock makes latencies exact.
func startInProcess(t testing.TB, o Options) (*Server, *rawConn) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	client, served := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		newConn(s, served, 1).serve()
	}()
	t.Cleanup(func() {
		client.Close()
		<-ended
	})
	return s, &rawConn{client, t, bufio.NewReader(client)}
}

// rawConn is a connection on which the test writes every byte itself.
type rawConn struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

// hangTimeout ends a test whose server does not respond. No test waits for it.
const hangTimeout = time.Minute

func dial(t testing.TB, address string) *rawConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(hangTimeout))
	return &rawConn{c, t, bufio.NewReader(c)}
}

func (c *rawConn) send(text string) *rawConn {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// receive reads one response to a request of the given method.
func (c *rawConn) receive(method string) (*http.Response, string) {
	c.t.Helper()
	response, body, err := c.tryReceive(method)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, body
}

func (c *rawConn) tryReceive(method string) (*http.Response, string, error) {
	response, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// get sends one request on a connection of its own.
func get(t testing.TB, address, method, target string) (*http.Response, string) {
	t.Helper()
	c := dial(t, address)
	defer c.Close()
	return c.send(method + " " + target + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n").receive(method)
}

// pathOf encodes a key naively: it escapes every byte.
func pathOf(key []byte) string {
	var b strings.Builder
	for _, c := range key {
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
	return "/demo/" + b.String()
}

// listResult is a page decoded by encoding/xml.
type listResult struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name, Prefix          string
	Marker, NextMarker    string
	StartAfter, Delimiter string
	ContinuationToken     string
	NextContinuationToken string
	EncodingType          string
	KeyCount, MaxKeys     int
	IsTruncated           bool
	Contents              []struct {
		Key, ETag, StorageClass string
		LastModified            time.Time
		Size                    int64
	}
	CommonPrefixes []struct{ Prefix string }
}

// list sends one LIST and decodes the elements that are declared as encoded.
func list(t testing.TB, address string, query url.Values) listResult {
	t.Helper()
	response, body := get(t, address, "GET", "/demo?"+query.Encode())
	if response.StatusCode != 200 {
		t.Fatalf("LIST %v: %d %s", query, response.StatusCode, body)
	}
	return decodeList(t, body)
}

func decodeList(t rapid.TB, body string) listResult {
	t.Helper()
	var result listResult
	if err := xml.Unmarshal([]byte(body), &result); err != nil {
		t.Fatalf("%v in %.300s", err, body)
	}
	if result.EncodingType == "url" {
		for _, text := range []*string{
			&result.Prefix, &result.Marker, &result.NextMarker, &result.StartAfter, &result.Delimiter,
		} {
			*text = unescape(t, *text)
		}
		for i := range result.Contents {
			result.Contents[i].Key = unescape(t, result.Contents[i].Key)
		}
		for i := range result.CommonPrefixes {
			result.CommonPrefixes[i].Prefix = unescape(t, result.CommonPrefixes[i].Prefix)
		}
	}
	return result
}

func unescape(t rapid.TB, text string) string {
	t.Helper()
	plain, err := url.QueryUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// keys returns the keys of a page.
func (r listResult) keys() []string {
	var keys []string
	for _, c := range r.Contents {
		keys = append(keys, c.Key)
	}
	return keys
}

// allKeys returns the keys of a bucket, computed by its Keyspace.
func allKeys(s *Server) []string {
	var keys []string
	for i := range s.Keyspace().Len() {
		keys = append(keys, string(s.Keyspace().Key(i)))
	}
	return keys
}

// sdkClient returns the SDK's client. Its connections are closed with the test.
func sdkClient(t testing.TB, address string, c Credentials, region string, virtual bool) *s3.Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address) // for any host name
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return s3.New(s3.Options{
		Region:       region,
		BaseEndpoint: aws.String("http://" + address),
		UsePathStyle: !virtual,
		HTTPClient:   &http.Client{Transport: transport},
		Retryer:      aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: c.AccessKey, SecretAccessKey: c.SecretKey, SessionToken: c.SessionToken,
			}, nil
		}),
	})
}
