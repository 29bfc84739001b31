package fault

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func TestFailure(t *testing.T) {
	for _, c := range []struct {
		failure                          Failure
		class                            Class
		isTransient, isSlowDown, refused bool
	}{
		{answer(503, ""), Throttled, true, true, false},
		{answer(429, ""), Throttled, true, true, false},
		{answer(503, "SlowDown"), "SlowDown", true, true, false},
		{answer(200, "SlowDown"), "SlowDown", true, false, false},
		{answer(200, "InternalError"), "InternalError", true, false, false},
		{answer(400, "RequestTimeout"), "RequestTimeout", true, false, false},
		{answer(400, "RequestTimeoutException"), "RequestTimeoutException", true, false, false},
		{answer(400, "Throttling"), "Throttling", true, false, false},
		{answer(400, "TooManyRequests"), "TooManyRequests", true, false, false},
		{answer(400, "RequestLimitExceeded"), "RequestLimitExceeded", true, false, false},
		{answer(400, "ServiceUnavailable"), "ServiceUnavailable", true, false, false},
		{answer(500, ""), ServerError, true, false, false},
		{answer(500, "AccessDenied"), "AccessDenied", true, false, false},
		{answer(501, ""), ServerError, true, false, false},
		{answer(501, "NotImplemented"), "NotImplemented", true, false, false},
		{answer(499, ""), UnexpectedStatus, true, false, false},
		{answer(507, ""), ServerError, true, false, false},
		{answer(599, ""), ServerError, true, false, false},
		{answer(408, ""), Timeout, true, false, false},
		{answer(403, ""), Forbidden, false, false, true},
		{answer(403, "AccessDenied"), "AccessDenied", false, false, true},
		{answer(404, ""), UnexpectedStatus, false, false, true},
		{answer(400, "ExpiredToken"), ExpiredToken, false, false, true},
		{answer(403, "RequestTimeTooSkewed"), ClockSkew, false, false, true},
		{answer(301, ""), Redirect, false, false, true},
		{Failure{Class: ServerError, Status: 500, RetryAfter: time.Second}, ServerError, true, true, false},
		{Failure{Class: Forbidden, Status: 403, RetryAfter: time.Second}, Forbidden, false, false, true},
		{unanswered(Timeout), Timeout, true, false, false},
		{unanswered(ConnRefused), ConnRefused, true, true, false},
		{unanswered(Malformed), Malformed, true, false, false},
		{unanswered(WrongDocument), WrongDocument, true, false, false},
		{unanswered(ProtocolViolation), ProtocolViolation, false, false, false},
		{unanswered(Credentials), Credentials, false, false, false},
		{unanswered(HeaderTooLarge), HeaderTooLarge, false, false, false},
	} {
		f := c.failure
		if f.Class != c.class || f.Transient() != c.isTransient || f.SlowDown() != c.isSlowDown {
			t.Errorf("%+v: transient %v, slow down %v, want %s", f, f.Transient(), f.SlowDown(), c.class)
		}
		err := fmt.Errorf("LIST: %w", &describedError{f})
		if got := FailureOf(err); got != f {
			t.Errorf("%+v became %+v", f, got)
		}
		if got := IsRefused(err); got != c.refused {
			t.Errorf("%+v: refused %v", f, got)
		}
	}
	if got := FailureOf(context.DeadlineExceeded); got != unanswered(Timeout) {
		t.Errorf("%+v", got)
	}
	if IsRefused(nil) {
		t.Error("no error is a refusal")
	}
}

type describedError struct{ failure Failure }

func (e *describedError) Error() string    { return "described" }
func (e *describedError) Failure() Failure { return e.failure }
