package list

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"headcount/scan/fault"
)

// Hint returns what the user can do about the error code of the store. It is empty where nothing is known.
func (e *StoreError) Hint() string {
	if e.continued && e.Status == http.StatusInternalServerError { // s3rver's answer to every continuation token
		return "if the store fails at the second page of every bucket: --list-objects-v1"
	}
	switch e.Code {
	case "NoSuchBucket":
		return "are the names of the bucket and of the endpoint right? --endpoint-url URL"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound": // the last is versitygw's
		return "do the keys belong to this endpoint? " +
			"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, --profile, --endpoint-url"
	case "AccessDenied":
		return "listing needs s3:ListBucket, HEAD needs s3:GetObject, bench seed s3:PutObject, " +
			"bench clean s3:DeleteObject; a public bucket may need --no-sign-request, " +
			"and one that bills its readers --request-payer"
	case "ExpiredToken", "InvalidToken":
		return "get new temporary credentials and start again"
	case "AuthorizationHeaderMalformed", "PermanentRedirect":
		return "--region says where the bucket is"
	case "RequestTimeTooSkewed":
		return "the clock of this machine is wrong"
	case "NotImplemented":
		return "is the endpoint's URL right? for an old store: --list-objects-v1"
	case "":
		if e.Status == http.StatusBadRequest { // the answer of net/http, nginx and others to plain HTTP on a TLS port
			return "does the endpoint speak TLS? try https://"
		}
	}
	return ""
}

// Hint returns what the user can do about a LIST without an answer.
func (e *SendError) Hint() string {
	switch fault.ClassOf(e.Err) {
	case fault.LocalLimit:
		return fault.LocalLimitHint(e.Err)
	case fault.Credentials:
		return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --profile, " +
			"or --no-sign-request for a public bucket"
	case fault.TLS:
		if strings.Contains(e.Error(), "HTTP response to HTTPS client") {
			return "the endpoint speaks plain HTTP: begin --endpoint-url with http://"
		}
		return "--ca-bundle FILE names a certificate authority to trust; --no-verify-ssl accepts any certificate"
	}
	if errors.Is(e.Err, io.EOF) {
		return "the endpoint closes the connection: does it speak https:// or http://?"
	}
	return "is the endpoint right, and can this machine reach it? --endpoint-url URL"
}

// Hint returns what the user can do about the listing; it may be empty.
func (e *ProtocolError) Hint() string { return e.Advice }
