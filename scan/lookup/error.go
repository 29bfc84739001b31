package lookup

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"

	"headcount/scan/fault"
	"headcount/scan/fault/errordoc"
)

// Error is an answer that has not what was asked for.
type Error struct {
	Kind       Kind
	Status     int
	Code       string // AccessDenied, SlowDown, …; empty where the body has none
	Message    string
	RequestID  string
	RetryAfter time.Duration // 0: the store did not say

	isOther  bool // status 200 with another document
	isObject bool // isOther, and the document has the header of an object
	isMarker bool // the newest version of the object is a delete marker
}

// Error returns what the store said. The status is not part of it.
func (e *Error) Error() string {
	return strings.TrimSuffix(strings.TrimPrefix(e.Code+": "+e.Message, ": "), ": ")
}

// Failure implements the contract of fault.FailureOf.
func (e *Error) Failure() fault.Failure {
	if e.isOther {
		return fault.Failure{Class: fault.WrongDocument, Status: e.Status, Final: e.isObject}
	}
	return fault.Failure{Class: fault.AnswerClass(e.Status, e.Code), Status: e.Status, RetryAfter: e.RetryAfter}
}

// answer completes the Error by what the body says, and returns it. S3 of today answers with an empty set where there
// are no tags; other stores answer with NoSuchTagSet.
func (e *Error) answer(d errordoc.Document) (Answer, error) {
	if strings.HasPrefix(d.Code, "NoSuchTagSet") {
		return Answer{}, nil
	}
	e.Code, e.Message, e.RequestID = d.Code, d.Message, cmp.Or(e.RequestID, d.RequestID)
	return Answer{}, e
}

// redact passes the texts of the store through redact (store.Store.Redact). A Code with a secret is none.
func (e *Error) redact(redact func(string) string) {
	if redact(e.Code) != e.Code {
		e.Code, e.Message = "", strings.TrimSuffix(e.Code+": "+e.Message, ": ")
	}
	e.Message, e.RequestID = redact(e.Message), redact(e.RequestID)
}

// IsMissing reports whether err says that the object is not there.
func IsMissing(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusNotFound:
		return e.Code == "" || e.Code == "NoSuchKey" || e.Code == "NoSuchVersion" || e.Code == "NotFound"
	case http.StatusMethodNotAllowed:
		return e.isMarker
	}
	return false
}

// IsUnsupported reports whether err is the answer of a store that does not know the request: it says so, or it answers
// as if it were asked for the object.
func IsUnsupported(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.isMarker {
		return false
	}
	return e.isObject || e.Code == "NotImplemented" || fault.UnsupportedStatus(e.Status) ||
		e.Status == http.StatusMethodNotAllowed
}

// IsDenied reports whether err says that the caller lacks the right to send the request.
func IsDenied(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusForbidden && (e.Code == "AccessDenied" || e.Code == "")
}
