package seed

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/list"
)

// reply is what became of one request that was sent.
type reply struct {
	status        int           // 0: there was no answer
	err           error         // and why
	code, message string        // of an error, as its XML names them
	requestID     string        // as the store has it
	retryAfter    time.Duration // 0: the store did not say
	sent          time.Time     // when
	latency       time.Duration // until the answer's header; 0: there was none
	attempts      int           // how many were sent, with this one
}

// ok says whether the request did what it was to do. Some stores say 200 and send an error.
func (a *reply) ok() bool { return a.err == nil && a.status/100 == 2 && a.code == "" }

// gone says whether there is no such object.
func (a *reply) gone() bool {
	return a.err == nil && a.status == http.StatusNotFound && (a.code == "" || a.code == "NoSuchKey")
}

// failure is a reply that is not ok, as the retry policy sees it.
func (a *reply) failure() fault.Failure {
	if a.err != nil {
		return fault.FailureOf(a.err)
	}
	return fault.Failure{Class: fault.AnswerClass(a.status, a.code), Status: a.status, RetryAfter: a.retryAfter}
}

// transient reports whether the request failed, and the same request may succeed later.
func (a *reply) transient() bool { return !a.ok() && a.failure().Transient() }

// asError is a reply that is not well, as LISTs have them, for which there are hints.
func (a *reply) asError(op, target string) error {
	if a.err != nil {
		return fmt.Errorf("%s %s: %w", op, target, a.err)
	}
	return &list.StoreError{Op: op, Target: target, Status: a.status, Code: a.code, Message: a.message, RequestID: a.requestID}
}

// outcome is the name under which it is counted.
func (a *reply) outcome() string {
	switch {
	case a.err != nil:
		return string(fault.ClassOf(a.err))
	case a.status/100 == 2 && a.code != "":
		return a.code
	}
	return fmt.Sprint(a.status)
}

// objectError is what is told of an object that failed.
func (a *reply) objectError(op, target, key string) *scan.ObjectError {
	e := &scan.ObjectError{
		Op: op, Target: target, Entry: list.Entry{Key: key}, Status: a.status, Class: a.failure().Class, Attempts: a.attempts,
		RequestID: a.requestID, Err: a.err,
	}
	if a.err == nil && a.code != "" && a.message != "" {
		e.Err = errors.New(a.message)
	}
	return e
}
