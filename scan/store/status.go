package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Transient says whether an answer with this status is the store's passing trouble, so that the same request may
// well succeed later. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList; 509 and
// 520 to 529 are what gateways and CDNs before a store say.
func Transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 509:
		return true
	}
	return status >= 520 && status <= 529
}

// Throttled says whether the store asks for fewer requests.
func Throttled(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// FailureClass names why there is no answer, in one word for statistics and error files: what the error itself says by
// a method FailureClass() string, or else canceled, timeout, refused, reset, closed, dns, tls, header_too_large, malformed, credentials, configuration or
// connection.
func FailureClass(err error) string {
	var (
		dns   *net.DNSError
		named interface {
			error
			FailureClass() string
		}
	)
	switch {
	case errors.As(err, &named):
		return named.FailureClass()
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.As(err, &dns):
		return "dns"
	case isTLS(err):
		return "tls"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED),
		errors.Is(err, wsaConnReset), errors.Is(err, wsaConnAborted):
		return "reset"
	}
	// net/http and the SDK have no types for these.
	text := err.Error()
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return "header_too_large"
	case strings.Contains(text, "malformed"), strings.Contains(text, "invalid header"):
		return "malformed"
	case strings.Contains(text, "get identity"), strings.Contains(text, "get credentials"),
		strings.Contains(text, "static credentials are empty"):
		return "credentials"
	case strings.Contains(text, "resolve endpoint"), strings.Contains(text, "resolve auth scheme"),
		strings.Contains(text, "invalid input region"), strings.Contains(text, "validation error"):
		return "configuration"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "server closed"):
		return "closed"
	case strings.Contains(text, "timeout"):
		return "timeout"
	}
	return "connection"
}

// What Windows says of a connection that the other side has closed: the names in syscall are not its numbers.
// https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2
const (
	wsaConnAborted = syscall.Errno(10053)
	wsaConnReset   = syscall.Errno(10054)
)

func isTLS(err error) bool {
	var (
		record    tls.RecordHeaderError
		verify    *tls.CertificateVerificationError
		alert     tls.AlertError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
	)
	return errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &host) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// retryAfterMax bounds what a Retry-After may ask for: a store that says an hour, or 2099, is asked again before.
const retryAfterMax = 2 * time.Minute

// RetryAfter reads a Retry-After header, in seconds or as a date: 0 where it says nothing, at most 2 min.
// https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
func RetryAfter(header string) time.Duration {
	if header == "" {
		return 0
	}
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), int(retryAfterMax.Seconds()))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(0, time.Until(at)), retryAfterMax)
	}
	return 0
}

// Plain is err without the names of the SDK's layers around it, which tell a user nothing.
func Plain(err error) error {
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	var send *smithyhttp.RequestSendError
	if errors.As(err, &send) {
		err = send.Err
	}
	var canceled *smithy.CanceledError
	if errors.As(err, &canceled) {
		err = canceled.Err
	}
	var request *url.Error // which repeats the whole URL
	if errors.As(err, &request) {
		err = request.Err
	}
	return err
}
