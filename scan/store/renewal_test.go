package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Credentials that the provider renews by itself are another revision, once they are seen; a provider that fails is
// none.
func TestRenewalChangesGeneration(t *testing.T) {
	s, err := configured(t, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, fails := "first", error(nil)
	s.aws.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: key, SecretAccessKey: "s", CanExpire: true, Expires: time.Now().Add(time.Hour)}, fails
	})
	began := s.Generation()
	for _, step := range []struct {
		key     string
		fails   error
		changes uint64 // since the beginning
	}{{"first", nil, 0}, {"first", nil, 0}, {"second", nil, 1}, {"second", errors.New("no"), 1}, {"second", nil, 1}, {"third", nil, 2}} {
		key, fails = step.key, step.fails
		if changes := s.PollGeneration(t.Context()) - began; changes != step.changes {
			t.Errorf("%+v: %d", step, changes)
		}
	}
}
