package store

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// requestSigner signs the requests of the S3 clients. The signature covers host and the x-amz- headers, which S3
// requires, and no other header. The SDK also signs Accept-Encoding, amz-sdk-invocation-id and amz-sdk-request. Front
// ends of Google and tunnels rewrite Accept-Encoding (aws-sdk-go-v2#1816), and then the signature is wrong.
//
// It signs for the time by the Store's Skew, and ignores the SDK's own correction: the SDK believes the Date of every
// answer.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (SignedHeaders)
type requestSigner struct {
	v4   *v4.Signer
	skew func() time.Duration
}

func newRequestSigner(skew func() time.Duration) requestSigner {
	return requestSigner{v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }), skew}
}

// SignHTTP implements s3.HTTPSignerV4.
func (s requestSigner) SignHTTP(
	ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time,
	options ...func(*v4.SignerOptions),
) error {
	unsigned := http.Header{}
	for name, values := range r.Header {
		if !strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			unsigned[name] = values
			delete(r.Header, name)
		}
	}
	length := r.ContentLength // a positive one would be signed as the header content-length
	r.ContentLength = 0
	err := s.v4.SignHTTP(
		ctx, credentials, r, payloadHash, service, region, time.Now().Add(s.skew()), options...)
	r.ContentLength = length
	for name, values := range unsigned {
		if _, set := r.Header[name]; !set {
			r.Header[name] = values
		}
	}
	return err
}
