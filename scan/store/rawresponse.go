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

// WithRawResponse returns an option of an S3 client's operation: read gets the HTTP response in place of the SDK's
// deserializer, and the operation returns output, unchanged, and the error of read. The SDK still resolves the
// endpoint, signs and sends.
//
// The SDK's deserializers lose data: they take an empty or HTML body for an empty bucket, fail an object whose
// Last-Modified is malformed, and keep only the first of repeated metadata headers.
//
// read is called at most once. Its second argument is the time from the start of sending, which includes a new
// connection, to the end of the response's header. read must not keep the response.
func WithRawResponse(output any, read func(*http.Response, time.Duration) error) func(*s3.Options) {
	swap := func(stack *middleware.Stack) error {
		// The SDK would parse the body once more, for an <Error> in a 200: read checks the root element itself.
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

func (r rawResponseReader) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	start := time.Now()
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, metadata, fmt.Errorf("the SDK returned a %T as the response", out.RawResponse)
	}
	defer response.Body.Close() // the replaced deserializer would close it
	out.Result = r.output
	return out, metadata, r.read(response.Response, time.Since(start))
}
