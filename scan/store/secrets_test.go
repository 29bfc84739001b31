package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// No text of an answer shows a secret that it echoes, in whatever form, and wherever it was cut.
func TestRedact(t *testing.T) {
	const key, token = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLE", "IQoJb3JpZ2lu/X2VjEJr+hunter2/TOKEN+ZyXwVuTsRqPoNmLk=="
	p := newProvider(fixed(aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: key, SessionToken: token}),
		awsFiles{}, nil)
	if _, err := p.Retrieve(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &Store{provider: p}
	digits := strings.Repeat("0123456789abcdef", 4)
	for text, want := range map[string]string{
		"Access Denied for AKIDEXAMPLE":         "Access Denied for AKIDEXAMPLE",
		token:                                   Masked,
		"a " + token + ", " + key + " b":        "a " + Masked + ", " + Masked + " b",
		"x=" + url.QueryEscape(token) + "&y":    "x=" + Masked + "&y",
		strings.ToLower(url.QueryEscape(token)): Masked,
		"cut " + token[:20] + "…":               "cut " + Masked + "…",
		"end " + token[20:]:                     "end " + Masked,
		"Signature=" + digits + ", x":           "Signature=" + Masked + ", x",
		"?X-Amz-Signature=" + digits + "&x":     "?X-Amz-Signature=" + Masked + "&x",
		"X-Amz-Signature%3D" + digits[:20]:      "X-Amz-Signature%3D" + Masked,
		"etag " + digits:                        "etag " + digits,
	} {
		if got := s.Redact(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
		cause := errors.New(text)
		if err := s.RedactError(cause); err.Error() != want || !errors.Is(err, cause) {
			t.Errorf("the error %q is shown as %q", text, err)
		}
	}
}

// The secrets before the present ones are masked too, and words as short as test are not.
func TestRedactAfterRotation(t *testing.T) {
	n := 0
	p := newProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		n++
		return aws.Credentials{AccessKeyID: "AK", SecretAccessKey: "test", SessionToken: strings.Repeat(fmt.Sprint("token", n), 3)}, nil
	}), awsFiles{}, nil)
	for range 2 {
		if _, err := p.Retrieve(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s := &Store{provider: p}
	if got := s.Redact("test: token1token1token1, token2token2token2"); got != "test: "+Masked+", "+Masked {
		t.Error(got)
	}
	if got := new(Store).Redact("Signature=0123456789abcdef"); got != "Signature=0123456789abcdef" {
		t.Errorf("without credentials: %s", got)
	}
}
