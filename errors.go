package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/heads"
	"headcount/bench/seed"
	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/list"
)

// usageError is a command line that headcount does not take.
type usageError struct{ what, hint string }

func (e *usageError) Error() string { return e.what }

func usagef(hint, format string, args ...any) error {
	return &usageError{what: fmt.Sprintf(format, args...), hint: hint}
}

// helpHint says where the flags of a command are explained.
func helpHint(c *cli.Command) string {
	name := "headcount"
	if c != nil && c.HelpName != "" {
		name = c.HelpName
	}
	return name + " --help"
}

// hintedError is fatal, and something can be done about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// objectsFailed is a complete scan in which some objects failed.
type objectsFailed struct {
	count int64
	hint  string
}

func (e *objectsFailed) Error() string { return count(e.count, "object", "objects") + " failed" }

// hintFor is what the user can do about an error; empty where nothing is known.
func hintFor(err error) string {
	var (
		usage    *usageError
		hinted   *hintedError
		failed   *objectsFailed
		protocol *list.ProtocolError
		refused  *list.StoreError
		unsent   *list.SendError
		silence  *scan.UnavailableError
		unheard  *seed.SilenceError
		listing  *scan.ListMetadataError
		failures *scan.FailuresError
		none     *heads.NoSuccessError
	)
	switch {
	case errors.As(err, &usage):
		return usage.hint
	case errors.As(err, &hinted):
		return hinted.hint
	case errors.As(err, &failed):
		return failed.hint
	case errors.As(err, &listing):
		return listing.Hint
	case errors.As(err, &protocol):
		return protocol.Hint
	case errors.As(err, &refused):
		return hintForCode(refused)
	case errors.As(err, new(*scan.OutputError)):
		return "what was written before is whole lines; only the last may be cut"
	case errors.As(err, &failures):
		return "--max-errors sets how many are borne"
	case errors.As(err, &silence), errors.As(err, &unheard):
		return "--retry-for sets how long headcount waits for a store in trouble"
	case errors.As(err, &none):
		return none.Hint()
	case errors.As(err, &unsent):
		return hintForClass(fault.ClassOf(unsent.Err), unsent)
	}
	return ""
}

// hintForClass explains why a LIST got no answer.
func hintForClass(class fault.Class, err error) string {
	switch class {
	case fault.Credentials:
		return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --profile, or --no-sign-request for a public bucket"
	case fault.TLS:
		if strings.Contains(err.Error(), "HTTP response to HTTPS client") {
			return "the endpoint speaks plain HTTP: begin --endpoint-url with http://"
		}
		return "--ca-bundle FILE names the authority to trust; --no-verify-ssl trusts everybody"
	}
	if errors.Is(err, io.EOF) {
		return "the endpoint hangs up: is it https:// or http:// that it speaks?"
	}
	return "is the endpoint right, and can this machine reach it? --endpoint-url URL"
}

// hintForCode explains the S3 error codes that a user can do something about.
func hintForCode(e *list.StoreError) string {
	switch e.Code {
	case "NoSuchBucket":
		return "is the bucket's name right, and the endpoint? --endpoint-url URL"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound": // the last is versitygw's
		return "are these the keys of this endpoint? AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, --profile, --endpoint-url"
	case "AccessDenied":
		return "listing needs s3:ListBucket, HEAD needs s3:GetObject, bench seed s3:PutObject, bench clean s3:DeleteObject; a public bucket may want --no-sign-request, one that bills its readers --request-payer"
	case "ExpiredToken", "InvalidToken":
		return "get new temporary credentials and start again"
	case "AuthorizationHeaderMalformed", "PermanentRedirect":
		return "--region says where the bucket is"
	case "RequestTimeTooSkewed":
		return "the clock of this machine is wrong"
	case "NotImplemented":
		return "is the endpoint's URL right? for an old store: --list-objects-v1"
	case "":
		if e.Status == http.StatusBadRequest { // what net/http, nginx and others answer to plain HTTP on a port of TLS
			return "does the endpoint speak TLS? try https://"
		}
	}
	return ""
}
