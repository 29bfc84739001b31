package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"headcount/scan/fault"
)

// fakeProvider returns other credentials each time.
type fakeProvider struct {
	calls   int
	expires bool
	err     error
}

func (p *fakeProvider) Retrieve(context.Context) (aws.Credentials, error) {
	p.calls++
	return aws.Credentials{
		AccessKeyID: "AK", SecretAccessKey: "secret", SessionToken: time.Duration(p.calls).String(),
		CanExpire: p.expires, Expires: time.Now().Add(time.Hour),
	}, p.err
}

func TestCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		env  map[string]string
		want string // access key; "error": there are no credentials
	}{
		"from the environment": {Config{}, signed(), "AK"},
		"anonymous":            {Config{Anonymous: true}, signed(), ""},
		"isolated":             {Config{Isolated: true}, signed(), ""},
		"none configured":      {Config{}, nil, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := configured(t, c.cfg, c.env)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Credentials(t.Context())
			switch {
			case c.want == "error" && (err == nil || fault.ClassOf(err) != fault.Credentials):
				t.Errorf("%+v, %v", got, err)
			case c.want == "error":
			case err != nil || got.AccessKeyID != c.want || (got.SecretAccessKey == "") != (c.want == ""):
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// The provider is asked once, and again after RefreshCredentials.
func TestRefreshCredentials(t *testing.T) {
	s, err := configured(t, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token := func() string {
		t.Helper()
		c, err := s.Credentials(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c.SessionToken
	}
	p := &fakeProvider{expires: true}
	load := func(context.Context) (aws.CredentialsProvider, error) { return aws.NewCredentialsCache(p), nil }
	s.provider = newProvider(aws.NewCredentialsCache(p), awsFiles{}, load)
	first := token()
	if token() != first || p.calls != 1 {
		t.Errorf("the provider was asked %d times", p.calls)
	}
	before := s.Generation()
	if !s.RefreshCredentials(t.Context()) || s.Generation() == before {
		t.Error("not renewed, or in the same generation")
	}
	if token() == first || p.calls != 2 {
		t.Errorf("the same credentials after %d calls", p.calls)
	}

	fixed := aws.Credentials{AccessKeyID: "AK", SecretAccessKey: "secret", SessionToken: "fixed"}
	load = func(context.Context) (aws.CredentialsProvider, error) {
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return fixed, nil }), nil
	}
	source, _ := load(t.Context())
	s.provider = newProvider(source, awsFiles{}, load)
	token()
	before = s.Generation()
	if s.RefreshCredentials(t.Context()) || s.Generation() != before {
		t.Error("fixed credentials were renewed")
	}

	s.provider = newProvider(
		aws.NewCredentialsCache(&fakeProvider{err: errors.New("the role is gone")}),
		awsFiles{},
		nil,
	)
	if _, err := s.Credentials(t.Context()); err == nil || fault.ClassOf(err) != fault.Credentials {
		t.Errorf("%v", err)
	}
	for name, cfg := range map[string]Config{"anonymous": {Anonymous: true}, "isolated": {Isolated: true}} {
		s, err := configured(t, cfg, signed())
		if err != nil {
			t.Fatal(err)
		}
		if s.RefreshCredentials(t.Context()) {
			t.Errorf("%s: renewed", name)
		}
	}
}

func TestFixedCredentialsCannotBeRefreshed(t *testing.T) {
	s, err := configured(t, Config{}, signed("AWS_SESSION_TOKEN", "token"))
	if err != nil {
		t.Fatal(err)
	}
	if s.RefreshCredentials(t.Context()) {
		t.Error("refreshed")
	}
}

// Credentials that the provider renewed begin another generation as soon as they are seen. An error of the provider
// does not.
func TestRenewalChangesGeneration(t *testing.T) {
	synctest.Test(t, testRenewalChangesGeneration)
}

func testRenewalChangesGeneration(t *testing.T) {
	s, err := configured(t, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, failure := "first", error(nil)
	s.provider = newProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		expires := time.Now().Add(time.Hour)
		return aws.Credentials{AccessKeyID: key, SecretAccessKey: "s", CanExpire: true, Expires: expires}, failure
	}), awsFiles{}, nil)
	start := s.Generation()
	for _, step := range []struct {
		key     string
		failure error
		changes uint64 // since the start
	}{
		{"first", nil, 0}, {"first", nil, 0},
		{"second", nil, 1}, {"second", errors.New("no"), 1}, {"second", nil, 1},
		{"third", nil, 2},
	} {
		key, failure = step.key, step.failure
		time.Sleep(fetchEvery)
		if changes := s.PollGeneration(t.Context()) - start; changes != step.changes {
			t.Errorf("%+v: %d", step, changes)
		}
	}
}
