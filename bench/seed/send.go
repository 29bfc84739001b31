package seed

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/fault"
	"headcount/scan/fault/errordoc"
	"headcount/scan/store"
)

// The methods of the requests for an object.
const (
	opPut    = "PUT"
	opHead   = "HEAD"
	opDelete = "DELETE"
)

// errorBytesMax is the part of an answer's body that is read: an <Error> has some hundred bytes, a proxy's page some
// thousand.
const errorBytesMax = 64 << 10

// writer sends the PUTs and DELETEs of one worker. It must not be used concurrently.
type writer struct {
	run      *run
	endpoint int           // index of the endpoint: it changes after a failure
	pinned   *store.Pinned // of DELETEs
}

// send sends one request once, without waiting for the limiter.
func (w *writer) send(
	ctx context.Context, output any, request func(context.Context, *s3.Client, ...func(*s3.Options)) error,
) reply {
	r := w.run
	a := reply{sent: time.Now()}
	endpoint := r.cfg.Store.Endpoint(w.endpoint)
	read := func(response *http.Response, latency time.Duration) error {
		a.latency = latency
		err := a.read(response)
		if page, ok := errors.AsType[*pageError](err); ok {
			page.request = r.cfg.Store.HintRequest(endpoint, r.cfg.Timeout)
		}
		if a.code == string(fault.ClockSkew) {
			r.cfg.Store.ObserveClockRefusal(response)
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	if err := request(ctx, endpoint.Client, store.WithRawResponse(output, read), plainBody); err != nil {
		r.cfg.Store.ObserveFailure(endpoint, err)
		a.status, a.err = 0, fault.StripSDK(err)
	}
	if a.transient() {
		w.endpoint++
	}
	a.redact(r.cfg.Store)
	return a
}

// plainBody keeps the SDK from adding a CRC32 in a trailer, which many stores do not support.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
func plainBody(o *s3.Options) {
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
}

// read reads an answer. It reads the body to its end, so that the connection can be used again. S3 sends no body where
// it has put or deleted an object: a page of a proxy, and an error without a code, are no success.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#API_PutObject_ResponseSyntax
func (a *reply) read(response *http.Response) error {
	a.status, a.requestID = response.StatusCode, response.Header.Get("x-amz-request-id")
	a.retryAfter = fault.RetryAfter(response.Header.Get("Retry-After"))
	body, err := io.ReadAll(io.LimitReader(response.Body, errorBytesMax))
	isSuccess := a.status/100 == 2
	if isSuccess && (err != nil || len(bytes.TrimSpace(body)) == 0) {
		return err
	}
	d := errordoc.Read(bytes.NewReader(body))
	a.code, a.message = d.Code, d.Message
	if isSuccess && a.code == "" {
		return &pageError{status: a.status, text: a.message}
	}
	return nil
}
