package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configured opens a Store in an environment that has no AWS variables but those of env, and no configuration files.
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
	const profile = "[profile audit]\nregion = ap-south-1\nmax_attempts = 4\n"
	if err := os.WriteFile(file, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	type env = map[string]string
	endpoint := []string{"http://h:1"}
	for name, c := range map[string]struct {
		cfg       Config
		env       env
		region    string
		pathStyle bool
	}{
		"no configuration":    {Config{}, nil, "us-east-1", false},
		"flag":                {Config{Region: "eu-west-1"}, env{"AWS_REGION": "us-west-2"}, "eu-west-1", false},
		"line end":            {Config{}, env{"AWS_REGION": " us-west-2\n"}, "us-west-2", false},
		"environment":         {Config{}, env{"AWS_REGION": "us-west-2"}, "us-west-2", false},
		"profile":             {Config{Profile: "audit"}, env{"AWS_CONFIG_FILE": file}, "ap-south-1", false},
		"endpoint":            {Config{Endpoints: endpoint}, nil, "us-east-1", true},
		"endpoint, virtual":   {Config{Endpoints: endpoint, Addressing: AddressingVirtual}, nil, "us-east-1", false},
		"AWS, path":           {Config{Addressing: AddressingPath}, nil, "us-east-1", true},
		"AWS_ENDPOINT_URL":    {Config{}, env{"AWS_ENDPOINT_URL": "http://h"}, "us-east-1", true},
		"AWS_ENDPOINT_URL_S3": {Config{}, env{"AWS_ENDPOINT_URL_S3": "http://h", "AWS_REGION": "r"}, "r", true},
		"isolated":            {Config{Isolated: true, Endpoints: endpoint}, env{"AWS_PROFILE": "nobody"}, "us-east-1", true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := configured(t, c.cfg, c.env)
			if err != nil {
				t.Fatal(err)
			}
			e := s.Endpoint(0)
			if o := e.Client.Options(); o.UsePathStyle != c.pathStyle || o.Region != c.region {
				t.Errorf("the client: path style %v, region %q", o.UsePathStyle, o.Region)
			}
			if e.Region != c.region || s.Region() != c.region {
				t.Errorf("regions %q and %q, want %q", e.Region, s.Region(), c.region)
			}
		})
	}
}

func TestOpenRejects(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cfg Config
		env map[string]string
	}{
		"a missing profile":     {Config{Profile: "nobody"}, nil},
		"a missing CA bundle":   {Config{CABundle: filepath.Join(t.TempDir(), "none")}, nil},
		"an invalid CA bundle":  {Config{CABundle: junk}, nil},
		"an invalid endpoint":   {Config{}, map[string]string{"AWS_ENDPOINT_URL_S3": "127.0.0.1:9000"}},
		"a region of two lines": {Config{}, map[string]string{"AWS_REGION": "r\nx"}},
		"an invalid region":     {Config{}, map[string]string{"AWS_REGION": "not a region"}},
	} {
		if s, err := configured(t, c.cfg, c.env); err == nil || s != nil {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	if s, err := Open(t.Context(), Config{Isolated: true}); err == nil || s != nil {
		t.Errorf("no bucket: %v, %v", s, err)
	}
}

func TestEnvironmentVariables(t *testing.T) {
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

// bundle writes the certificate of an authority to a file and returns its name.
func bundle(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, []byte(testAuthority), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// write writes a file with this text and returns its name.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
