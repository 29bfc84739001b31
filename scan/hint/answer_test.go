package hint

import (
	"strings"
	"testing"
)

// Hints for AWS's own endpoint, which no server of a test can be.
func TestForAnswerOfAWS(t *testing.T) {
	for name, c := range map[string]struct {
		answer Answer
		want   string
	}{
		"a region":         {Answer{Code: "PermanentRedirect", Region: "eu-west-1", Endpoint: "x"}, "--region eu-west-1 is"},
		"a host":           {Answer{Code: "PermanentRedirect", Endpoint: "b.s3.eu-west-1.amazonaws.com"}, "--region eu-west-1 is"},
		"an older host":    {Answer{Code: "PermanentRedirect", Endpoint: "s3-us-west-2.amazonaws.com"}, "--region us-west-2 is"},
		"a dual stack":     {Answer{Code: "TemporaryRedirect", Endpoint: "s3.dualstack.eu-1.amazonaws.com"}, "--region eu-1 is"},
		"the global host":  {Answer{Code: "PermanentRedirect", Endpoint: "b.s3.amazonaws.com"}, "--region says"},
		"another host":     {Answer{Code: "PermanentRedirect", Endpoint: "storage.example"}, "--region says"},
		"nothing":          {Answer{Code: "PermanentRedirect"}, "--region says"},
		"301 and a region": {Answer{Status: 301, Region: "eu-west-1"}, "--region eu-west-1 is"},
	} {
		if got := (Request{Bucket: "b"}).ForAnswer(c.answer); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
