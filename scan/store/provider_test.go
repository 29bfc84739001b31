package store

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/fault"
)

// Blanks and line ends around keys are no part of them.
func TestKeysAreTrimmed(t *testing.T) {
	want := aws.Credentials{AccessKeyID: "AK", SecretAccessKey: "se cret", SessionToken: "token"}
	for _, c := range []aws.Credentials{
		{AccessKeyID: "AK\n", SecretAccessKey: "se cret\r\n", SessionToken: "token\n"},
		{AccessKeyID: " AK\t", SecretAccessKey: "\n\nse cret ", SessionToken: "\u00a0token\u2028"},
		{AccessKeyID: "\ufeffAK", SecretAccessKey: "se cret", SessionToken: "token"},
		want,
	} {
		p := newProvider(fixed(c), awsFiles{}, nil)
		if got, err := p.Retrieve(t.Context()); err != nil || got != want {
			t.Errorf("%+v became %+v, %v", c, got, err)
		}
	}
}

func fixed(c aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
}

// A control character inside a key is refused by name, and the error has no part of a key.
func TestControlCharactersInKeys(t *testing.T) {
	for _, c := range []struct {
		credentials aws.Credentials
		name        string
	}{
		{aws.Credentials{AccessKeyID: "zzz\nzzz", SecretAccessKey: "zzz", Source: "EnvConfigCredentials"},
			"AWS_ACCESS_KEY_ID"},
		{aws.Credentials{AccessKeyID: "zzz", SecretAccessKey: "zzz\x00zzz", Source: "EnvConfigCredentials"},
			"AWS_SECRET_ACCESS_KEY"},
		{aws.Credentials{AccessKeyID: "zzz", SecretAccessKey: "zzz", SessionToken: "zzz\r\nzzz: x",
			Source: "EnvConfigCredentials"}, "AWS_SESSION_TOKEN"},
		{aws.Credentials{AccessKeyID: "zzz\x7fzzz", SecretAccessKey: "zzz",
			Source: "SharedConfigCredentials: /home/me/.aws/credentials"},
			"aws_access_key_id in /home/me/.aws/credentials"},
		{aws.Credentials{AccessKeyID: "zzz", SecretAccessKey: "zzz", SessionToken: "zzz\u0085zzz",
			Source: "ProcessProvider"}, "the session token from credential_process"},
		{aws.Credentials{AccessKeyID: "\n", SecretAccessKey: "zzz", Source: "EnvConfigCredentials"},
			"the keys from the environment are empty"},
	} {
		_, err := newProvider(fixed(c.credentials), awsFiles{}, nil).Retrieve(t.Context())
		var failed *CredentialsError
		if !errors.As(err, &failed) || fault.ClassOf(err) != fault.Credentials {
			t.Errorf("%+v: %v", c.credentials, err)
			continue
		}
		if text := failed.Error() + failed.Hint(); !strings.Contains(text, c.name) || strings.Contains(text, "zzz") {
			t.Errorf("%+v: %s", c.credentials, text)
		}
	}
}

// A key with a line end inside is refused before anything is sent.
func TestBrokenKeysAreNotSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request") }))
	defer server.Close()
	s, err := configured(t, Config{Endpoints: []string{server.URL}},
		map[string]string{"AWS_ACCESS_KEY_ID": "A\nK", "AWS_SECRET_ACCESS_KEY": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	input := &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}
	_, err = s.Endpoint(0).Client.HeadObject(t.Context(), input)
	if text := fault.StripSDK(err).Error(); !strings.HasPrefix(text, "get credentials: AWS_ACCESS_KEY_ID ") {
		t.Error(text)
	}
}

// refusedPort returns an address on which nobody listens.
func refusedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// A provider that cannot be reached is named as such. It is no failure of the endpoint, which begins no cooldown.
func TestProviderOutOfReach(t *testing.T) {
	address := refusedPort(t)
	for name, c := range map[string]struct {
		env          map[string]string
		reason, hint string
	}{
		"metadata service": {map[string]string{
			"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://" + address,
			"AWS_SHARED_CREDENTIALS_FILE": write(t, ""), "AWS_CONFIG_FILE": write(t, ""),
		}, "none are configured, and the EC2 metadata service: " + address + ": dial tcp", "AWS_EC2_METADATA_DISABLED"},
		"container": {map[string]string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://" + address + "/hidden?hidden",
		}, "the container's credentials endpoint: " + address + ": dial tcp", "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
		"role": {map[string]string{
			"AWS_ENDPOINT_URL_STS": "http://" + address, "AWS_PROFILE": "role",
			"AWS_CONFIG_FILE": write(t, "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"+
				"[profile base]\naws_access_key_id = A\naws_secret_access_key = hidden\n"),
		}, "AWS STS: " + address + ": dial tcp", "the profile role?"},
		"web identity": {map[string]string{
			"AWS_ENDPOINT_URL_STS": "http://" + address, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
			"AWS_WEB_IDENTITY_TOKEN_FILE": write(t, "hidden"),
		}, "AWS STS by web identity: " + address + ": dial tcp", "AWS_WEB_IDENTITY_TOKEN_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			c.env["AWS_MAX_ATTEMPTS"] = "1" // of the SDK
			s, err := configured(t, Config{Endpoints: []string{"http://127.0.0.1:1", "http://127.0.0.1:2"}}, c.env)
			if err != nil {
				t.Fatal(err)
			}
			endpoint := s.Endpoint(0)
			_, err = endpoint.Client.HeadObject(t.Context(),
				&s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
			s.ObserveFailure(endpoint, err)
			if !s.IsCurrent(endpoint) {
				t.Error("the endpoint is in cooldown")
			}
			var failed *CredentialsError
			if err = fault.StripSDK(err); !errors.As(err, &failed) || fault.ClassOf(err) != fault.Credentials {
				t.Fatalf("%s: %v", fault.ClassOf(err), err)
			}
			if text := err.Error(); !strings.HasPrefix(text, "get credentials: "+c.reason) ||
				strings.Contains(text, "hidden") {
				t.Error(text)
			}
			if !strings.Contains(failed.Hint(), c.hint) {
				t.Error(failed.Hint())
			}
		})
	}
}

// Fixed keys that the store has refused are read again. Only others of the same origin are taken.
func TestRereadKeys(t *testing.T) {
	keysOf := func(profile, accessKey string) string {
		return "[" + profile + "]\naws_access_key_id = " + accessKey + "\naws_secret_access_key = secret\n"
	}
	for name, c := range map[string]struct {
		before, after string // in the credentials file
		env           map[string]string
		want          string // access key
		isRenewed     bool
	}{
		"others":           {keysOf("default", "OLD"), keysOf("default", "NEW"), nil, "NEW", true},
		"another token":    {keysOf("default", "AK"), keysOf("default", "AK") + "aws_session_token = t\n", nil, "AK", true},
		"the same":         {keysOf("default", "OLD"), keysOf("default", "OLD"), nil, "OLD", false},
		"an empty file":    {keysOf("default", "OLD"), "", nil, "OLD", false},
		"half a file":      {keysOf("default", "OLD"), "[default]\naws_access_key_id = NEW\n", nil, "OLD", false},
		"another profile":  {keysOf("default", "OLD"), keysOf("other", "NEW"), nil, "OLD", false},
		"of a named one":   {keysOf("p", "OLD"), keysOf("p", "NEW"), map[string]string{"AWS_PROFILE": "p"}, "NEW", true},
		"the environment":  {keysOf("default", "OLD"), keysOf("default", "NEW"), signed(), "AK", false},
		"without a signer": {keysOf("default", "OLD"), keysOf("default", "NEW"), nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				env := map[string]string{"AWS_SHARED_CREDENTIALS_FILE": write(t, c.before)}
				maps.Copy(env, c.env)
				s := openWith(t, Config{Anonymous: c.want == ""}, env)
				accessKey(t, s)
				before := s.Generation()
				if err := os.WriteFile(env["AWS_SHARED_CREDENTIALS_FILE"], []byte(c.after), 0o600); err != nil {
					t.Fatal(err)
				}
				if renewed := s.RefreshCredentials(t.Context()); renewed != c.isRenewed {
					t.Errorf("renewed: %v", renewed)
				}
				if isOther := s.Generation() != before; isOther != c.isRenewed {
					t.Errorf("another generation: %v", isOther)
				}
				if got := accessKey(t, s); got != c.want {
					t.Errorf("signed by %q", got)
				}
				// A request that was signed with the former keys may be answered later.
				if renewed := s.RefreshCredentials(t.Context()); renewed != c.isRenewed {
					t.Errorf("renewed again: %v", renewed)
				}
				time.Sleep(2 * time.Minute)
				if s.RefreshCredentials(t.Context()) {
					t.Error("renewed after the grace")
				}
			})
		})
	}
}

// openWith opens a Store as configured does.
func openWith(t *testing.T, cfg Config, env map[string]string) *Store {
	t.Helper()
	s, err := configured(t, cfg, env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func accessKey(t *testing.T, s *Store) string {
	t.Helper()
	c, err := s.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.AccessKeyID
}

// A file that is being written is read once more.
func TestRereadUnfinishedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rest = "aws_secret_access_key = secret\n"
		name := write(t, "[default]\naws_access_key_id = OLD\n"+rest)
		s := openWith(t, Config{}, map[string]string{"AWS_SHARED_CREDENTIALS_FILE": name})
		accessKey(t, s)
		for delay, text := range map[time.Duration]string{
			0: "", rereadDelay / 2: "[default]\naws_access_key_id = NEW\n" + rest,
		} {
			time.AfterFunc(delay, func() {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(1 * time.Nanosecond)
		if !s.RefreshCredentials(t.Context()) || accessKey(t, s) != "NEW" {
			t.Errorf("signed by %q", accessKey(t, s))
		}
	})
}

// A process without an expiration is run again, once for each refusal.
func TestRereadProcess(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // the process is a script of a shell
	}
	calls := write(t, "")
	output := write(t, `{"Version":1,"AccessKeyId":"OLD","SecretAccessKey":"secret"}`)
	s := openWith(t, Config{},
		inConfig(t, "[default]\ncredential_process = echo >> "+calls+"; cat "+output+"\n"))
	if accessKey(t, s) != "OLD" || s.RefreshCredentials(t.Context()) {
		t.Error("the same keys were renewed")
	}
	if err := os.WriteFile(output, []byte(`{"Version":1,"AccessKeyId":"NEW","SecretAccessKey":"s"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if !s.RefreshCredentials(t.Context()) || accessKey(t, s) != "NEW" {
		t.Errorf("signed by %q", accessKey(t, s))
	}
	if text, err := os.ReadFile(calls); err != nil || len(text) != 3 {
		t.Errorf("%d calls, %v", len(text), err)
	}
}

// The sdk engine retrieves the credentials for each HEAD.
func TestRetrieveAllocatesNothing(t *testing.T) {
	s := openWith(t, Config{}, signed("AWS_SESSION_TOKEN", strings.Repeat("token", 100)))
	accessKey(t, s)
	if n := testing.AllocsPerRun(100, func() { _, _ = s.provider.Retrieve(t.Context()) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Workers that want credentials while the provider fails do not ask it all the time.
func TestFetchesOfAFailingProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := &fakeProvider{err: errors.New("zzz")}
		p := newProvider(failing, awsFiles{}, nil)
		for range 100 {
			if _, err := p.Retrieve(t.Context()); err == nil || strings.Contains(err.Error(), "zzz") {
				t.Fatal(err)
			}
		}
		if failing.calls != 1 {
			t.Errorf("%d fetches at once", failing.calls)
		}
		time.Sleep(fetchEvery)
		failing.err = nil
		if _, err := p.Retrieve(t.Context()); err != nil || failing.calls != 2 {
			t.Errorf("%v after %d fetches", err, failing.calls)
		}
	})
}

// A caller that does not wait for a fetch learns nothing about it.
func TestCanceledFetch(t *testing.T) {
	p := newProvider(aws.NewCredentialsCache(&fakeProvider{}), awsFiles{}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.source.Store(new(aws.CredentialsProvider(canceledProvider{})))
	if _, err := p.Retrieve(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if p.failure.Load() != nil {
		t.Error("it counts as a failure")
	}
}

type canceledProvider struct{}

func (canceledProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, ctx.Err()
}
