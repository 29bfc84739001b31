package store

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// skewMin is how far the store's clock must be from ours before requests are signed by the store's. S3 accepts 15
// minutes; the Date of an answer has whole seconds, and may have been on its way for some.
const skewMin = time.Minute

// Generation changes whenever what requests are made of, or where they go, may have changed before its time: the credentials were
// renewed, the region was switched, the store's clock turned out to be another, an endpoint rests. It costs an atomic load.
func (s *Store) Generation() uint64 { return s.generation.Load() }

func (s *Store) anonymous() bool {
	return s.cfg.Anonymous || aws.IsCredentialsProvider(s.aws.Credentials, aws.AnonymousCredentials{})
}

// Credentials are those of the moment, renewed by their provider before they expire; without keys where requests are
// not signed. It takes no time but when they are renewed.
func (s *Store) Credentials(ctx context.Context) (aws.Credentials, error) {
	if s.anonymous() {
		return aws.Credentials{}, nil
	}
	if s.aws.Credentials == nil {
		return aws.Credentials{}, fmt.Errorf("get credentials: none are configured")
	}
	c, err := s.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("get credentials: %w", err)
	}
	if before := s.accessKey.Swap(&c.AccessKeyID); before != nil && *before != c.AccessKeyID {
		s.generation.Add(1)
	}
	return c, nil
}

// PollGeneration is the Generation, after a look whether the provider has renewed the credentials by itself.
func (s *Store) PollGeneration(ctx context.Context) uint64 {
	_, _ = s.Credentials(ctx) // without any, nothing is renewed, and whoever signs is told why
	return s.Generation()
}

// RefreshCredentials makes the next request ask the provider again. It reports false where that cannot help: the
// credentials are fixed, or there are none.
func (s *Store) RefreshCredentials(ctx context.Context) bool {
	cache, ok := s.aws.Credentials.(*aws.CredentialsCache)
	if !ok {
		return false
	}
	before, err := cache.Retrieve(ctx)
	if err != nil || !before.CanExpire {
		return false
	}
	cache.Invalidate()
	s.generation.Add(1)
	return true
}

// ObserveDate is told the header of an answer to a LIST. Its Date says how far the store's clock is from ours.
func (s *Store) ObserveDate(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	skew, before := time.Until(date), s.Skew()
	if (skew-before).Abs() < skewMin && (before == 0 || skew.Abs() >= skewMin/2) {
		return // so that a clock about a minute away does not change it with every answer
	}
	if skew.Abs() < skewMin {
		skew = 0
	}
	s.skew.Store(int64(skew))
	s.generation.Add(1)
}

// Skew is what the store's clock is ahead of ours, 0 where that is too little to matter.
func (s *Store) Skew() time.Duration { return time.Duration(s.skew.Load()) }
