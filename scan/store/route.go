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

// Route is what plain requests to one endpoint need beside credentials: the result of the SDK's endpoint resolution, in
// the parts from which a request can be built without the SDK. It does not change.
type Route struct {
	HostPort string      // HOST:PORT to connect to
	TLS      *tls.Config // nil: plain HTTP. It is shared: clone it before a change
	Host     string      // value of the Host header
	Path     string      // before the key's escaped bytes: "/bucket/", or "/"
	Region   string      // to sign for
	Service  string      // to sign for
}

// DirectUnsupportedError is the reason why only the SDK can send a Store's requests.
type DirectUnsupportedError struct{ Reason string }

func (e *DirectUnsupportedError) Error() string { return e.Reason }

// FaultClass implements the contract of fault.ClassOf.
func (e *DirectUnsupportedError) FaultClass() fault.Class { return fault.Configuration }

// Route returns the endpoint's Route, or a *DirectUnsupportedError. The first call asks the SDK, which sends nothing.
func (e *Endpoint) Route() (*Route, error) { return e.route() }

// DirectUnsupported returns a *DirectUnsupportedError if not every endpoint has a Route, or else nil. It sends nothing.
func (s *Store) DirectUnsupported() error {
	s.mu.RLock()
	endpoints := s.endpoints
	s.mu.RUnlock()
	for _, e := range endpoints {
		if _, err := e.Route(); err != nil {
			return err
		}
	}
	return nil
}

// probeKey is the key of the request that the SDK prepares for findRoute.
const probeKey = "headcount"

// findRoute lets the SDK prepare and sign a HEAD without sending it, and reads the Route from the prepared request. All
// rules of the SDK's endpoint resolution apply, those that headcount does not know too: any part of the request that
// findRoute does not understand results in a *DirectUnsupportedError.
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
	if proxyOf := s.transport.Proxy; proxyOf != nil {
		if proxy, err := proxyOf(request); err != nil || proxy != nil {
			return nil, &DirectUnsupportedError{"a proxy is configured"}
		}
	}
	return s.readRoute(request, client.Options().Region)
}

// prepareProbe returns the request that the SDK would send for probeKey, signed with made-up credentials.
func (s *Store) prepareProbe(client *s3.Client) (*http.Request, error) {
	var capture requestCapture
	_, err := client.HeadObject(context.Background(), &s3.HeadObjectInput{
		Bucket: aws.String(s.cfg.Bucket), Key: aws.String(probeKey), RequestPayer: s.RequestPayer(),
	}, func(o *s3.Options) {
		o.HTTPClient = &capture
		if !s.anonymous() {
			o.Credentials = credentials.NewStaticCredentialsProvider("probe", "probe", "")
		}
	})
	if capture.request == nil {
		return nil, &DirectUnsupportedError{fmt.Sprintf("the SDK prepares no request: %v", fault.StripSDK(err))}
	}
	return capture.request, nil
}

// requestCapture is an HTTP client that keeps the first request and sends none.
type requestCapture struct{ request *http.Request }

var errNotSent = errors.New("not sent")

func (c *requestCapture) Do(r *http.Request) (*http.Response, error) {
	if c.request == nil {
		c.request = r
	}
	return nil, errNotSent
}

// isStandardHeader reports whether the SDK sets the header on every plain HEAD. The first four are for the store, the
// others describe the SDK.
func isStandardHeader(name string) bool {
	switch name {
	case "Authorization", "X-Amz-Content-Sha256", "X-Amz-Date", "X-Amz-Request-Payer",
		"Accept-Encoding", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "User-Agent", "X-Amz-User-Agent":
		return true
	}
	return false
}

// readRoute returns the Route of a prepared request.
func (s *Store) readRoute(r *http.Request, region string) (*Route, error) {
	path, hasProbeKey := strings.CutSuffix(r.URL.EscapedPath(), probeKey)
	if r.Method != http.MethodHead || !hasProbeKey || !strings.HasSuffix(path, "/") {
		return nil, &DirectUnsupportedError{"the endpoint needs " + r.Method + " " + r.URL.Path}
	}
	if r.URL.RawQuery != "" {
		return nil, &DirectUnsupportedError{"the endpoint needs a query"}
	}
	for name := range r.Header {
		if !isStandardHeader(name) {
			return nil, &DirectUnsupportedError{"the endpoint needs the header " + name}
		}
	}
	route := &Route{Host: r.Host, Path: path, Region: region}
	if route.Host == "" {
		route.Host = r.URL.Host
	}
	if strings.ContainsFunc(route.Host, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, &DirectUnsupportedError{"the name of the host is not ASCII"}
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
	route.HostPort = net.JoinHostPort(r.URL.Hostname(), port)
	return route, s.readScope(route, r.Header.Get("Authorization"))
}

// readScope sets the Route's region and service from the scope of a signature.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
func (s *Store) readScope(route *Route, authorization string) error {
	if s.anonymous() && authorization == "" {
		return nil
	}
	scope, isV4 := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential=probe/")
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/") // date, region, service, aws4_request
	if !isV4 || len(parts) != 4 {
		return &DirectUnsupportedError{"the endpoint needs another signature than AWS4-HMAC-SHA256"}
	}
	route.Region, route.Service = parts[1], parts[2]
	return nil
}

// tlsConfig returns the transport's TLS configuration, with the SDK's certificate authorities, for connections to host.
func (s *Store) tlsConfig(host string) *tls.Config {
	cfg := s.transport.TLSClientConfig.Clone() // it offers HTTP/1.1 alone
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return cfg
}
