package s3sim

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Of what a session consists belongs together, and for its time only.
func TestSessions(t *testing.T) {
	s, address := start(t, Options{Objects: 1, Credentials: testCredentials})
	head := func(c Credentials) int {
		_, err := headSDK(sdkClient(t, address, c, "us-east-1", false), string(s.Keyspace().Key(0)))
		return status(err)
	}
	list := func(c Credentials) string {
		_, err := sdkClient(t, address, c, "us-east-1", false).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("demo")})
		return code(err)
	}
	long, short := s.NewSession(time.Hour), s.NewSession(50*time.Millisecond)
	if got := head(long); got != 200 {
		t.Errorf("a session's HEAD: %d", got)
	}
	if got := head(testCredentials); got != 200 {
		t.Errorf("the owner's HEAD: %d", got)
	}
	time.Sleep(100 * time.Millisecond)
	if got := head(short); got != 400 {
		t.Errorf("an expired session's HEAD: %d", got)
	}
	for want, c := range map[string]Credentials{
		"":                      long,
		"ExpiredToken":          short,
		"InvalidAccessKeyId":    {"session9", "secret9", "token9"},
		"InvalidToken":          {long.AccessKey, long.SecretKey, short.SessionToken},
		"SignatureDoesNotMatch": {long.AccessKey, short.SecretKey, long.SessionToken},
	} {
		if got := list(c); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
