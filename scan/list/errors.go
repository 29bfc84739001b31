package list

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"headcount/scan/fault"
	"headcount/scan/fault/errordoc"
	"headcount/scan/hint"
	"headcount/scan/store"
)

// StoreError is an answer other than 200 to a LIST, with what its body says (package errordoc).
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type StoreError struct {
	Op           string // LIST
	Target       string // s3://bucket/prefix
	Status       int
	Code         string // NoSuchBucket, SlowDown, …; empty where the body has none
	Message      string // or the beginning of a body that is no Error document
	RequestID    string
	Location     string        // of a redirect, by store.RedactURL
	Endpoint     string        // at which the store wants to be asked for the bucket
	BucketRegion string        // where the bucket is, if the store says so
	SignedRegion string        // the region that the request was signed for
	RetryAfter   time.Duration // 0: the store did not say
	Continued    bool          // the LIST had a continuation token
	Versions     bool          // it was a LIST of versions
	Login        string        // the scheme of WWW-Authenticate, as Basic
	Request      hint.Request  // for the hint
}

func (e *StoreError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("%s %s: %d %s", e.Op, e.Target, e.Status, http.StatusText(e.Status)))
	if e.Code != "" {
		text += ": " + e.Code
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Location != "" {
		text += ": redirected to " + e.Location
	}
	if e.Endpoint != "" {
		text += ": the endpoint is " + e.Endpoint
	}
	return text
}

// Hint returns what the user can do about the answer. It is empty where nothing is known.
func (e *StoreError) Hint() string {
	if e.Versions && e.lacksVersions() {
		return versionsHint
	}
	return e.Request.ForAnswer(hint.Answer{
		Status: e.Status, Code: e.Code, Location: e.Location, Endpoint: e.Endpoint, Region: e.BucketRegion,
		Continued: e.Continued, Login: e.Login,
	})
}

// SetDocument sets what the body of the answer says.
func (e *StoreError) SetDocument(d errordoc.Document) {
	e.Code, e.Message, e.RequestID = d.Code, d.Message, cmp.Or(e.RequestID, d.RequestID)
	e.Endpoint = store.RedactURL(d.Endpoint)
	switch d.Code {
	case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed": // others name the store's own region
		e.BucketRegion = cmp.Or(e.BucketRegion, d.Region)
	}
}

// Redact passes the texts of the store through redact (store.Store.Redact). A Code with a secret is none.
func (e *StoreError) Redact(redact func(string) string) {
	if redact(e.Code) != e.Code {
		e.Code, e.Message = "", strings.TrimSuffix(e.Code+": "+e.Message, ": ")
	}
	for _, text := range []*string{
		&e.Message, &e.RequestID, &e.Location, &e.Endpoint, &e.BucketRegion, &e.Login,
	} {
		*text = redact(*text)
	}
}

// Failure implements the contract of fault.FailureOf.
func (e *StoreError) Failure() fault.Failure {
	return fault.Failure{Class: fault.AnswerClass(e.Status, e.Code), Status: e.Status, RetryAfter: e.RetryAfter}
}

// IsListDenied reports whether err is the answer of a store that takes the credentials, and does not let them list, or
// does not list at all. Such an answer says nothing about HEADs: their right is another one (s3:GetObject).
func IsListDenied(err error) bool {
	var e *StoreError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return e.Code == "" || e.Code == "AccessDenied" || e.Code == "AllAccessDisabled"
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

// SendError is a LIST without an answer, or without the end of it.
type SendError struct {
	Target  string // s3://bucket/prefix
	Err     error
	Request hint.Request // for the hint
}

func (e *SendError) Error() string { return "LIST " + e.Target + ": " + e.Err.Error() }
func (e *SendError) Unwrap() error { return e.Err }

// Hint returns what the user can do about a LIST without an answer.
func (e *SendError) Hint() string { return e.Request.ForError(e.Err) }

// ProtocolError is a listing that cannot be trusted: the store breaks the protocol in a way that could hide keys.
type ProtocolError struct {
	Target string // s3://bucket/prefix
	What   string // what the store did
	Advice string // what the user can do; may be empty

	// transient is set where the same request may be answered rightly later: after a document cut short, or a proxy's
	// page.
	transient bool

	// root is the root element of a page that is no listing, for the hint; empty: the page is one.
	root    string
	request hint.Request

	cause error // for errors.Is; nil: none
}

// errNotInOrder is the cause of a ProtocolError about keys that are not in the order of bytes.
var errNotInOrder = errors.New("the keys are not in order")

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.cause }

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("LIST %s: %s; the listing cannot be trusted", e.Target, e.What)
}

// Hint returns what the user can do about the listing; it may be empty.
func (e *ProtocolError) Hint() string {
	if e.root != "" {
		return e.request.ForDocument(e.root)
	}
	return e.Advice
}

// Failure implements the contract of fault.FailureOf.
func (e *ProtocolError) Failure() fault.Failure {
	if e.transient {
		return fault.Failure{Class: fault.WrongDocument}
	}
	return fault.Failure{Class: fault.ProtocolViolation}
}
