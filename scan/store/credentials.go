package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

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
