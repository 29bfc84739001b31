// Package hint says what a user can do about a request that failed, by its cause.
//
// It is the one place for hints that depend on what a store, a proxy or the network did. The errors of other packages
// ask it in their method Hint. The hints about a wrong command line are beside its flags.
//
//   - Request: what a hint may name of the request, such as its endpoint.
//   - Answer: an answer that is an error.
//   - Request.ForAnswer and Request.ForError: the hint, which is empty where nothing is known.
package hint

import (
	"net/url"
	"strings"
	"time"
)

// Request is what a hint may name of a request that failed. The zero Request is one of which nothing is known.
type Request struct {
	Endpoint      string // URL, without secrets; empty: AWS's
	Bucket        string
	Region        string // that it was signed for
	VirtualHosted bool   // the bucket is in the host name
	Timeout       time.Duration

	// Proxy is the environment variable that names the proxy through which the request went; empty: no proxy.
	Proxy string

	// ClientCertificate is set where the endpoint asked for a client certificate.
	ClientCertificate bool
}

const (
	endpointHint = "is the endpoint right, and can this machine reach it? --endpoint-url URL"
	pathHint     = "a store that does not know the bucket as part of its host name needs --addressing path"
	virtualHint  = "the store wants the bucket in its host name: --addressing virtual"
)

// origin returns scheme://host[:port] of a URL, and ok where it has both.
func origin(text string) (origin string, u *url.URL, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Hostname() == "" {
		return "", nil, false
	}
	return u.Scheme + "://" + u.Host, u, true
}

// speaksHTTP reports whether the endpoint is reached by plain HTTP.
func (r Request) speaksHTTP() bool { return strings.HasPrefix(r.Endpoint, "http://") }

// withoutBucket returns the URL of an endpoint that already names the bucket without it; ok is false where the endpoint
// does not name the bucket.
func (r Request) withoutBucket() (endpoint string, ok bool) {
	base, u, ok := origin(r.Endpoint)
	if !ok || r.Bucket == "" {
		return "", false
	}
	if host, found := strings.CutPrefix(u.Host, r.Bucket+"."); found {
		return u.Scheme + "://" + host + strings.TrimRight(u.Path, "/"), true
	}
	if path, found := strings.CutSuffix(strings.TrimRight(u.Path, "/"), "/"+r.Bucket); found {
		return base + path, true
	}
	return "", false
}

// withScheme returns the endpoint's URL with another scheme.
func (r Request) withScheme(scheme string) string {
	_, rest, found := strings.Cut(r.Endpoint, "://")
	if !found {
		return scheme + "://HOST"
	}
	return scheme + "://" + rest
}

// withProxy adds to a hint that the answer, or the failure, may be that of a proxy, where there is one.
func (r Request) withProxy(text string) string {
	if r.Proxy == "" || text == "" {
		return text
	}
	return text + "; the request went through the proxy of " + r.Proxy
}

// proxyHint says which variable names the proxy, and how to do without.
func (r Request) proxyHint(what string) string {
	variable := r.Proxy
	if variable == "" {
		variable = "HTTPS_PROXY or HTTP_PROXY"
	}
	return what + " " + variable + "; NO_PROXY names the hosts that are reached without it"
}
