package inventory

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/fault"
	"headcount/scan/fault/errordoc"
	"headcount/scan/hint"
	"headcount/scan/list"
	"headcount/scan/store"
)

// BucketConfig says how the files of an Inventory are read from a bucket, which is mostly another one than that of the
// objects.
type BucketConfig struct {
	Store    *store.Store
	Timeout  time.Duration // for which a GET may bring no byte
	RetryFor time.Duration // how long to retry while the store fails
	Log      *slog.Logger
}

// FromBucket returns a Fetch of objects. It copies each into a temporary file.
func FromBucket(cfg BucketConfig) Fetch {
	b := &bucket{
		BucketConfig: cfg, policy: fault.RunPolicy(cfg.RetryFor, cfg.Store.EndpointCount()), health: fault.NewHealth("GET"),
	}
	return b.fetch
}

type bucket struct {
	BucketConfig
	policy fault.Policy
	health *fault.Health
}

// fetch sends GETs until one is answered in full, or the retry policy ends them.
func (b *bucket) fetch(ctx context.Context, key string) (File, error) {
	f, err := newTempFile("s3://" + b.Store.Bucket() + "/" + key)
	if err != nil {
		return nil, err
	}
	attempts := fault.Attempts{Since: time.Now()}
	for {
		err := b.getWhereNamed(ctx, key, f, attempts.Sent)
		if err == nil {
			b.health.OK(time.Now())
			return f, nil
		}
		attempts.Sent++
		if ctx.Err() == nil {
			err = b.waitToRetry(ctx, &attempts, err)
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			_ = f.Close() // it is removed
			return nil, err
		}
	}
}

// waitToRetry returns nil when the GET that failed is to be sent again.
func (b *bucket) waitToRetry(ctx context.Context, attempts *fault.Attempts, err error) error {
	failure := fault.FailureOf(err)
	next := b.policy.Next(attempts, failure, b.health)
	if next.Action == fault.Renew && !b.Store.RefreshCredentials(ctx) {
		next = b.policy.NotRenewed(attempts, failure)
	}
	if next.Action == fault.GiveUp {
		if answer := (*list.StoreError)(nil); errors.As(err, &answer) && answer.Code == "NoSuchKey" {
			return &Error{
				File: answer.Target, What: "no such object",
				Advice: "name the manifest.json of an Inventory, with the manifest.checksum and the data files in the same bucket",
			}
		}
		return err
	}
	b.Log.Warn("GET failed, trying again", "wait", next.Delay.Round(time.Millisecond), "error", err)
	return fault.Sleep(ctx, next.Delay)
}

// getWhereNamed sends a GET, and one to the region that the answer names.
func (b *bucket) getWhereNamed(ctx context.Context, key string, f *tempFile, turn int) error {
	err := b.get(ctx, key, f, b.Store.Endpoint(turn))
	var refused, other *list.StoreError
	if !errors.As(err, &refused) {
		return err
	}
	b.Store.TryRegion(regionAnswer(refused), turn, func(endpoint *store.Endpoint) store.RegionAnswer {
		if err = b.get(ctx, key, f, endpoint); err == nil {
			return store.RegionAnswer{Status: http.StatusOK}
		}
		if !errors.As(err, &other) {
			return store.RegionAnswer{}
		}
		return regionAnswer(other)
	})
	return err
}

func regionAnswer(e *list.StoreError) store.RegionAnswer {
	return store.RegionAnswer{SignedFor: e.SignedRegion, Named: e.BucketRegion, Status: e.Status, Code: e.Code}
}

// get sends one GET, and writes the body into the file.
func (b *bucket) get(ctx context.Context, key string, f *tempFile, endpoint *store.Endpoint) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(b.Timeout, func() { cancel(context.DeadlineExceeded) })
	defer idle.Stop()
	var writeErr error
	read := func(response *http.Response, _ time.Duration) error {
		if response.StatusCode != http.StatusOK {
			return b.refused(response, f.uri, endpoint)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		body := &watchedReader{response.Body, func() { idle.Reset(b.Timeout) }}
		n, err := io.Copy(&errorWriter{f, &writeErr}, body)
		if err == nil {
			err = f.Truncate(n)
		}
		if err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
		return err
	}
	_, err := endpoint.Client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(b.Store.Bucket()), Key: aws.String(key), RequestPayer: b.Store.RequestPayer(),
	}, store.WithRawResponse(&s3.GetObjectOutput{}, read))
	answer := (*list.StoreError)(nil)
	switch {
	case writeErr != nil:
		return &fullError{tempError(writeErr)}
	case errors.As(err, &answer):
		return answer // without the words of the SDK
	case err == nil:
		return nil
	}
	b.Store.ObserveFailure(endpoint, err)
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		err = context.DeadlineExceeded
	}
	return &getError{f.uri, b.Store.RedactError(fault.StripSDK(err)), b.Store.HintRequest(endpoint, b.Timeout)}
}

// refused returns the error of an answer.
func (b *bucket) refused(response *http.Response, uri string, endpoint *store.Endpoint) error {
	e := &list.StoreError{
		Op: "GET", Target: uri, Status: response.StatusCode, SignedRegion: endpoint.Region,
		RequestID:    response.Header.Get("x-amz-request-id"),
		BucketRegion: response.Header.Get("x-amz-bucket-region"),
		RetryAfter:   fault.RetryAfter(response.Header.Get("Retry-After")),
		Location:     errordoc.Short(store.RedactURL(response.Header.Get("Location"))),
		Request:      b.Store.HintRequest(endpoint, b.Timeout),
	}
	e.Login, _, _ = strings.Cut(errordoc.Short(response.Header.Get("WWW-Authenticate")), " ")
	e.SetDocument(errordoc.Read(response.Body))
	if e.Code == string(fault.ClockSkew) {
		b.Store.ObserveClockRefusal(response)
	}
	e.Redact(b.Store.Redact)
	return e
}

// getError is a GET without an answer, or without the end of it.
type getError struct {
	uri     string
	err     error
	request hint.Request
}

func (e *getError) Error() string { return "GET " + e.uri + ": " + e.err.Error() }
func (e *getError) Unwrap() error { return e.err }
func (e *getError) Hint() string  { return e.request.ForError(e.err) }

// fullError is a temporary file that cannot be written.
type fullError struct{ error }

func (e *fullError) Unwrap() error { return e.error }

// Failure implements the contract of fault.FailureOf: another GET does not help.
func (e *fullError) Failure() fault.Failure {
	return fault.Failure{Class: fault.Configuration, Final: true}
}

// errorWriter keeps the error of a Writer apart from that of the Reader that it is copied from.
type errorWriter struct {
	io.Writer
	err *error
}

func (w *errorWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		*w.err = err
	}
	return n, err
}

// watchedReader calls a function after each Read.
type watchedReader struct {
	io.Reader
	onRead func()
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.onRead()
	return n, err
}
