package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// skewMin is how far the store's clock must be from the local clock before requests are signed by the store's clock. S3
// accepts a difference of 15 minutes. The Date of a response has whole seconds, and the response may have taken some.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList (RequestTimeTooSkewed)
const skewMin = time.Minute

func (s *Store) anonymous() bool {
	return s.cfg.Anonymous || aws.IsCredentialsProvider(s.aws.Credentials, aws.AnonymousCredentials{})
}

// Credentials returns the present credentials, which their provider renews before they expire; without keys if requests
// are not signed. It blocks only while the provider renews them.
func (s *Store) Credentials(ctx context.Context) (aws.Credentials, error) {
	if s.anonymous() {
		return aws.Credentials{}, nil
	}
	if s.aws.Credentials == nil {
		return aws.Credentials{}, errors.New("get credentials: none are configured")
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

// PollGeneration returns the Generation after a check whether the provider has renewed the credentials.
func (s *Store) PollGeneration(ctx context.Context) uint64 {
	// An error is no change of generation. The caller that signs the next request gets it.
	_, _ = s.Credentials(ctx)
	return s.Generation()
}

// RefreshCredentials makes the next request fetch new credentials from the provider. It reports false if the provider
// would return the same: the credentials are fixed, or there are none.
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

// ObserveDate updates the Skew from the Date of a response's header. It ignores a header without a valid Date.
func (s *Store) ObserveDate(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	skew, before := time.Until(date), s.Skew()
	if (skew-before).Abs() < skewMin && (before == 0 || skew.Abs() >= skewMin/2) {
		return // a skew of about skewMin must not change the generation with every response
	}
	if skew.Abs() < skewMin {
		skew = 0
	}
	s.skew.Store(int64(skew))
	s.generation.Add(1)
}

// Skew returns how far the store's clock is ahead of the local clock; 0 if the difference is too small to matter.
func (s *Store) Skew() time.Duration { return time.Duration(s.skew.Load()) }
