package s3sim

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The parts of a session are valid together only, and for its lifetime only.
func TestSessions(t *testing.T) {
	s, address := start(t, Options{Objects: 1, Credentials: testCredentials})
	head := func(c Credentials) int {
		_, err := headSDK(sdkClient(t, address, c, "us-east-1", false), string(s.Keyspace().Key(0)))
		return status(err)
	}
	list := func(c Credentials) string {
		client := sdkClient(t, address, c, "us-east-1", false)
		_, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("demo")})
		return code(err)
	}
	valid, expired := s.NewSession(time.Hour), s.NewSession(-time.Second)
	if got := head(valid); got != 200 {
		t.Errorf("a session's HEAD: %d", got)
	}
	if got := head(testCredentials); got != 200 {
		t.Errorf("a HEAD with the Options' credentials: %d", got)
	}
	if got := head(expired); got != 400 {
		t.Errorf("an expired session's HEAD: %d", got)
	}
	for want, c := range map[string]Credentials{
		"":                      valid,
		"ExpiredToken":          expired,
		"InvalidAccessKeyId":    {"session9", "secret9", "token9"},
		"InvalidToken":          {valid.AccessKey, valid.SecretKey, expired.SessionToken},
		"SignatureDoesNotMatch": {valid.AccessKey, expired.SecretKey, valid.SessionToken},
	} {
		if got := list(c); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
