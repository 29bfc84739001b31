package store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func (s *Store) anonymous() bool { return s.provider == nil }

// Credentials returns the present credentials, which their provider renews before they expire; without keys if requests
// are not signed. It blocks only while the provider fetches or renews them. Its error is a *CredentialsError, or that
// of a context that was canceled.
func (s *Store) Credentials(ctx context.Context) (aws.Credentials, error) {
	if s.anonymous() {
		return aws.Credentials{}, nil
	}
	c, err := s.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, err
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
	if s.anonymous() || !s.provider.renew(ctx) {
		return false
	}
	s.generation.Add(1)
	return true
}
