package hint

import (
	"errors"
	"net"
	"strings"

	"headcount/scan/fault"
)

// ForError returns what the user can do about a request without an answer, by the reason err.
func (r Request) ForError(err error) string {
	class, text := fault.ClassOf(err), r.forError(err)
	if isProxys(err) || class == fault.Credentials || class == fault.LocalLimit {
		return text
	}
	return r.withProxy(text)
}

// forError is ForError without regard to a proxy that works.
func (r Request) forError(err error) string {
	class := fault.ClassOf(err)
	switch {
	case isProxys(err):
		return r.proxyHint("the request went through the proxy of")
	case class == fault.LocalLimit:
		return fault.LocalLimitHint(err)
	case class == fault.Credentials:
		return forCredentials(err)
	case class == fault.TLS:
		return r.forTLS(err)
	case class == fault.Timeout:
		return r.forTimeout(err)
	case class == fault.DNS:
		return r.forDNS()
	case r.ClientCertificate && class.ConnClosed():
		return clientCertificateHint
	case class.ConnClosed() && strings.HasPrefix(r.Endpoint, "https://"):
		return "the endpoint closes the connection: does its port speak TLS 1.2 or 1.3, or plain http://?"
	case class.ConnClosed():
		return "the endpoint closes the connection: does it speak https:// or http://?"
	case strings.Contains(err.Error(), `malformed HTTP response "\x00\x00`): // a SETTINGS frame
		return "the endpoint speaks HTTP/2 alone, and headcount HTTP/1.1: is there another port? --endpoint-url URL"
	case class == fault.Malformed:
		return "is this the port of an S3 API? --endpoint-url URL"
	}
	return endpointHint
}

// isProxys reports whether the connection to a proxy failed. net/http and the Store give such errors this Op.
func isProxys(err error) bool {
	for op := (*net.OpError)(nil); errors.As(err, &op); err = op.Err {
		if op.Op == "proxyconnect" || op.Op == "socks connect" {
			return true
		}
	}
	return false
}

func (r Request) forTimeout(err error) string {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return endpointHint
	case strings.Contains(err.Error(), "TLS handshake timeout"):
		return "the endpoint finishes no TLS handshake: is it overloaded, or is the port for another protocol?"
	case r.Timeout > 0:
		return "--timeout DURATION gives each request more time than " + r.Timeout.String()
	}
	return "--timeout DURATION gives each request more time"
}

func (r Request) forDNS() string {
	endpoint, ok := r.withoutBucket()
	switch {
	case ok:
		return alreadyNamed(endpoint)
	case r.Endpoint == "" && r.Region != "":
		return "is the region right (" + r.Region + "), and can this machine reach AWS? " +
			"for another store: --endpoint-url URL"
	case r.VirtualHosted && r.Endpoint != "":
		return pathHint
	}
	return endpointHint
}
