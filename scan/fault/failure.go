package fault

import (
	"errors"
	"time"
)

// Failure is a request that failed, as a Policy sees it.
type Failure struct {
	Class      Class
	Status     int           // HTTP status of the answer; 0: there was none
	RetryAfter time.Duration // the delay that the answer asks for; 0: none
	Final      bool          // the same request will get the same answer, whatever the Class

	// Unconnected is set if no connection was had for the request. Where others are answered, there are too many
	// connections: fewer help, and a lower rate does not.
	Unconnected bool
}

// FailureOf returns the Failure of a request's error. If err has a method Failure() Failure, FailureOf returns the
// result of the method, and otherwise a Failure without an answer, with the Class of err. err must not be nil.
func FailureOf(err error) Failure {
	var described interface {
		error
		Failure() Failure
	}
	if errors.As(err, &described) {
		return described.Failure()
	}
	return Failure{Class: ClassOf(err)}
}

// UnusableError is the error of an answer that cannot be used and will come again: it has a field that no client may
// accept.
type UnusableError struct{ What string }

func (e *UnusableError) Error() string { return "malformed answer: " + e.What }

// Failure implements the method that FailureOf looks for.
func (e *UnusableError) Failure() Failure { return Failure{Class: Malformed, Final: true} }

// FaultClass implements the method that ClassOf looks for.
func (e *UnusableError) FaultClass() Class { return Malformed }

// Transient reports whether the same request may succeed later.
func (f Failure) Transient() bool {
	return !f.Final && (f.Class.Transient() || TransientStatus(f.Status))
}

// SlowDown reports whether the scan should send fewer requests now: the store asks for fewer, or breaks connections.
func (f Failure) SlowDown() bool {
	return f.Transient() && !f.Unconnected && (ThrottledStatus(f.Status) || f.RetryAfter > 0 || f.Class.Unreached())
}

// refusesKeys reports whether other credentials might be accepted. The answer to a HEAD has no code, and some stores
// deny access to keys that have expired.
func (f Failure) refusesKeys() bool {
	switch f.Class {
	case Forbidden, BadRequest, "AccessDenied", "InvalidAccessKeyId", "InvalidToken", "InvalidTokenId",
		"InvalidClientTokenId", "SignatureDoesNotMatch", "XAdminUserNotFound": // the last is versitygw's
		return f.Status != 0
	}
	return false
}

// IsRefused reports whether err is a refusal: an answer of the store that is an error and not transient. It is false
// for nil.
func IsRefused(err error) bool {
	if err == nil {
		return false
	}
	f := FailureOf(err)
	return f.Status != 0 && !f.Transient()
}
