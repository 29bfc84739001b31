package store

import (
	"cmp"
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

// FetchCredentials fetches the credentials, so that a run without any ends before it has changed a file. Its error is a
// *CredentialsError, or the cause of ctx's end.
func (s *Store) FetchCredentials(ctx context.Context) error {
	if _, err := s.Credentials(ctx); err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	return nil
}

// PollGeneration returns the Generation after a check whether the provider has renewed the credentials.
func (s *Store) PollGeneration(ctx context.Context) uint64 {
	// An error is no change of generation. The caller that signs the next request gets it.
	_, _ = s.Credentials(ctx)
	return s.Generation()
}

// RefreshCredentials makes the next request use other credentials than those that the store has refused. It reports
// false if there are no others: they are fixed, and nobody has changed them where they are configured.
func (s *Store) RefreshCredentials(ctx context.Context) bool {
	if s.anonymous() || !s.provider.renew(ctx) {
		return false
	}
	s.generation.Add(1)
	return true
}
