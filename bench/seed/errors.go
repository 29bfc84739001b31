package seed

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/hint"
	"headcount/scan/list"
	"headcount/scan/store"
)

// reply is the result of one request.
type reply struct {
	status        int           // 0: no answer
	err           error         // the reason why there is no answer
	code, message string        // of the XML of an error
	requestID     string        // of the store
	retryAfter    time.Duration // 0: not given
	sent          time.Time     // when the request was sent
	latency       time.Duration // until the answer's header; 0: no answer
	attempts      int           // requests for the object so far, including this one
}

// redact masks the secrets that texts of the store may echo.
func (a *reply) redact(s *store.Store) {
	a.err = s.RedactError(a.err)
	for _, text := range []*string{&a.code, &a.message, &a.requestID} {
		*text = s.Redact(*text)
	}
}

// ok reports whether the request succeeded. Some stores answer 200 with an error in the body.
func (a *reply) ok() bool { return a.err == nil && a.status/100 == 2 && a.code == "" }

// gone reports whether the store answered that the object does not exist.
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

// asError returns a reply that is not ok as an error like those of LISTs, for which there are hints.
func (a *reply) asError(op, target string) error {
	if a.err != nil {
		return fmt.Errorf("%s %s: %w", op, target, a.err)
	}
	return &list.StoreError{Op: op, Target: target, Status: a.status, Code: a.code, Message: a.message,
		RequestID: a.requestID}
}

// outcome is the name under which the reply is counted.
func (a *reply) outcome() string {
	switch {
	case a.err != nil:
		return string(fault.ClassOf(a.err))
	case a.status/100 == 2 && a.code != "":
		return a.code
	}
	return fmt.Sprint(a.status)
}

// pageError is a success by its status, with a body that is neither empty nor an error of S3.
type pageError struct {
	status  int
	text    string // the beginning of the body
	request hint.Request
}

func (e *pageError) Error() string {
	return fmt.Sprintf("%d with a body that is not S3's (%q)", e.status, e.text)
}

// FaultClass implements the contract of fault.ClassOf.
func (e *pageError) FaultClass() fault.Class { return fault.WrongDocument }

// Hint implements the contract of package exit.
func (e *pageError) Hint() string { return e.request.ForDocument("html") }

// objectError returns the error of an object that failed.
func (a *reply) objectError(op, target, key string) *scan.ObjectError {
	e := &scan.ObjectError{
		Op: op, Target: target, Entry: list.Entry{Key: key}, Status: a.status, Class: a.failure().Class,
		Attempts:  a.attempts,
		RequestID: a.requestID, Err: a.err,
	}
	if a.err == nil && a.message != "" {
		e.Err = errors.New(a.message)
	}
	return e
}
