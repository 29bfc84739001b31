package list

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestHint(t *testing.T) {
	for _, c := range []struct {
		err  interface{ Hint() string }
		want string // empty: no hint
	}{
		{&StoreError{Status: 400}, "https://"}, // the answer of a TLS port to plain HTTP
		{&StoreError{Status: 501, Code: "NotImplemented"}, "endpoint's URL"},
		{&StoreError{Status: 403, Code: "AccessDenied"}, "s3:ListBucket"},
		{&StoreError{Status: 400, Code: "InvalidRequest"}, ""},
		{&StoreError{Status: 403}, ""},
		{&StoreError{Status: 500, Code: "InternalError"}, ""},
		{&StoreError{Status: 500, Code: "InternalError", continued: true}, "--list-objects-v1"},
		{&SendError{Err: errors.New("connection refused")}, "--endpoint-url"},
		{&SendError{Err: fmt.Errorf("read: %w", io.EOF)}, "https:// or http://"},
		{&SendError{Err: &tls.CertificateVerificationError{Err: errors.New("unknown authority")}}, "--ca-bundle"},
		{
			&SendError{Err: fmt.Errorf("%w: server gave HTTP response to HTTPS client", &tls.RecordHeaderError{})},
			"plain HTTP",
		},
		{&ProtocolError{Advice: "scan again"}, "scan again"},
	} {
		got := c.err.Hint()
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
