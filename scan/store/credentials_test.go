package store

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"headcount/scan/fault"
)

// heard tells a Store a Date that is so far ahead of ours.
func heard(s *Store, ahead time.Duration) {
	s.ObserveDate(http.Header{"Date": {time.Now().Add(ahead).UTC().Format(http.TimeFormat)}})
}

// The store's clock counts from a minute on, and what requests are made of changes only when it does.
func TestSkew(t *testing.T) {
	s, err := configured(t, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		ahead   time.Duration
		want    time.Duration
		changes bool
	}{
		{0, 0, false},
		{30 * time.Second, 0, false},
		{-59 * time.Second, 0, false},
		{time.Hour, time.Hour, true},
		{time.Hour, time.Hour, false},
		{time.Hour + 30*time.Second, time.Hour, false}, // the answer was on its way
		{time.Hour + 2*time.Minute, time.Hour + 2*time.Minute, true},
		{-5 * time.Hour, -5 * time.Hour, true},
		{10 * time.Second, 0, true}, // set right
		{0, 0, false},
		{90 * time.Second, 90 * time.Second, true},
		{50 * time.Second, 90 * time.Second, false}, // so that one of a minute does not come and go
		{20 * time.Second, 0, true},
	} {
		before := s.Generation()
		heard(s, step.ahead)
		// The Date has whole seconds, and one may pass meanwhile.
		if off := (s.Skew() - step.want).Abs(); off > 2*time.Second || step.want == 0 && off != 0 {
			t.Errorf("step %d: %v, want %v", i, s.Skew(), step.want)
		}
		if changes := s.Generation() != before; changes != step.changes {
			t.Errorf("step %d: the revision changes: %v", i, changes)
		}
	}
	before, skew := s.Generation(), s.Skew()
	for _, date := range []string{"", "yesterday", "Sun, 99 Nov 2026 11:03:50 GMT"} {
		s.ObserveDate(http.Header{"Date": {date}})
	}
	s.ObserveDate(nil)
	if s.Generation() != before || s.Skew() != skew {
		t.Error("a Date that is none was believed")
	}
}

// provider hands out credentials, each time others.
type provider struct {
	calls   int
	expires bool
	err     error
}

func (p *provider) Retrieve(context.Context) (aws.Credentials, error) {
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
		want string // the access key; "error": there are none
	}{
		"from the environment":  {Config{}, signed(), "AK"},
		"anonymous":             {Config{Anonymous: true}, signed(), ""},
		"isolated":              {Config{Isolated: true}, signed(), ""},
		"none to be had at all": {Config{}, nil, "error"},
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
			case c.want != "error" && (err != nil || got.AccessKeyID != c.want || (got.SecretAccessKey == "") != (c.want == "")):
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// Credentials that a provider renews are asked for once, until they are to be renewed.
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
	p := &provider{expires: true}
	s.aws.Credentials = aws.NewCredentialsCache(p)
	first := token()
	if token() != first || p.calls != 1 {
		t.Errorf("the provider was asked %d times", p.calls)
	}
	before := s.Generation()
	if !s.RefreshCredentials(t.Context()) || s.Generation() == before {
		t.Error("not renewed, or nobody is told")
	}
	if token() == first || p.calls != 2 {
		t.Errorf("still the old ones, after %d calls", p.calls)
	}

	p.expires = false // fixed ones
	s.RefreshCredentials(t.Context())
	token()
	before = s.Generation()
	if s.RefreshCredentials(t.Context()) || s.Generation() != before {
		t.Error("fixed credentials were renewed")
	}

	s.aws.Credentials = aws.NewCredentialsCache(&provider{err: errors.New("the role is gone")})
	if s.RefreshCredentials(t.Context()) {
		t.Error("credentials were renewed that cannot be had")
	}
	if _, err := s.Credentials(t.Context()); err == nil || fault.ClassOf(err) != fault.Credentials {
		t.Errorf("%v", err)
	}
	s.aws.Credentials = nil
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
