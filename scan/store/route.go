package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/fault"
)

// Route is the way of plain requests to one endpoint: what the SDK's resolution came to, in the parts from which a
// request can be put together without the SDK. It is not changed once it is made.
type Route struct {
	Address string      // HOST:PORT to connect to
	TLS     *tls.Config // nil: plain HTTP. It is shared: clone it before changing it
	Host    string      // what the Host header says
	Path    string      // what stands before a key's escaped bytes: "/bucket/", or "/"
	Region  string      // to sign for
	Service string      // to sign for
}

// DirectUnsupportedError says why only the SDK can send a Store's requests.
type DirectUnsupportedError struct{ Reason string }

func (e *DirectUnsupportedError) Error() string { return e.Reason }

// Route is the way of what the Sender sends, or an DirectUnsupportedError. The first call asks the SDK, which sends nothing.
func (by Sender) Route() (*Route, error) { return by.endpoint.route() }

// DirectUnsupported says why not every endpoint has a Route: an DirectUnsupportedError, or nil. It sends nothing.
func (s *Store) DirectUnsupported() error {
	s.mu.RLock()
	endpoints := s.endpoints
	s.mu.RUnlock()
	for _, e := range endpoints {
		if _, err := e.route(); err != nil {
			return err
		}
	}
	return nil
}

// probeKey is the key for which the SDK is asked to prepare a request.
const probeKey = "headcount"

// findRoute lets the SDK prepare and sign a HEAD up to the moment of sending, and reads from it where it would go. So
// every rule of its endpoint resolution holds, also those that are not known here: what a request has that is not
// understood makes it an DirectUnsupportedError.
func (s *Store) findRoute(client *s3.Client) (*Route, error) {
	if strings.HasPrefix(s.cfg.Bucket, "arn:") {
		return nil, &DirectUnsupportedError{"the bucket is named by an ARN"}
	}
	if s.Unordered() {
		return nil, &DirectUnsupportedError{"the bucket is a directory bucket of S3 Express"}
	}
	request, err := s.prepareProbe(client)
	if err != nil {
		return nil, err
	}
	if proxied := s.transport.Proxy; proxied != nil {
		if proxy, err := proxied(request); err != nil || proxy != nil {
			return nil, &DirectUnsupportedError{"a proxy is configured"}
		}
	}
	return s.readRoute(request, client.Options().Region)
}

// prepareProbe is the request that the SDK would send for routeProbe, signed with made-up credentials.
func (s *Store) prepareProbe(client *s3.Client) (*http.Request, error) {
	var sink requestCapture
	_, err := client.HeadObject(context.Background(), &s3.HeadObjectInput{
		Bucket: aws.String(s.cfg.Bucket), Key: aws.String(probeKey), RequestPayer: s.RequestPayer(),
	}, func(o *s3.Options) {
		o.HTTPClient = &sink
		if !s.anonymous() {
			o.Credentials = credentials.NewStaticCredentialsProvider("probe", "probe", "")
		}
	})
	if sink.request == nil {
		return nil, &DirectUnsupportedError{fmt.Sprintf("the SDK prepares no request: %v", fault.StripSDK(err))}
	}
	return sink.request, nil
}

// requestCapture keeps the first request that it is given to send.
type requestCapture struct{ request *http.Request }

var errNotSent = errors.New("not sent")

func (s *requestCapture) Do(r *http.Request) (*http.Response, error) {
	if s.request == nil {
		s.request = r
	}
	return nil, errNotSent
}

// isStandardHeader says whether the SDK sets this header on every plain HEAD. Most of them say something about the SDK alone.
func isStandardHeader(name string) bool {
	switch name {
	case "Authorization", "X-Amz-Content-Sha256", "X-Amz-Date", "X-Amz-Request-Payer",
		"Accept-Encoding", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "User-Agent", "X-Amz-User-Agent":
		return true
	}
	return false
}

// readRoute takes a prepared request apart.
func (s *Store) readRoute(r *http.Request, region string) (*Route, error) {
	path, isProbe := strings.CutSuffix(r.URL.EscapedPath(), probeKey)
	if r.Method != http.MethodHead || !isProbe || !strings.HasSuffix(path, "/") {
		return nil, &DirectUnsupportedError{"the endpoint is asked by " + r.Method + " " + r.URL.Path}
	}
	if r.URL.RawQuery != "" {
		return nil, &DirectUnsupportedError{"the endpoint wants a query"}
	}
	for name := range r.Header {
		if !isStandardHeader(name) {
			return nil, &DirectUnsupportedError{"the endpoint wants the header " + name}
		}
	}
	route := &Route{Host: r.Host, Path: path, Region: region}
	if route.Host == "" {
		route.Host = r.URL.Host
	}
	if strings.ContainsFunc(route.Host, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, &DirectUnsupportedError{"the host's name is not ASCII"}
	}
	port := r.URL.Port()
	switch {
	case r.URL.Scheme == "https":
		route.TLS = s.tlsConfig(r.URL.Hostname())
		if port == "" {
			port = "443"
		}
	case port == "":
		port = "80"
	}
	route.Address = net.JoinHostPort(r.URL.Hostname(), port)
	return route, s.readScope(route, r.Header.Get("Authorization"))
}

// readScope takes the region and the service from a signature's scope.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
func (s *Store) readScope(route *Route, authorization string) error {
	if s.anonymous() && authorization == "" {
		return nil
	}
	scope, isV4 := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential=probe/")
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/") // date, region, service, aws4_request
	if !isV4 || len(parts) != 4 {
		return &DirectUnsupportedError{"the endpoint wants another signature than AWS4-HMAC-SHA256"}
	}
	route.Region, route.Service = parts[1], parts[2]
	return nil
}

// tlsConfig is that of the transport, with the SDK's authorities, for connections to host.
func (s *Store) tlsConfig(host string) *tls.Config {
	cfg := s.transport.TLSClientConfig.Clone() // nil stays nil
	if cfg == nil {
		cfg = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	cfg.NextProtos = nil // HTTP/1.1
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return cfg
}
