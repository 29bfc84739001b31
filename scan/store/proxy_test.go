package store

import (
	"errors"
	"strings"
	"testing"
)

// A variable that is no URL of a proxy is refused where the endpoint is reached through a proxy, and its text, which
// may hold a password, is not repeated.
func TestProxyVariables(t *testing.T) {
	type env = map[string]string
	const bad = "http://me:secret#x@127.0.0.1:3128"
	for name, c := range map[string]struct {
		endpoint string
		env      env
		refused  string // the variable; empty: none is
	}{
		"none":                       {"http://s3.example", nil, ""},
		"a good one":                 {"http://s3.example", env{"HTTP_PROXY": "http://me:p%23@127.0.0.1:3128"}, ""},
		"without a scheme":           {"http://s3.example", env{"HTTP_PROXY": "127.0.0.1:3128"}, ""},
		"SOCKS":                      {"https://s3.example", env{"HTTPS_PROXY": "socks5://127.0.0.1:3128"}, ""},
		"a #":                        {"http://s3.example", env{"HTTP_PROXY": bad}, "HTTP_PROXY"},
		"a %":                        {"https://s3.example", env{"https_proxy": "http://me:secret%zz@h"}, "https_proxy"},
		"another scheme":             {"http://s3.example", env{"HTTP_PROXY": "ftp://secret@h"}, "HTTP_PROXY"},
		"a query":                    {"http://s3.example", env{"HTTP_PROXY": "http://h?secret"}, "HTTP_PROXY"},
		"AWS's endpoint":             {"", env{"HTTPS_PROXY": bad}, "HTTPS_PROXY"},
		"upper case goes first":      {"http://s3.example", env{"HTTP_PROXY": "http://h:1", "http_proxy": bad}, ""},
		"of another scheme":          {"http://s3.example", env{"HTTPS_PROXY": bad}, ""},
		"this machine":               {"http://127.0.0.1:9000", env{"HTTP_PROXY": bad}, ""},
		"NO_PROXY":                   {"http://s3.example", env{"HTTP_PROXY": bad, "NO_PROXY": "x, .Example"}, ""},
		"NO_PROXY of another name":   {"http://s3.example", env{"HTTP_PROXY": bad, "no_proxy": "3.example"}, "HTTP_PROXY"},
		"NO_PROXY of all":            {"http://s3.example", env{"HTTP_PROXY": bad, "no_proxy": "*"}, ""},
		"the configuration is wrong": {"http://u@s3.example", env{"HTTP_PROXY": bad}, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
				t.Setenv(variable, "")
			}
			var cfg Config
			if c.endpoint != "" {
				cfg.Endpoints = []string{c.endpoint}
			}
			_, err := configured(t, cfg, c.env)
			var wrong *ProxyVariableError
			switch {
			case c.refused == "-":
				if !errors.As(err, new(*EndpointURLError)) {
					t.Errorf("%v", err)
				}
			case c.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.refused != "":
				if !errors.As(err, &wrong) || wrong.Variable != c.refused || strings.Contains(err.Error(), "secret") {
					t.Errorf("%v, want %s", err, c.refused)
				}
			}
		})
	}
}
