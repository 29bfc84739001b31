package store

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// WithRawResponse returns the option that hands the raw answer to one operation to read, in place of the SDK's own
// deserializer; the operation itself then returns output, empty. The SDK still resolves the endpoint, signs and sends.
//
// Its deserializers would cost the truth: they take an empty or HTML body for an empty bucket, fail an object whose
// Last-Modified is malformed, and keep the first of repeated metadata headers.
//
// read is called once, with the time from the request's going out (or the making of a connection for it) to the answer's header; it must not keep the
// answer, and what it returns the operation returns.
func WithRawResponse(output any, read func(*http.Response, time.Duration) error) func(*s3.Options) {
	swap := func(stack *middleware.Stack) error {
		// The SDK's check for an <Error> in a 200 parses the body once more: read looks at the root itself.
		if _, ok := stack.Deserialize.Get("S3:ProcessResponseFor200Error"); ok {
			if _, err := stack.Deserialize.Remove("S3:ProcessResponseFor200Error"); err != nil {
				return err
			}
		}
		_, err := stack.Deserialize.Swap("OperationDeserializer", rawResponseReader{output, read})
		return err
	}
	return func(o *s3.Options) { o.APIOptions = append(o.APIOptions, swap) }
}

type rawResponseReader struct {
	output any
	read   func(*http.Response, time.Duration) error
}

func (rawResponseReader) ID() string { return "OperationDeserializer" }

func (a rawResponseReader) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	start := time.Now()
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, metadata, fmt.Errorf("the SDK handed over a %T for an answer", out.RawResponse)
	}
	defer response.Body.Close() // as the deserializer does that this one replaces
	out.Result = a.output
	return out, metadata, a.read(response.Response, time.Since(start))
}
