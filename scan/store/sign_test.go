package store

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Every request signs host and the x-amz- headers, and no header that a proxy may rewrite. The other headers are sent.
func TestSignedHeaders(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://127.0.0.1:1"}}, map[string]string{
		"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
	})
	if err != nil {
		t.Fatal(err)
	}
	client, bucket, key := s.Endpoint(0).Client, aws.String("b"), aws.String("k")
	for name, send := range map[string]func(context.Context, func(*s3.Options)) error{
		"LIST": func(ctx context.Context, o func(*s3.Options)) error {
			_, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}, o)
			return err
		},
		"HEAD": func(ctx context.Context, o func(*s3.Options)) error {
			_, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}, o)
			return err
		},
		"PUT": func(ctx context.Context, o func(*s3.Options)) error {
			_, err := client.PutObject(
				ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("body")}, o)
			return err
		},
	} {
		var capture requestCapture
		_ = send(t.Context(), func(o *s3.Options) {
			o.HTTPClient = &capture
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		})
		if capture.request == nil {
			t.Errorf("%s: no request", name)
			continue
		}
		authorization := capture.request.Header.Get("Authorization")
		_, signed, _ := strings.Cut(authorization, "SignedHeaders=")
		signed, _, _ = strings.Cut(signed, ",")
		for header := range strings.SplitSeq(signed, ";") {
			if header != "host" && !strings.HasPrefix(header, "x-amz-") {
				t.Errorf("%s signs %s", name, header)
			}
		}
		for header := range capture.request.Header {
			lower := strings.ToLower(header)
			if strings.HasPrefix(lower, "x-amz-") && !strings.Contains(";"+signed+";", ";"+lower+";") {
				t.Errorf("%s does not sign %s", name, header)
			}
		}
		if capture.request.Header.Get("Accept-Encoding") == "" || capture.request.Header.Get("User-Agent") == "" {
			t.Errorf("%s sends %v", name, capture.request.Header)
		}
		if name == "PUT" && capture.request.ContentLength != 4 {
			t.Errorf("PUT has the length %d", capture.request.ContentLength)
		}
	}
}
