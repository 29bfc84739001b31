// Package store opens the bucket that a scan reads.
//
//   - Store: one bucket behind one or more endpoints, with the credentials, the region and the addressing of the SDK's
//     own configuration, resolved once.
//   - Endpoint: one URL of the bucket, with an S3 client for it.
//   - Route: the host, the path and the signing scope of plain requests to an Endpoint, for requests without the SDK.
//   - Address: one Endpoint at one IP address, for statistics and for the balance of connections (package balance).
//   - Generation: a number that changes when requests must be built anew, or sent elsewhere.
//
// A Store sends no requests of its own. LIST (package list) and the sdk engine (package head) use its S3 clients, and
// read raw responses through WithRawResponse, because the SDK's deserializers lose data that a scan needs. The direct
// engine uses its Route, credentials and connections.
package store

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"headcount/scan/store/balance"
)

// Store is one open bucket. All methods may be called concurrently.
type Store struct {
	cfg              Config
	aws              aws.Config
	maxAttempts      int
	provider         *provider // of the credentials; nil: requests are not signed
	dialer           *balance.Dialer
	transport        *http.Transport // of all endpoints: it keeps connections by host
	newConnTransport *http.Transport // keeps no connection: see WithNewConn

	generation atomic.Uint64
	accessKey  atomic.Pointer[string] // of the latest credentials
	skew       atomic.Int64           // nanoseconds by which the store's clock is ahead of ours

	clientCertificate atomic.Bool // an endpoint asked for one: see watchClientCertificate

	mu          sync.RWMutex
	endpoints   []*Endpoint
	coolingDown []time.Time // the end of the cooldown of each endpoint
	switched    bool        // to another region, which happens at most once

	balancer  balance.Balancer[int]       // of the sessions, by index of the endpoint
	refusals  balance.RefusalTracker[int] // by index of the endpoint
	addresses addressTable
	reuse     reuseTable
}

// Open resolves the configuration. It sends no request to the store, though the SDK may fetch credentials over the
// network when it signs the first request. Its errors are those of the configuration: a missing profile, an invalid
// URL.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Bucket == "" {
		return nil, errors.New("no bucket is named")
	}
	loader := newLoader(cfg)
	awsConfig, err := loader.load(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Addressing = loader.addressing()
	awsConfig.Region = cmp.Or(strings.TrimSpace(awsConfig.Region), regionDefault)
	if err := checkRegion(awsConfig.Region); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, aws: awsConfig, maxAttempts: loader.maxAttempts, dialer: balance.NewDialer()}
	if !aws.IsCredentialsProvider(awsConfig.Credentials, aws.AnonymousCredentials{}) {
		s.provider = newProvider(awsConfig.Credentials, loader.files, loader.provider())
		s.aws.Credentials = s.provider
	}
	s.coolingDown = make([]time.Time, max(1, len(cfg.Endpoints)))
	s.reuse.distrusted = make([]atomic.Bool, len(s.coolingDown))
	s.transport = tunedTransport(awsConfig.HTTPClient, cfg, s.dialer)
	s.watchClientCertificate()
	s.newConnTransport = s.transport.Clone()
	s.newConnTransport.DisableKeepAlives = true
	s.endpoints = s.newEndpoints(s.aws.Region)
	for _, url := range s.EndpointURLs() { // the environment names endpoints too
		if err := CheckEndpoint(url); err != nil {
			return nil, err
		}
	}
	if !cfg.Isolated {
		if err := checkVariants(s.endpoints[0].Client); err != nil {
			return nil, err
		}
		for _, e := range s.endpoints {
			if err := checkProxy(e.displayURL()); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// Bucket returns the bucket's name, as requests carry it.
func (s *Store) Bucket() string { return s.cfg.Bucket }

// RequestPayer returns the value of x-amz-request-payer for every request; empty: the owner of the bucket pays.
func (s *Store) RequestPayer() types.RequestPayer {
	if s.cfg.RequestPayer {
		return types.RequestPayerRequester
	}
	return ""
}

// MaxAttempts returns how often the user's configuration allows a request to be tried (AWS_MAX_ATTEMPTS, max_attempts);
// 0: the configuration does not say.
func (s *Store) MaxAttempts() int { return s.maxAttempts }

// Unordered reports whether the bucket lists its keys in no order and ignores StartAfter, as the directory buckets of
// S3 Express do. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (Directory buckets)
func (s *Store) Unordered() bool {
	return strings.HasSuffix(s.cfg.Bucket, "--x-s3") || strings.HasSuffix(s.cfg.Bucket, "--xa-s3")
}

// Generation returns a number that changes when requests must be built anew or sent elsewhere: the credentials were
// renewed, the region was switched, the store's clock has another skew, an endpoint began its cooldown, or its
// connections are not to be reused any more. It costs one atomic load.
func (s *Store) Generation() uint64 { return s.generation.Load() }

// Close closes the idle connections of the S3 clients. Connections that Dial returned belong to the caller.
func (s *Store) Close() {
	s.transport.CloseIdleConnections()
	s.newConnTransport.CloseIdleConnections()
}
