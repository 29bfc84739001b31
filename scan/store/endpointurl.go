package store

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// EndpointURLError is a text that a flag, the environment or a file gives as an endpoint, and that is not one.
type EndpointURLError struct {
	URL  string // by RedactURL
	What string // is wrong with it
}

func (e *EndpointURLError) Error() string {
	return "the endpoint " + strconv.Quote(e.URL) + " " + e.What
}

// Hint implements the contract of package exit.
func (e *EndpointURLError) Hint() string {
	return "write https://HOST[:PORT]; keys belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a --profile"
}

// CheckEndpoint returns an *EndpointURLError if endpoint is not the URL of an endpoint; nil: it is one. A URL with a
// user or a query is refused: S3 signs each request instead, and an endpoint is printed and written to files.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	what := ""
	switch {
	case err != nil:
		what = "is not a URL" + parseReason(err)
	case u.Scheme != "http" && u.Scheme != "https":
		what = "does not begin with http:// or https://"
	case u.Hostname() == "":
		what = "names no host"
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		what = "has a user, a query or a fragment beside host, port and path"
	default:
		return nil
	}
	return &EndpointURLError{URL: RedactURL(endpoint), What: what}
}

// parseReason returns the reason of url.Parse where it repeats nothing of the URL.
func parseReason(err error) string {
	var parse *url.Error
	if errors.As(err, &parse) && !strings.ContainsAny(parse.Err.Error(), `"%`) {
		return ": " + strings.TrimPrefix(parse.Err.Error(), "net/url: ")
	}
	return ""
}

// hidden stands for a part of a URL that may hold a secret.
const hidden = "…"

// RedactURL returns a URL for messages and files, without the parts that may hold a secret: the user and the password,
// the query and the fragment. It works on the text, so that it hides them in a URL that does not parse too. A URL that
// has nothing to hide is returned as it is.
func RedactURL(text string) string {
	scheme, rest := "", text
	if before, after, found := strings.Cut(text, "://"); found && isScheme(before) {
		scheme, rest = before+"://", after
	}
	at, width := strings.LastIndexByte(rest, '@'), 1
	if escaped := strings.LastIndex(rest, "%40"); escaped > at {
		at, width = escaped, 3
	}
	if at >= 0 {
		// A ? or # before the @ may belong to a password, and the @ to a query: nothing is sure to be the host.
		if strings.ContainsAny(rest[:at], "?#") {
			return scheme + hidden
		}
		rest = rest[at+width:]
	}
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	return scheme + hidePort(rest)
}

// hidePort hides a port that is not a number: it may be the password of a URL whose host is missing.
func hidePort(rest string) string {
	authority, path, hasPath := strings.Cut(rest, "/")
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 || strings.HasSuffix(authority, "]") { // an IPv6 address
		return rest
	}
	if strings.Trim(authority[colon+1:], "0123456789") == "" {
		return rest
	}
	if authority = authority[:colon+1] + hidden; hasPath {
		authority += "/" + path
	}
	return authority
}

// isScheme reports whether text can be the scheme of a URL. https://www.rfc-editor.org/rfc/rfc3986#section-3.1
func isScheme(text string) bool {
	return text != "" && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}
