package list

import (
	"fmt"
	"net/http"
	"time"

	"headcount/scan/fault"
)

// StoreError is an answer other than 200 to a LIST, with the code and the message of its Error document.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type StoreError struct {
	Op           string // LIST
	Target       string // s3://bucket/prefix
	Status       int
	Code         string // NoSuchBucket, SlowDown, …; empty where the body has none
	Message      string
	RequestID    string
	BucketRegion string        // where the bucket is, if the store says so
	SignedRegion string        // the region that the request was signed for
	RetryAfter   time.Duration // 0: the store did not say

	continued bool // the LIST had a continuation token
}

func (e *StoreError) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Op, e.Target, e.Status, http.StatusText(e.Status))
	if e.Code != "" {
		text += ": " + e.Code
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Failure implements the contract of fault.FailureOf.
func (e *StoreError) Failure() fault.Failure {
	return fault.Failure{Class: fault.AnswerClass(e.Status, e.Code), Status: e.Status, RetryAfter: e.RetryAfter}
}

// SendError is a LIST without an answer, or without the end of it.
type SendError struct {
	Target string // s3://bucket/prefix
	Err    error
}

func (e *SendError) Error() string { return "LIST " + e.Target + ": " + e.Err.Error() }
func (e *SendError) Unwrap() error { return e.Err }

// ProtocolError is a listing that cannot be trusted: the store breaks the protocol in a way that could hide keys.
type ProtocolError struct {
	Target string // s3://bucket/prefix
	What   string // what the store did
	Advice string // what the user can do; may be empty

	// transient is set where the same request may be answered rightly later: after a document cut short, or a proxy's
	// page.
	transient bool
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("LIST %s: %s; the listing cannot be trusted", e.Target, e.What)
}

// Failure implements the contract of fault.FailureOf.
func (e *ProtocolError) Failure() fault.Failure {
	if e.transient {
		return fault.Failure{Class: fault.WrongDocument}
	}
	return fault.Failure{Class: fault.ProtocolViolation}
}
