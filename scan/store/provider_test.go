package store

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
		p := newProvider(fixed(c), new(loader))
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
			Source: "ProcessProvider"}, "the session token from ProcessProvider"},
		{aws.Credentials{AccessKeyID: "\n", SecretAccessKey: "zzz", Source: "EnvConfigCredentials"},
			"the keys from the environment are empty"},
	} {
		_, err := newProvider(fixed(c.credentials), new(loader)).Retrieve(t.Context())
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
	_, err = s.Endpoint(0).Client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
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
			if text := err.Error(); !strings.HasPrefix(text, "get credentials: "+c.reason) || strings.Contains(text, "hidden") {
				t.Error(text)
			}
			if !strings.Contains(failed.Hint(), c.hint) {
				t.Error(failed.Hint())
			}
		})
	}
}
