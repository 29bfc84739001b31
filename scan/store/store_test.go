package store

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// configured opens a Store in an environment that has nothing but what env says.
func configured(t *testing.T, cfg Config, env map[string]string) (*Store, error) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name) // Setenv restores it
		}
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range env {
		t.Setenv(name, value)
	}
	if cfg.Bucket == "" {
		cfg.Bucket = "b"
	}
	s, err := Open(t.Context(), cfg)
	if err == nil {
		t.Cleanup(s.Close)
	}
	return s, err
}

func TestRegionAndAddressing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[profile audit]\nregion = ap-south-1\nmax_attempts = 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		cfg    Config
		env    map[string]string
		region string
		path   bool
	}{
		"nothing":                {Config{}, nil, "us-east-1", false},
		"flag":                   {Config{Region: "eu-west-1"}, map[string]string{"AWS_REGION": "us-west-2"}, "eu-west-1", false},
		"environment":            {Config{}, map[string]string{"AWS_REGION": "us-west-2"}, "us-west-2", false},
		"profile":                {Config{Profile: "audit"}, map[string]string{"AWS_CONFIG_FILE": file}, "ap-south-1", false},
		"endpoint":               {Config{Endpoints: []string{"http://h:1"}}, nil, "us-east-1", true},
		"endpoint, virtual":      {Config{Endpoints: []string{"http://h:1"}, Addressing: AddressingVirtual}, nil, "us-east-1", false},
		"AWS, path":              {Config{Addressing: AddressingPath}, nil, "us-east-1", true},
		"AWS_ENDPOINT_URL":       {Config{}, map[string]string{"AWS_ENDPOINT_URL": "http://h"}, "us-east-1", true},
		"AWS_ENDPOINT_URL_S3":    {Config{}, map[string]string{"AWS_ENDPOINT_URL_S3": "http://h", "AWS_REGION": "r"}, "r", true},
		"isolated from nonsense": {Config{Isolated: true, Endpoints: []string{"http://h"}}, map[string]string{"AWS_PROFILE": "nobody"}, "us-east-1", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, err := configured(t, c.cfg, c.env)
			if err != nil {
				t.Fatal(err)
			}
			sender := s.Endpoint(0)
			if o := sender.Client.Options(); o.UsePathStyle != c.path || o.Region != c.region || sender.Region != c.region || s.Region() != c.region {
				t.Errorf("path style %v, region %q (%q)", o.UsePathStyle, o.Region, sender.Region)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cfg Config
		env map[string]string
	}{
		"a profile that is not there": {Config{Profile: "nobody"}, nil},
		"a bundle that is not there":  {Config{CABundle: filepath.Join(t.TempDir(), "none")}, nil},
		"a bundle that is none":       {Config{CABundle: junk}, nil},
		"an endpoint that is none":    {Config{}, map[string]string{"AWS_ENDPOINT_URL_S3": "127.0.0.1:9000"}},
		"a region that is none":       {Config{}, map[string]string{"AWS_REGION": "not a region"}},
	} {
		if _, err := configured(t, c.cfg, c.env); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestEnvironmentIsHonoured(t *testing.T) {
	s, err := configured(t, Config{}, map[string]string{"AWS_MAX_ATTEMPTS": "7", "AWS_CA_BUNDLE": bundle(t)})
	if err != nil {
		t.Fatal(err)
	}
	if s.MaxAttempts() != 7 {
		t.Errorf("AWS_MAX_ATTEMPTS is %d", s.MaxAttempts())
	}
	if s.transport.TLSClientConfig == nil || s.transport.TLSClientConfig.RootCAs == nil {
		t.Error("AWS_CA_BUNDLE is not used")
	}
}

// bundle writes the certificate of some authority.
func bundle(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, []byte(testAuthority), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSwitchRegionOnce(t *testing.T) {
	s, err := configured(t, Config{Region: "a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		sentTo, named string
		again         bool
		region        string
	}{
		{"a", "", false, "a"},
		{"a", "a", false, "a"},
		{"a", "b", true, "b"}, // switched
		{"a", "b", true, "b"}, // sent before the switch
		{"b", "b", false, "b"},
		{"b", "c", false, "b"}, // once is enough
		{"a", "c", false, "b"},
	} {
		if again := s.SwitchRegion(step.sentTo, step.named); again != step.again || s.Region() != step.region {
			t.Errorf("step %d: again %v, region %q", i, again, s.Region())
		}
	}
}

func TestEndpointsTakeTurnsAndRest(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://h0/", "http://h1", "http://h2"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	turns := func() (got string) {
		for n := range 4 {
			got += strings.TrimPrefix(*s.Endpoint(n).Client.Options().BaseEndpoint, "http://") + " "
		}
		return got
	}
	refused := fmt.Errorf("x: %w", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	if got := turns(); got != "h0 h1 h2 h0 " {
		t.Errorf("turns %s", got)
	}
	s.ObserveFailure(s.Endpoint(0), &net.OpError{Op: "read", Err: syscall.ECONNRESET}) // it was reached
	s.ObserveFailure(s.Endpoint(1), refused)
	if got := turns(); got != "h0 h2 h2 h0 " {
		t.Errorf("turns while h1 rests: %s", got)
	}
	s.ObserveFailure(s.Endpoint(0), refused)
	s.ObserveFailure(s.Endpoint(2), refused)
	if got := turns(); got != "h0 h1 h2 h0 " {
		t.Errorf("turns while all rest: %s", got)
	}
}

func TestFixedCredentialsCannotBeRefreshed(t *testing.T) {
	s, err := configured(t, Config{}, map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"})
	if err != nil {
		t.Fatal(err)
	}
	if s.RefreshCredentials(t.Context()) {
		t.Error("refreshed")
	}
}

func TestCheckEndpoint(t *testing.T) {
	for _, good := range []string{"http://h", "https://h:9000/", "http://[::1]:9000", "https://h/path"} {
		if err := CheckEndpoint(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "h", "h:9000", "ftp://h", "http://", "http://u:p@h", "http://h/?q", "http://h/#f", "http://h:port", "://"} {
		if err := CheckEndpoint(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
