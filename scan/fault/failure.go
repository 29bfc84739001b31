package fault

import (
	"errors"
	"time"
)

// Failure is a request that failed, as a Policy sees it.
type Failure struct {
	Class      Class
	Status     int           // HTTP status of the answer; 0: there was none
	RetryAfter time.Duration // that the answer asks for; 0: it does not
}

// FailureOf returns the Failure of a request's error: the one that the error returns from a method Failure() Failure,
// or else one without an answer, with the error's Class. err must not be nil.
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

// Transient reports whether the same request may succeed later.
func (f Failure) Transient() bool { return f.Class.Transient() || TransientStatus(f.Status) }

// SlowDown reports whether fewer requests should be sent after this one: the store asks for it, or cannot be reached.
func (f Failure) SlowDown() bool {
	return f.Transient() && (ThrottledStatus(f.Status) || f.RetryAfter > 0 || f.Class.Unreached())
}

// IsRefused reports whether err is an answer of the store by which it refuses the request, and will refuse it again.
// No error is no refusal.
func IsRefused(err error) bool {
	if err == nil {
		return false
	}
	f := FailureOf(err)
	return f.Status != 0 && !f.Transient()
}
