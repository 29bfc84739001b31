// Package lookup sends further requests for one object: those whose answers say what neither a LIST nor a HEAD says.
//
//   - Kind: a kind of such a request, as GetObjectTagging for tags.
//   - Sender: sends one request once. Whoever calls it decides about rates and retries.
//   - Error: an answer that has not what was asked for.
package lookup

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

// Kind is a kind of further request.
type Kind uint8

const (
	Tags        Kind = iota // the tags of an object, by their names
	Annotations             // the annotations of an object: their sizes, by their names
)

// String returns the word for what the request asks for. It is the key of the requests in metrics.Stats.Requests.
func (k Kind) String() string { return [...]string{"tags", "annotations"}[k] }

// Operation returns the name of the request.
func (k Kind) Operation() string { return [...]string{"GetObjectTagging", "ListObjectAnnotations"}[k] }

// Permission returns the right that the request needs. Tags of a version that the request names need another one.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
func (k Kind) Permission(ofVersion bool) string {
	if k == Tags && ofVersion {
		return "s3:GetObjectVersionTagging"
	}
	return "s3:" + k.Operation()
}

// HintIfDenied returns what the user can do where the right is missing that the request needs.
func (k Kind) HintIfDenied() string {
	return "give the caller the right that the error names, or scan without --" + k.String() +
		" for the rest of each record, and without " + k.String() + " in --fields and --filter"
}

// Sender sends requests to a Store. It may be used concurrently.
type Sender struct {
	Store   *store.Store
	Timeout time.Duration // of a request with its answer

	turns atomic.Int64 // shares the requests among the endpoints
}

// Answer is what one request returned.
type Answer struct {
	Texts []head.Header // by name, in the order of the answer; they share no memory with other Answers
	Next  string        // the token of the next page; empty: this is the last
}

// Send sends one request once, for the page of a token; an empty token is that of the first page. Its error is an
// *Error, or that of a request without an answer, which masks the secrets that it may echo.
func (s *Sender) Send(ctx context.Context, k Kind, e *list.Entry, token string) (a Answer, err error) {
	endpoint := s.Store.Endpoint(int(s.turns.Add(1)))
	var refused *Error
	read := func(response *http.Response, _ time.Duration) (err error) {
		if a, err = readAnswer(k, response); err == nil {
			return nil
		}
		if refused, _ = err.(*Error); refused != nil && refused.Code == string(fault.ClockSkew) {
			s.Store.ObserveClockRefusal(response)
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	err = s.request(ctx, k, endpoint.Client, e, token, read)
	switch {
	case refused != nil:
		refused.redact(s.Store.Redact)
		return Answer{}, refused
	case err != nil:
		s.Store.ObserveFailure(endpoint, err)
		return Answer{}, s.Store.RedactError(fault.StripSDK(err))
	}
	return a, nil
}

// request sends the request, whose answer read gets.
func (s *Sender) request(
	ctx context.Context, k Kind, client *s3.Client, e *list.Entry, token string,
	read func(*http.Response, time.Duration) error,
) (err error) {
	bucket, version := aws.String(s.Store.Bucket()), versionOf(e)
	switch k {
	case Tags:
		_, err = client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{
			Bucket: bucket, Key: aws.String(e.Key), VersionId: version, RequestPayer: s.Store.RequestPayer(),
		}, store.WithRawResponse(&s3.GetObjectTaggingOutput{}, read))
	case Annotations:
		input := &s3.ListObjectAnnotationsInput{
			Bucket: bucket, Key: aws.String(e.Key), VersionId: version, RequestPayer: s.Store.RequestPayer(),
		}
		if token != "" {
			input.ContinuationToken = aws.String(token)
		}
		_, err = client.ListObjectAnnotations(ctx, input, store.WithRawResponse(&s3.ListObjectAnnotationsOutput{}, read))
	}
	return err
}

// versionOf returns the version that a request for an object names; nil: the newest one.
func versionOf(e *list.Entry) *string {
	if !NamesVersion(e) {
		return nil
	}
	return aws.String(e.Details.VersionID)
}

// NamesVersion reports whether requests for an object name a version of it.
func NamesVersion(e *list.Entry) bool { return e.Details != nil && e.Details.VersionID != "" }
