package store

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"headcount/scan/fault"
)

// ProxyError is the answer of a proxy that refused to connect to the endpoint.
type ProxyError struct{ Status int }

func (e *ProxyError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the proxy answered CONNECT with %d %s", e.Status, http.StatusText(e.Status)))
}

// Failure implements the contract of fault.FailureOf.
func (e *ProxyError) Failure() fault.Failure {
	return fault.Failure{Class: fault.StatusClass(e.Status), Status: e.Status}
}

// checkProxyAnswer is the OnProxyConnectResponse of the transport. Without it, an error has only the text of the
// status. The Op is the one that net/http gives to its own errors of a proxy.
func checkProxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &ProxyError{answer.StatusCode}}
}

// ProxyVariableError is an environment variable that should name a proxy, and holds no URL. It does not repeat the
// value, which may hold a password.
type ProxyVariableError struct{ Variable string }

func (e *ProxyVariableError) Error() string {
	return "the value of " + e.Variable + " is not the URL of a proxy"
}

// Hint implements the contract of package exit.
func (e *ProxyVariableError) Hint() string {
	return "write " + e.Variable + "=http://[USER:PASSWORD@]HOST:PORT, with % and two hexadecimal digits " +
		"for each special character of the password; without a proxy unset it"
}

// proxyFromEnv returns the environment variable that names the proxy for an endpoint, as net/http reads it, and its
// value; both are empty where no variable is set. https://pkg.go.dev/net/http#ProxyFromEnvironment
func proxyFromEnv(scheme string) (name, value string) {
	for _, name := range []string{strings.ToUpper(scheme) + "_PROXY", scheme + "_proxy"} {
		if value := os.Getenv(name); value != "" {
			return name, value
		}
	}
	return "", ""
}

// checkProxy returns a *ProxyVariableError if an endpoint is to be reached through a proxy whose URL does not parse.
// net/http would ignore the variable, and send the requests without the proxy.
func checkProxy(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil // CheckEndpoint's error is better
	}
	name, value := proxyFromEnv(u.Scheme)
	if value == "" || isProxyURL(value) || reachedDirectly(u.Hostname()) {
		return nil
	}
	return &ProxyVariableError{name}
}

// isProxyURL reports whether a value names a proxy. As in net/http, http:// may be left out.
func isProxyURL(value string) bool {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return true
	}
	return false
}

// reachedDirectly reports whether net/http reaches a host without a proxy: a loopback address, or one that NO_PROXY
// names. It does not know ranges of addresses.
func reachedDirectly(host string) bool {
	if ip := net.ParseIP(host); host == "localhost" || ip.IsLoopback() {
		return true
	}
	list := os.Getenv("NO_PROXY")
	if list == "" {
		list = os.Getenv("no_proxy")
	}
	for name := range strings.SplitSeq(strings.ToLower(list), ",") {
		name = strings.TrimSpace(name)
		domain := strings.TrimLeft(name, "*.")
		if name == "*" || domain != "" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return true
		}
	}
	return false
}

// proxyOf returns the environment variable that names the proxy of an endpoint; empty: it has none.
func (s *Store) proxyOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || s.transport.Proxy == nil {
		return ""
	}
	if proxy, err := s.transport.Proxy(&http.Request{URL: u}); err != nil || proxy == nil {
		return ""
	}
	name, _ := proxyFromEnv(u.Scheme)
	return name
}
