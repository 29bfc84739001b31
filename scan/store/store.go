// Package store opens the bucket that a scan reads: a Store is one bucket behind one or more endpoints, with the
// credentials, the region and the addressing that the SDK's own configuration says, resolved once.
//
// A Store sends no requests by itself. LIST (package list) and the sdk engine (package head) ask it for an S3 client, and
// read the raw answers through WithRawResponse, because the SDK's deserializers lose what a scan must know (see there). The
// direct engine asks it for the Route that the client would take, for credentials, and for connections.
package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"headcount/scan/fault"
)

// Addressing says where the bucket's name goes in a request: into the path or before the host name.
type Addressing string

// The zero Addressing is AddressingAuto.
const (
	AddressingAuto    Addressing = "auto"    // path for custom endpoints, virtual for AWS
	AddressingPath    Addressing = "path"    // https://host/bucket/key
	AddressingVirtual Addressing = "virtual" // https://bucket.host/key
)

// regionDefault is used where no region is configured: custom endpoints rarely care, and AWS answers a request to
// the wrong region with the name of the right one (see SwitchRegion).
const regionDefault = "us-east-1"

// coolDownTime is how long an endpoint is left alone that could not be reached, or refused what others answered: about what it takes to fail
// over an address.
const coolDownTime = 30 * time.Second

// Config says which bucket to open and how to reach it. What is empty is taken from the environment and the files
// that the SDK reads: https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
type Config struct {
	Bucket       string     // a name, or the ARN of an access point
	Endpoints    []string   // URLs; several (a FlashBlade's data VIPs) share the load
	Profile      string     // of the shared configuration files
	Region       string     // empty: as configured, else us-east-1
	Anonymous    bool       // sign nothing
	RequestPayer bool       // the requester pays for the requests
	CABundle     string     // PEM file of the authorities to trust
	NoVerifyTLS  bool       // accept any certificate
	Addressing   Addressing // zero: auto
	Connections  int        // how many requests will be in flight at once
	Isolated     bool       // read nothing from the environment and the files

	// AccessKey and SecretKey are what requests are signed with where the Store is Isolated; empty: they are not signed.
	AccessKey, SecretKey string
}

// Store is one open bucket. All methods may be called concurrently.
type Store struct {
	cfg              Config
	aws              aws.Config
	dialer           *dialer
	transport        *http.Transport // shared by all endpoints: connections are kept per host
	newConnTransport *http.Transport // keeps no connection: see Fresh

	// generation counts the changes of what requests are made of: see Generation.
	generation atomic.Uint64
	accessKey  atomic.Pointer[string] // of the credentials that were asked for last
	skew       atomic.Int64           // nanoseconds by which the store's clock is ahead of ours

	mu          sync.RWMutex
	endpoints   []*endpoint
	coolingDown []time.Time // until when each of them is left alone
	switched    bool        // to another region, which a run does once

	balance   balance[int] // of the sessions, among the endpoints
	refusals  refusals
	addresses addressTable
}

// endpoint is one of the URLs by which the bucket is reached, in the region of the moment.
type endpoint struct {
	index  int // among the Store's
	client *s3.Client
	region string
	route  func() (*Route, error) // see Sender.Route
}

// Open resolves the configuration; it sends no request, though credentials may be looked up over the network when
// the first request is signed. Its errors are those of the configuration: a missing profile, a bad endpoint URL.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Bucket == "" {
		return nil, errors.New("no bucket is named")
	}
	awsConfig, err := loadConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if awsConfig.Region == "" {
		awsConfig.Region = regionDefault
	}
	s := &Store{cfg: cfg, aws: awsConfig, coolingDown: make([]time.Time, max(1, len(cfg.Endpoints)))}
	s.dialer = newDialer()
	s.transport = tunedTransport(awsConfig.HTTPClient, cfg, s.dialer)
	s.newConnTransport = s.transport.Clone()
	s.newConnTransport.DisableKeepAlives = true
	s.endpoints = s.newEndpoints()
	for _, e := range s.endpoints { // the environment names endpoints too
		if url := e.client.Options().BaseEndpoint; url != nil {
			if err := CheckEndpoint(*url); err != nil {
				return nil, err
			}
		}
	}
	if strings.ContainsAny(s.aws.Region, " /:.@?#") {
		return nil, fmt.Errorf("%q is not the name of a region", s.aws.Region)
	}
	return s, nil
}

func loadConfig(ctx context.Context, cfg Config) (aws.Config, error) {
	if cfg.Isolated {
		isolated := aws.Config{Region: cfg.Region, Credentials: aws.AnonymousCredentials{}, HTTPClient: awshttp.NewBuildableClient()}
		if cfg.AccessKey != "" {
			isolated.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: cfg.AccessKey, SecretAccessKey: cfg.SecretKey}, nil
			})
		}
		return isolated, nil
	}
	opts := []func(*config.LoadOptions) error{
		// A buildable client, since with any other the SDK refuses AWS_CA_BUNDLE.
		config.WithHTTPClient(awshttp.NewBuildableClient()),
	}
	if cfg.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(cfg.Profile))
	}
	if cfg.Region != "" {
		opts = append(opts, config.WithRegion(cfg.Region))
	}
	if cfg.Anonymous {
		opts = append(opts, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	if cfg.CABundle != "" {
		pem, err := os.Open(cfg.CABundle)
		if err != nil {
			return aws.Config{}, fmt.Errorf("CA bundle: %w", err)
		}
		defer pem.Close()
		opts = append(opts, config.WithCustomCABundle(pem))
	}
	awsConfig, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("AWS configuration: %w", err)
	}
	return awsConfig, nil
}

// newEndpoints are the configured endpoints, or the one of AWS, in the region of s.aws.
func (s *Store) newEndpoints() []*endpoint {
	urls := s.cfg.Endpoints
	if len(urls) == 0 {
		urls = []string{""}
	}
	endpoints := make([]*endpoint, len(urls))
	for i, url := range urls {
		client := s.newClient(url)
		endpoints[i] = &endpoint{
			index: i, client: client, region: s.aws.Region,
			route: sync.OnceValues(func() (*Route, error) { return s.findRoute(client) }),
		}
	}
	return endpoints
}

func (s *Store) newClient(url string) *s3.Client {
	return s3.NewFromConfig(s.aws, func(o *s3.Options) {
		if url != "" {
			o.BaseEndpoint = aws.String(strings.TrimRight(url, "/"))
		}
		o.UsePathStyle = s.pathStyle(o.BaseEndpoint != nil)
		o.HTTPClient = &http.Client{Transport: s.transport, CheckRedirect: noRedirect}
		// headcount retries by its own rules: the SDK's know only error codes, and a HEAD's answer has none. What
		// fetches credentials keeps the SDK's.
		o.Retryer, o.RetryMaxAttempts = aws.NopRetryer{}, 0
		// Never x-amz-checksum-mode: it asks for rights on the KMS key that a HEAD does not need.
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
}

func (s *Store) pathStyle(customEndpoint bool) bool {
	switch s.cfg.Addressing {
	case AddressingPath:
		return true
	case AddressingVirtual:
		return false
	default:
		return customEndpoint
	}
}

// noRedirect hands a redirect to the caller: following it would send a signature to a host it was not made for.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Bucket is the name that requests carry.
func (s *Store) Bucket() string { return s.cfg.Bucket }

// Sender is what one request is sent by, or all those on a connection.
type Sender struct {
	Client   *s3.Client
	Region   string // that it signs for
	endpoint *endpoint
}

// Sender is that of the n-th endpoint, counted round and round, or of the next one that does not rest.
func (s *Store) Sender(n int) Sender {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at := n % len(s.endpoints)
	for i := range s.endpoints {
		if next := (n + i) % len(s.endpoints); s.coolingDown[next].IsZero() || time.Now().After(s.coolingDown[next]) {
			at = next
			break
		}
	}
	return s.senderAt(at)
}

// senderAt is the Sender of an endpoint; s.mu is held.
func (s *Store) senderAt(at int) Sender {
	e := s.endpoints[at]
	return Sender{Client: e.client, Region: e.region, endpoint: e}
}

// IsCurrent says whether the Sender is still one to send by: it is of the present region, and does not rest, unless all do.
func (s *Store) IsCurrent(by Sender) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at := by.endpoint.index
	return s.endpoints[at] == by.endpoint && (time.Now().After(s.coolingDown[at]) || len(s.available(0)) == 0)
}

// EndpointURLs are the endpoints that were named, by a flag or in the SDK's own ways; none where the SDK knows the service.
func (s *Store) EndpointURLs() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var urls []string
	for _, e := range s.endpoints {
		if url := e.client.Options().BaseEndpoint; url != nil {
			urls = append(urls, *url)
		}
	}
	return urls
}

// EndpointCount is how many there are to choose from.
func (s *Store) EndpointCount() int { return len(s.coolingDown) }

// ObserveFailure is told why a request was not answered. An endpoint that cannot be reached rests, if there are others.
func (s *Store) ObserveFailure(by Sender, err error) {
	var dial *net.OpError
	unreached := errors.As(err, &dial) && dial.Op == "dial" || fault.ClassOf(err) == fault.TLS
	if len(s.coolingDown) == 1 || !unreached {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.coolDown(by.endpoint.index)
}

// coolDown leaves an endpoint alone for restTime; s.mu is held. Whoever sends to it learns of that by the revision.
func (s *Store) coolDown(at int) {
	now := time.Now()
	if now.After(s.coolingDown[at]) {
		s.generation.Add(1)
	}
	s.coolingDown[at] = now.Add(coolDownTime)
	s.balance.demote(at)
}

// WithNewConn makes one request go out on a connection that nothing was sent over before, and that nothing will be after.
func (s *Store) WithNewConn(o *s3.Options) {
	o.HTTPClient = &http.Client{Transport: s.newConnTransport, CheckRedirect: noRedirect}
}

// RequestPayer is what every request says about who pays, empty where the owner of the bucket does.
func (s *Store) RequestPayer() types.RequestPayer {
	if s.cfg.RequestPayer {
		return types.RequestPayerRequester
	}
	return ""
}

// Region is where requests are signed for.
func (s *Store) Region() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.aws.Region
}

// SwitchRegion signs for another region from now on: the one that an answer's x-amz-bucket-region names. It reports
// whether the request has reason to be sent again: true when its region was not this one. A Store switches once, so
// that two endpoints which name each other's region cannot keep a run going for ever.
func (s *Store) SwitchRegion(sentTo, region string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if region == "" || region == sentTo {
		return false
	}
	if s.switched || region == s.aws.Region {
		return region == s.aws.Region
	}
	s.switched = true
	s.aws.Region = region
	s.endpoints = s.newEndpoints()
	s.generation.Add(1)
	return true
}

// MaxAttempts is how often the user's configuration lets a request be tried (AWS_MAX_ATTEMPTS, max_attempts); 0 where
// it does not say.
func (s *Store) MaxAttempts() int { return s.aws.RetryMaxAttempts }

// Unordered says that the bucket lists its keys in no order, and cannot begin in the middle: the directory buckets of
// S3 Express. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (Directory buckets)
func (s *Store) Unordered() bool {
	return strings.HasSuffix(s.cfg.Bucket, "--x-s3") || strings.HasSuffix(s.cfg.Bucket, "--xa-s3")
}

// Close drops the idle connections.
func (s *Store) Close() {
	s.transport.CloseIdleConnections()
	s.newConnTransport.CloseIdleConnections()
}

// CheckEndpoint says what is wrong with the URL of an endpoint; nil: nothing.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a URL", endpoint)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("the endpoint %q does not begin with http:// or https://", endpoint)
	case u.Hostname() == "":
		return fmt.Errorf("the endpoint %q names no host", endpoint)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return fmt.Errorf("the endpoint %q has more than a host, a port and a path", endpoint)
	}
	return nil
}
