package store

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/fault"
	"headcount/scan/store/balance"
)

// Endpoint is one of the URLs of a bucket, in the region at the time. It does not change: SwitchRegion makes new ones.
// Its methods may be called concurrently.
type Endpoint struct {
	Client *s3.Client
	Region string // to sign for

	index int                    // among the Store's
	route func() (*Route, error) // computed once: see Route
}

// newEndpoints makes the configured endpoints, or the one of AWS, in a region.
func (s *Store) newEndpoints(region string) []*Endpoint {
	urls := s.cfg.Endpoints
	if len(urls) == 0 {
		urls = []string{""}
	}
	endpoints := make([]*Endpoint, len(urls))
	for i, url := range urls {
		client := s.newClient(url, region)
		endpoints[i] = &Endpoint{
			Client: client, Region: region, index: i,
			route: sync.OnceValues(func() (*Route, error) { return s.findRoute(client) }),
		}
	}
	return endpoints
}

func (s *Store) newClient(url, region string) *s3.Client {
	cfg := s.aws
	cfg.Region = region
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		if url != "" {
			o.BaseEndpoint = aws.String(strings.TrimRight(url, "/"))
		}
		o.UsePathStyle = s.usePathStyle(o.BaseEndpoint != nil)
		o.HTTPClient = &http.Client{Transport: s.transport, CheckRedirect: noRedirect}
		// headcount has its own retry policy: the SDK's policy needs error codes, and the response to a HEAD has none.
		// The SDK still retries the requests that fetch credentials.
		o.Retryer, o.RetryMaxAttempts = aws.NopRetryer{}, 0
		o.HTTPSignerV4 = newRequestSigner(s.Skew)
		// Never x-amz-checksum-mode: it needs rights on the KMS key, which a HEAD does not need.
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
}

func (s *Store) usePathStyle(customEndpoint bool) bool {
	switch s.cfg.Addressing {
	case AddressingPath:
		return true
	case AddressingVirtual:
		return false
	default:
		return customEndpoint
	}
}

// noRedirect returns a redirect to the caller. To follow it would send a signature to a host that it was not made for.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// WithNewConn is an option of an S3 client's operation: it sends the request over a new connection, and closes the
// connection after the response.
func (s *Store) WithNewConn(o *s3.Options) {
	o.HTTPClient = &http.Client{Transport: s.newConnTransport, CheckRedirect: noRedirect}
}

// EndpointCount returns the number of endpoints, at least 1.
func (s *Store) EndpointCount() int { return len(s.coolingDown) }

// EndpointURLs returns the endpoints that a flag or the SDK's configuration names; none if the SDK chooses the
// endpoint.
func (s *Store) EndpointURLs() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var urls []string
	for _, e := range s.endpoints {
		if url := e.Client.Options().BaseEndpoint; url != nil {
			urls = append(urls, *url)
		}
	}
	return urls
}

// displayURL returns the endpoint's URL, or the URL that the SDK resolves; "" if the endpoint has no Route.
func (e *Endpoint) displayURL() string {
	if url := e.Client.Options().BaseEndpoint; url != nil {
		return *url
	}
	route, err := e.Route()
	switch {
	case err != nil:
		return ""
	case route.TLS == nil:
		return "http://" + route.Host
	}
	return "https://" + route.Host
}

// Endpoint returns the endpoint whose turn is the n-th, counted round and round, or the next one that is not in
// cooldown.
func (s *Store) Endpoint(n int) *Endpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.endpoints[s.candidates(n)[0]]
}

// PickEndpoint returns the endpoint for a session: the least loaded one that is not in cooldown, and among equals the
// one whose turn is the n-th. It returns the endpoint of avoid only if there is no other; a nil avoid avoids none.
func (s *Store) PickEndpoint(n int, avoid *Address) *Endpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	candidates := s.candidates(n)
	if avoid != nil && len(candidates) > 1 {
		candidates = slices.DeleteFunc(candidates, func(i int) bool { return i == avoid.endpoint })
	}
	s.balancer.Sort(candidates)
	return s.endpoints[candidates[0]]
}

// candidates returns the endpoints from the n-th on that are not in cooldown, or all of them if all are. The caller
// holds s.mu.
func (s *Store) candidates(n int) []int {
	if available := s.available(n); len(available) > 0 {
		return available
	}
	return s.fromTurn(n)
}

// fromTurn returns the indexes of all endpoints, from the n-th on.
func (s *Store) fromTurn(n int) []int {
	indexes := make([]int, len(s.endpoints))
	for i := range indexes {
		indexes[i] = (n + i) % len(indexes)
	}
	return indexes
}

// available returns the indexes of the endpoints that are not in cooldown, from the n-th on. The caller holds s.mu.
func (s *Store) available(n int) []int {
	now := time.Now()
	return slices.DeleteFunc(s.fromTurn(n), func(i int) bool { return now.Before(s.coolingDown[i]) })
}

// IsCurrent reports whether requests may still go to the endpoint: its region is the present one, and it is not in
// cooldown, or all endpoints are.
func (s *Store) IsCurrent(e *Endpoint) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	// The sdk engine calls this once per HEAD: in the usual case it allocates nothing.
	return s.endpoints[e.index] == e && (!time.Now().Before(s.coolingDown[e.index]) || len(s.available(0)) == 0)
}

// ObserveFailure records the error of a request that got no answer. An endpoint that cannot be reached begins a
// cooldown, if there are others. A limit of this machine says nothing about the endpoint.
func (s *Store) ObserveFailure(e *Endpoint, err error) {
	var op *net.OpError
	isUnreached := errors.As(err, &op) && op.Op == "dial" || fault.ClassOf(err) == fault.TLS
	if s.EndpointCount() == 1 || !isUnreached || fault.ClassOf(err) == fault.LocalLimit {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.coolDown(e.index)
}

// coolDown begins the cooldown of an endpoint, or extends it. The caller holds s.mu.
func (s *Store) coolDown(endpoint int) {
	now := time.Now()
	if now.After(s.coolingDown[endpoint]) {
		s.generation.Add(1)
	}
	s.coolingDown[endpoint] = now.Add(balance.Cooldown)
	s.balancer.Demote(endpoint)
}
