package s3sim

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

var testCredentials = Credentials{AccessKey: "AKIDEXAMPLE", SecretKey: "secret/with+signs="}

// status returns the status of a failed SDK call, 200 without an error.
func status(err error) int {
	var response *awshttp.ResponseError
	switch {
	case err == nil:
		return 200
	case errors.As(err, &response):
		return response.HTTPStatusCode()
	}
	return 0
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func headSDK(client *s3.Client, key string) (*s3.HeadObjectOutput, error) {
	return client.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: aws.String("demo"), Key: &key})
}

func TestVerifyAcceptsTheSDK(t *testing.T) {
	withToken := testCredentials
	withToken.SessionToken = "session/token+=="
	for name, c := range map[string]Credentials{"plain": testCredentials, "session token": withToken} {
		for _, virtual := range []bool{false, true} {
			s, address := start(t, Options{Objects: 200, Shape: Nasty, Credentials: c})
			if virtual {
				_, port, _ := strings.Cut(address, ":")
				client := sdkClient(t, address, c, "us-east-1", true)
				host := aws.String("http://s3.localhost:" + port)
				client = s3.New(client.Options(), func(o *s3.Options) { o.BaseEndpoint = host })
				verifyAll(t, name+", virtual", s, client)
				continue
			}
			verifyAll(t, name, s, sdkClient(t, address, c, "us-east-1", false))
		}
	}
}

// verifyAll lists the bucket and sends a HEAD for every key through the SDK.
func verifyAll(t *testing.T, name string, s *Server, client *s3.Client) {
	t.Helper()
	page, err := client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{
		Bucket: aws.String("demo"), StartAfter: aws.String("+ %&/"), Prefix: aws.String(""),
	})
	if err != nil || len(page.Contents) == 0 {
		t.Errorf("%s: LIST: %v", name, err)
	}
	for _, key := range allKeys(s) {
		head, err := headSDK(client, key)
		if err != nil {
			t.Errorf("%s: HEAD %q: %v", name, key, err)
			continue
		}
		o := s.Object([]byte(key))
		if *head.ETag != o.ETag() || *head.ContentLength != o.Size() || !head.LastModified.Equal(o.LastModified()) {
			t.Errorf("%s: HEAD %q: %v %v %v", name, key, *head.ETag, *head.ContentLength, head.LastModified)
		}
		if !o.WithoutMetadata() && head.Metadata["id"] != ID([]byte(key)) {
			t.Errorf("%s: HEAD %q: id %q", name, key, head.Metadata["id"])
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	withToken := testCredentials
	withToken.SessionToken = "token"
	wrongSecret := testCredentials
	wrongSecret.SecretKey += "x"
	wrongKey := testCredentials
	wrongKey.AccessKey = "AKIDOTHER"
	for _, test := range []struct {
		name       string
		server     Options
		client     Credentials
		region     string
		wantStatus int
		wantCode   string
	}{
		{"right", Options{Credentials: testCredentials}, testCredentials, "us-east-1", 200, ""},
		{
			"another region", Options{Credentials: testCredentials, Region: "eu-west-3"},
			testCredentials, "eu-west-3", 200, "",
		},
		{"wrong secret", Options{Credentials: testCredentials}, wrongSecret, "us-east-1", 403, "SignatureDoesNotMatch"},
		{"unknown key", Options{Credentials: testCredentials}, wrongKey, "us-east-1", 403, "InvalidAccessKeyId"},
		{"token missing", Options{Credentials: withToken}, testCredentials, "us-east-1", 400, "InvalidToken"},
		{"unexpected token", Options{Credentials: testCredentials}, withToken, "us-east-1", 400, "InvalidToken"},
		{
			"wrong region", Options{Credentials: testCredentials},
			testCredentials, "eu-west-1", 400, "AuthorizationHeaderMalformed",
		},
		{
			"redirected region", Options{Credentials: testCredentials, RedirectRegion: true},
			testCredentials, "eu-west-1", 301, "PermanentRedirect",
		},
		{"nothing verified", Options{}, wrongSecret, "eu-west-1", 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.server.Objects = 10
			s, address := start(t, test.server)
			client := sdkClient(t, address, test.client, test.region, false)
			_, err := client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String("demo")})
			if status(err) != test.wantStatus || code(err) != test.wantCode {
				t.Errorf("LIST: %d %q, want %d %q", status(err), code(err), test.wantStatus, test.wantCode)
			}
			_, err = headSDK(client, string(s.Keyspace().Key(3)))
			if status(err) != test.wantStatus {
				t.Errorf("HEAD: %d, want %d", status(err), test.wantStatus)
			}
			if test.wantStatus == 400 && test.region != "us-east-1" || test.wantStatus == 301 {
				var response *awshttp.ResponseError
				if !errors.As(err, &response) || response.Response.Header.Get("x-amz-bucket-region") != "us-east-1" {
					t.Error("HEAD: no x-amz-bucket-region")
				}
			}
		})
	}
}

// TestVerifyVector uses the example "GET Bucket (List Objects)" of the page cited in verify.go, with its signature.
func TestVerifyVector(t *testing.T) {
	s, err := New(Options{Bucket: "examplebucket", Objects: 10, Credentials: Credentials{
		AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	}})
	if err != nil {
		t.Fatal(err)
	}
	const signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
	const hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	const signed = "host;x-amz-content-sha256;x-amz-date"
	request := "GET /?max-keys=2&prefix=J HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\n" +
		"x-amz-date: 20130524T000000Z\r\nx-amz-content-sha256: " + hash + "\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
		"SignedHeaders=" + signed + ",Signature=" + signature + "\r\n\r\n"
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, old, new string
		at             time.Time
		want           errorCode
	}{
		{"as printed", "", "", at, codeNone},
		{"query order is free", "max-keys=2&prefix=J", "prefix=J&max-keys=2", at, codeNone},
		{"escapes are free", "prefix=J", "prefix=%4A", at, codeNone},
		{"blanks around a value", "x-amz-date: 2", "X-AMZ-Date:   2", at, codeNone},
		{"14 minutes late", "", "", at.Add(14 * time.Minute), codeNone},
		{"16 minutes late", "", "", at.Add(16 * time.Minute), codeRequestTimeTooSkewed},
		{"16 minutes early", "", "", at.Add(-16 * time.Minute), codeRequestTimeTooSkewed},
		{"method", "GET", "PUT", at, codeSignatureMismatch},
		{"path", "/?", "/x?", at, codeSignatureMismatch},
		{"query", "prefix=J", "prefix=K", at, codeSignatureMismatch},
		{"one parameter more", "prefix=J", "prefix=J&a", at, codeSignatureMismatch},
		{"host", "s3.amazonaws", "s4.amazonaws", at, codeSignatureMismatch},
		{"payload hash", hash, "UNSIGNED-PAYLOAD", at, codeSignatureMismatch},
		{"time", "20130524T000000Z", "20130524T000001Z", at, codeSignatureMismatch},
		{"scope's day", "EXAMPLE/20130524", "EXAMPLE/20130525", at, codeSignatureMismatch},
		{"signature", "Signature=34", "Signature=35", at, codeSignatureMismatch},
		{"signature cut", signature, signature[:62], at, codeWrongRegion},
		{"service", "/s3/", "/sqs/", at, codeWrongRegion},
		{"no signature", "Authorization", "X-Authorization", at, codeAccessDenied},
		{"no time", "x-amz-date", "x-other-date", at, codeAccessDenied},
		{"host not signed", "SignedHeaders=host;", "SignedHeaders=", at, codeAccessDenied},
		{"unsigned x-amz- header", "x-amz-date: ", "x-amz-acl: private\r\nx-amz-date: ", at, codeAccessDenied},
		{"signed header not sent", "SignedHeaders=host;", "SignedHeaders=etag;host;", at, codeSignatureMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := strings.Replace(request, test.old, test.new, 1)
			if test.old != "" && changed == request {
				t.Fatal("nothing was changed")
			}
			c := newConn(s, nil, 1)
			if _, err := c.req.parse([]byte(changed)); err != nil {
				t.Fatal(err)
			}
			c.req.arrived = test.at
			if got := c.verify(&c.req); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestVerifyPathIsDecodedOnce uses the example "GET Object" of the same page. Its path is spelled as printed, and with
// escapes that the signer did not write.
func TestVerifyPathIsDecodedOnce(t *testing.T) {
	s, err := New(Options{Bucket: "examplebucket", Credentials: Credentials{
		AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]errorCode{
		"/test.txt": codeNone, "/te%73t.txt": codeNone,
		"/te%2573t.txt": codeSignatureMismatch, "/./test.txt": codeSignatureMismatch,
	} {
		c := newConn(s, nil, 1)
		_, err := c.req.parse([]byte("GET " + path + " HTTP/1.1\r\n" +
			"Host: examplebucket.s3.amazonaws.com\r\nRange: bytes=0-9\r\nx-amz-date: 20130524T000000Z\r\n" +
			"x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n" +
			"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
			"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date," +
			"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		c.req.arrived = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
		if got := c.verify(&c.req); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
