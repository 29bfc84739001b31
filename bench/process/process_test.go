package process

import (
	"errors"
	"strings"
	"testing"
)

func TestParseStoreURL(t *testing.T) {
	for flags, want := range map[string]string{
		"--no-sign-request --endpoint-url http://127.0.0.1:9 s3://demo\n": "http://127.0.0.1:9",
		"--endpoint-url": "",
		"":               "",
	} {
		if got, err := parseStoreURL(flags); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", flags, got, err)
		}
	}
}

// The variables that configure AWS are left out; all others stay.
func TestIsolatedEnv(t *testing.T) {
	isolated := IsolatedEnv([]string{"HOME=/home/alice", "AWS_PROFILE=alice", "AWS_ACCESS_KEY_ID=hers",
		"AWS_CA_BUNDLE=/ca.pem", "PATH=/bin"})
	values := map[string]string{}
	for _, pair := range isolated {
		name, value, _ := strings.Cut(pair, "=")
		if _, twice := values[name]; twice {
			t.Errorf("%s is set twice", name)
		}
		values[name] = value
	}
	for name, want := range map[string]string{
		"HOME": "/home/alice", "PATH": "/bin", "AWS_PROFILE": "", "AWS_CA_BUNDLE": "",
		"AWS_ACCESS_KEY_ID": AccessKey, "AWS_SECRET_ACCESS_KEY": SecretKey, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		if values[name] != want {
			t.Errorf("%s=%s", name, values[name])
		}
	}
}

func TestError(t *testing.T) {
	for stderr, want := range map[string]string{
		"": "p: x",
		"Traceback:\n  line\nValueError: towel\n\n": "p: x: ValueError: towel",
		"warning\nlast\n":              "p: x: last",
		"error: first\nhint: second\n": "p: x: error: first",
	} {
		if got := Error("p", errors.New("x"), []byte(stderr)).Error(); got != want {
			t.Errorf("%q: %q", stderr, got)
		}
	}
}
