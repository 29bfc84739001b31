package fault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// namedError knows its Class.
type namedError struct{ class Class }

func (e *namedError) Error() string     { return "timeout" } // which is not what it is
func (e *namedError) FaultClass() Class { return e.class }

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Class
	}{
		{&namedError{Malformed}, Malformed},
		{fmt.Errorf("x: %w", &namedError{LossyKey}), LossyKey},
		{fmt.Errorf("x: %w", context.Canceled), Canceled},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), Timeout},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, Timeout},
		{errors.New("net/http: TLS handshake timeout"), Timeout},
		{&net.DNSError{Err: "no such host"}, DNS},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}}, DNS},
		{tls.RecordHeaderError{Msg: "first record"}, TLS},
		{&tls.CertificateVerificationError{Err: io.EOF}, TLS},
		{tls.AlertError(42), TLS},
		{x509.UnknownAuthorityError{}, TLS},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, TLS},
		{errors.New("http: server gave HTTP response to HTTPS client"), TLS},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, ConnRefused},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, LocalLimit},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.ENFILE)}, LocalLimit},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)}, LocalLimit},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.ENOBUFS)}, LocalLimit},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.ENOMEM)}, LocalLimit},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connectex", syscall.Errno(10055))}, LocalLimit},
		{&net.DNSError{Err: "dial udp 9.9.9.9:53: socket: too many open files", Name: "h"}, LocalLimit},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, Reset},
		{&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, Reset},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNABORTED)}, Reset},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("wsarecv", syscall.Errno(10053))}, Reset},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("wsarecv", syscall.Errno(10054))}, Reset},
		{errors.New("net/http: server response headers exceeded 65536 bytes; aborted"), HeaderTooLarge},
		{errors.New(`malformed HTTP status code "what"`), Malformed},
		{errors.New("net/http: invalid header field value"), Malformed},
		{errors.New("get identity: failed"), Credentials},
		{errors.New("get credentials: failed"), Credentials},
		{errors.New("static credentials are empty"), Credentials},
		{errors.New("resolve endpoint: none"), Configuration},
		{errors.New("resolve auth scheme: none"), Configuration},
		{errors.New("invalid input region ?"), Configuration},
		{errors.New("3 validation error(s) found"), Configuration},
		{fmt.Errorf("x: %w", io.EOF), Closed},
		{fmt.Errorf("x: %w", io.ErrUnexpectedEOF), Closed},
		{errors.New("http: server closed idle connection"), Closed},
		{errors.New("something else"), Connection},
	} {
		if got := ClassOf(c.err); got != c.want {
			t.Errorf("%v is %s, want %s", c.err, got, c.want)
		}
	}
}

// Each class says by its methods how a request that failed so is treated.
func TestClassMethods(t *testing.T) {
	for _, c := range []struct {
		class                            Class
		transient, unreached, connClosed bool
	}{
		{"", false, false, false},
		{Canceled, true, false, false},
		{LocalLimit, true, false, false},
		{Timeout, true, false, false},
		{ConnRefused, true, true, false},
		{Reset, true, true, true},
		{Closed, true, true, true},
		{DNS, true, true, false},
		{TLS, true, true, false},
		{HeaderTooLarge, false, false, false},
		{Malformed, true, false, false},
		{Credentials, false, false, false},
		{Configuration, false, false, false},
		{Connection, true, true, false},
		{Forbidden, false, false, false},
		{BadRequest, false, false, false},
		{Throttled, true, false, false},
		{Redirect, false, false, false},
		{ServerError, false, false, false}, // its statuses are
		{WrongDocument, true, false, false},
		{ProtocolViolation, false, false, false},
		{ClockSkew, false, false, false},
		{ExpiredToken, false, false, false},
		{"SlowDown", true, false, false},
		{UnexpectedStatus, false, false, false},
		{LossyKey, false, false, false},
		{"NoSuchBucket", false, false, false},
	} {
		if got := c.class.Transient(); got != c.transient {
			t.Errorf("%s: transient %v", c.class, got)
		}
		if got := c.class.Unreached(); got != c.unreached {
			t.Errorf("%s: unreached %v", c.class, got)
		}
		if got := c.class.ConnClosed(); got != c.connClosed {
			t.Errorf("%s: closed %v", c.class, got)
		}
	}
}

func TestStatusClass(t *testing.T) {
	for _, c := range []struct {
		status               int
		class                Class
		transient, throttled bool
	}{
		{204, UnexpectedStatus, false, false},
		{301, Redirect, false, false},
		{307, Redirect, false, false},
		{400, BadRequest, false, false},
		{401, Forbidden, false, false},
		{403, Forbidden, false, false},
		{404, UnexpectedStatus, false, false},
		{405, UnexpectedStatus, false, false},
		{408, Timeout, true, false},
		{412, UnexpectedStatus, false, false},
		{425, UnexpectedStatus, true, false},
		{429, Throttled, true, true},
		{499, UnexpectedStatus, true, false},
		{500, ServerError, true, false},
		{501, ServerError, true, false},
		{502, ServerError, true, false},
		{503, Throttled, true, true},
		{504, ServerError, true, false},
		{505, ServerError, true, false},
		{507, ServerError, true, false},
		{509, ServerError, true, false},
		{519, ServerError, true, false},
		{520, ServerError, true, false},
		{524, ServerError, true, false},
		{529, ServerError, true, false},
		{530, ServerError, true, false},
		{598, ServerError, true, false},
		{599, ServerError, true, false},
		{600, ServerError, false, false},
		{999, ServerError, false, false},
	} {
		if got := StatusClass(c.status); got != c.class {
			t.Errorf("%d is %s, want %s", c.status, got, c.class)
		}
		if got := TransientStatus(c.status); got != c.transient {
			t.Errorf("%d: transient %v", c.status, got)
		}
		if got := ThrottledStatus(c.status); got != c.throttled {
			t.Errorf("%d: throttled %v", c.status, got)
		}
		if c.class.Transient() && !c.transient {
			t.Errorf("%d is not transient, and its class %s is", c.status, c.class)
		}
	}
}

func TestStripSDK(t *testing.T) {
	cause := errors.New("cause")
	unsent := &smithyhttp.RequestSendError{
		Err: &smithy.CanceledError{Err: &url.Error{Op: "Head", URL: "http://h/b/k", Err: cause}},
	}
	wrapped := &smithy.OperationError{
		ServiceID: "S3", OperationName: "HeadObject",
		Err: fmt.Errorf("exceeded maximum number of attempts, 1, %w", unsent),
	}
	if got := StripSDK(wrapped); got != cause {
		t.Errorf("got %v, want %v", got, cause)
	}
	if got := StripSDK(cause); got != cause {
		t.Errorf("got %v, want %v", got, cause)
	}
}

// Every limit of this machine has a hint of its own. Other failures have none.
func TestLocalLimitHint(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, "ulimit -n"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.ENFILE)}, "the machine has too many open files"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)}, "no free port"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.ENOBUFS)}, "no memory"},
	} {
		if got := LocalLimitHint(fmt.Errorf("x: %w", c.err)); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q in it", c.err, got, c.want)
		}
	}
	for _, err := range []error{nil, io.EOF, syscall.ECONNREFUSED} {
		if got := LocalLimitHint(err); got != "" {
			t.Errorf("%v: %q", err, got)
		}
	}
}
