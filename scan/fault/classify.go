package fault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

// classed is an error that knows its Class.
type classed interface {
	error
	FaultClass() Class
}

// ClassOf returns the Class of the error of a request that has no usable answer. If err has a method FaultClass()
// Class, ClassOf returns the result of the method. Otherwise it knows the types of errors and, where an error has no
// type of its own, the texts. err must not be nil.
func ClassOf(err error) Class {
	var (
		dns   *net.DNSError
		named classed
	)
	switch {
	case errors.As(err, &named):
		return named.FaultClass()
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	case localLimitOf(err) != nil: // before DNS, whose sockets meet the same limits
		return LocalLimit
	case errors.As(err, &dns):
		return DNS
	case isTLS(err):
		return TLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return ConnRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED),
		errors.Is(err, wsaConnReset), errors.Is(err, wsaConnAborted):
		return Reset
	}
	return classOfText(err)
}

// classOfText classifies errors of net/http and the SDK that have no types.
func classOfText(err error) Class {
	text := err.Error()
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return HeaderTooLarge
	case strings.Contains(text, "malformed"), strings.Contains(text, "invalid header"):
		return Malformed
	case strings.Contains(text, "get identity"), strings.Contains(text, "get credentials"),
		strings.Contains(text, "static credentials are empty"):
		return Credentials
	case strings.Contains(text, "resolve endpoint"), strings.Contains(text, "resolve auth scheme"),
		strings.Contains(text, "invalid input region"), strings.Contains(text, "validation error"):
		return Configuration
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "server closed"):
		return Closed
	case strings.Contains(text, "timeout"):
		return Timeout
	}
	return Connection
}

// Errors of Windows for a connection that the other side closed: the constants in syscall have other numbers there.
// https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2
const (
	wsaConnAborted = syscall.Errno(10053)
	wsaConnReset   = syscall.Errno(10054)
)

// isTLS reports whether no TLS connection could be made, or a TLS connection was broken by other bytes than those of
// TLS. Many errors of crypto/tls have no type: the alerts of the other side, and certificates that cannot be parsed.
func isTLS(err error) bool {
	var (
		record    tls.RecordHeaderError
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
	)
	if errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "tls: ") || strings.Contains(text, "x509: ") ||
		strings.Contains(text, "server gave HTTP response to HTTPS client") ||
		strings.Contains(text, tlsAlertAsHTTP)
}

// tlsAlertAsHTTP is in the error of net/http for an endpoint that answers plain HTTP with an alert of TLS.
const tlsAlertAsHTTP = `malformed HTTP response "\x15\x03`

// StatusClass returns the Class of an answer whose HTTP status is the failure.
func StatusClass(status int) Class {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Forbidden
	case status == http.StatusBadRequest:
		return BadRequest
	case ThrottledStatus(status):
		return Throttled
	case status == http.StatusRequestTimeout:
		return Timeout
	case status >= 300 && status < 400:
		return Redirect
	case status >= 500:
		return ServerError
	}
	return UnexpectedStatus
}

// AnswerClass returns the Class of an answer that is an error: the error code of S3 or, where the code is empty, the
// Class of the HTTP status.
func AnswerClass(status int, code string) Class {
	if code != "" {
		return Class(code)
	}
	return StatusClass(status)
}

// statusClientClosed is the status with which nginx, and stores behind it, answer a request whose connection to the
// store was cut. https://github.com/graphql-hive/console/issues/971
const statusClientClosed = 499

// TransientStatus reports whether the same request may succeed later, after an answer with this HTTP status. A new
// transient status is added here and nowhere else. Every 5xx is one: R2 answers some HEADs with 501, and the gateways
// and CDNs in front of a store use 507, 509, 520 to 530 and 598 to 599 for a backend that they cannot reach.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
// https://github.com/neiliro/neiliro/issues/290
func TransientStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, statusClientClosed:
		return true
	}
	return status >= 500 && status <= 599
}

// UnsupportedStatus reports whether an answer with this transient HTTP status usually means that the server cannot do
// what was asked for. Such a request is sent fewer times.
func UnsupportedStatus(status int) bool {
	return status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported
}

// ThrottledStatus reports whether the store asks for fewer requests by this HTTP status.
func ThrottledStatus(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}
