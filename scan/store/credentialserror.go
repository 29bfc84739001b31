package store

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/smithy-go"

	"headcount/scan/fault"
	"headcount/scan/hint"
)

// CredentialsError is the reason why there are no credentials to sign with. Its text has nothing that a provider has
// returned, since that may be a secret: no output of a process, no message and no body of a service.
//
// It unwraps to nothing. The failed connection to a provider must not be taken for one to the store.
type CredentialsError struct {
	reason string
	hint   string
}

func (e *CredentialsError) Error() string { return "get credentials: " + e.reason }

// FaultClass implements the contract of fault.ClassOf.
func (e *CredentialsError) FaultClass() fault.Class { return fault.Credentials }

// Hint says what the user can do about the error.
func (e *CredentialsError) Hint() string { return e.hint }

// describe returns the error of a provider as a CredentialsError.
func describe(err error, source aws.CredentialsProvider, files awsFiles) *CredentialsError {
	var described *CredentialsError
	if errors.As(err, &described) {
		return described
	}
	from := providerOf(err, source)
	reason := string(from) + ": " + reasonOf(err)
	if from != hint.MetadataService || slices.Contains(sourcesOf(source), aws.CredentialSourceProfileNamedProvider) {
		return &CredentialsError{reason: reason, hint: from.Hint(files.profile)}
	}
	// The SDK asks the metadata service where it found nothing else.
	if name, why := files.unreadable(); name != "" {
		return unreadableError(name, why)
	}
	for given, missing := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY": "AWS_ACCESS_KEY_ID",
	} {
		if os.Getenv(given) != "" && os.Getenv(missing) == "" {
			return &CredentialsError{
				reason: given + " is set, and " + missing + " is not",
				hint:   hint.MissingCredentials,
			}
		}
	}
	none := "none are configured" + files.absent()
	if strings.Contains(reason, "access disabled") { // by AWS_EC2_METADATA_DISABLED
		return &CredentialsError{reason: none, hint: hint.MissingCredentials}
	}
	return &CredentialsError{reason: none + ", and " + reason, hint: from.Hint(files.profile)}
}

// sourcesOf returns the chain of an SDK's provider.
func sourcesOf(provider aws.CredentialsProvider) []aws.CredentialSource {
	if s, ok := provider.(aws.CredentialProviderSource); ok {
		return s.ProviderSources()
	}
	return nil
}

// providerOf returns the kind of provider that failed. A role has two: STS, and the one of the keys that assume it.
func providerOf(err error, source aws.CredentialsProvider) hint.Provider {
	var (
		sources = sourcesOf(source)
		failed  *smithy.OperationError
		service string
	)
	for inner := err; errors.As(inner, &failed); inner = failed.Err {
		service = failed.ServiceID
	}
	has := func(s ...aws.CredentialSource) bool {
		return slices.ContainsFunc(s, func(s aws.CredentialSource) bool { return slices.Contains(sources, s) })
	}
	switch {
	case errors.As(err, new(*processcreds.ProviderError)):
		return hint.Process
	case service == "ec2imds":
		return hint.MetadataService
	case has(aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy) && service != "STS":
		return hint.SingleSignOn
	case has(aws.CredentialSourceLogin) && service != "STS":
		return hint.ConsoleLogin
	case has(aws.CredentialSourceHTTP) && service != "STS":
		return hint.ContainerAgent
	case has(aws.CredentialSourceEnvVarsSTSWebIDToken, aws.CredentialSourceProfileSTSWebIDToken):
		return hint.WebIdentity
	case service == "STS", has(aws.CredentialSourceSTSAssumeRole):
		return hint.TokenService
	case has(aws.CredentialSourceIMDS):
		return hint.MetadataService
	}
	return hint.OtherProvider
}

// reasonOf returns why a provider failed, without anything that it has returned.
func reasonOf(err error) string {
	var (
		failed  *processcreds.ProviderError
		answer  smithy.APIError
		status  interface{ HTTPStatusCode() int }
		request *url.Error
		file    *fs.PathError
	)
	switch {
	case errors.As(err, &failed):
		return processReason(failed)
	case errors.As(err, &request):
		return requestReason(request)
	case errors.As(err, &answer), errors.As(err, &status):
		errors.As(err, &status)
		return answerReason(answer, status)
	case errors.As(err, &file):
		return file.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case isUnreadable(err):
		return unreadable
	}
	return knownReason(err.Error())
}

// knownReason returns the part of an error of the SDK that is one of its constants. Other texts may repeat a secret.
func knownReason(text string) string {
	for _, known := range []string{
		"access disabled to EC2 IMDS", "unexpected empty EC2 IMDS role list", "response did not contain credentials",
		"authorization token contains invalid newline sequence",
		"cached SSO token is expired, or not present", "the SSO session has expired or is invalid",
		"token file not found", "login session has expired", "login session password has changed",
		"insufficient permissions", "static credentials are empty",
	} {
		if strings.Contains(text, known) {
			return known
		}
	}
	switch {
	case strings.Contains(text, "Failed to parse uri"):
		return "its URL cannot be parsed"
	case strings.Contains(text, "unable to read file"):
		return "its token file cannot be read"
	case strings.Contains(text, "load login token"), strings.Contains(text, "validate login token"):
		return unreadable
	}
	return "it failed"
}

// processReason returns why a credential_process failed. The SDK's error repeats the output of the process.
func processReason(err *processcreds.ProviderError) string {
	text := err.Error()
	for _, known := range []string{
		"wrong version in process output (not 1)", "missing AccessKeyId in process output",
		"missing SecretAccessKey in process output", "credential process timed out",
	} {
		if strings.Contains(text, known) && !strings.Contains(text, "parse failed") {
			return known
		}
	}
	var exit interface{ ExitCode() int }
	switch {
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return "exit status " + strconv.Itoa(exit.ExitCode())
	case errors.As(err, &exit):
		return "it was killed by a signal"
	case strings.Contains(text, "parse failed"):
		return "its output is not the JSON document of credentials"
	}
	return "it could not be started"
}

// unreadable is the reason of a provider whose answer or file is no document of credentials. It may be a secret.
const unreadable = "what it returned cannot be read as credentials"

// answerReason returns the status and the error code of a service. Its message may repeat the request.
func answerReason(answer smithy.APIError, status interface{ HTTPStatusCode() int }) string {
	var parts []string
	if status != nil && status.HTTPStatusCode() != 0 {
		code := status.HTTPStatusCode()
		if code < http.StatusMultipleChoices {
			return unreadable
		}
		parts = append(parts, strings.TrimSpace(strconv.Itoa(code)+" "+http.StatusText(code)))
	}
	if answer != nil && isErrorCode(answer.ErrorCode()) {
		parts = append(parts, answer.ErrorCode())
	}
	if len(parts) == 0 {
		return "it refused the request"
	}
	return strings.Join(parts, ": ")
}

// isRefusal reports whether err is the answer of a service that refuses the keys of a request.
func isRefusal(err error) bool {
	var answer smithy.APIError
	return errors.As(err, &answer)
}

// isErrorCode reports whether text is an error code of STS or of single sign-on. Any other text may be a secret.
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
func isErrorCode(text string) bool {
	switch text {
	case "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "ForbiddenException",
		"IDPCommunicationError", "IDPRejectedClaim", "IncompleteSignature", "InternalFailure", "InvalidAccessKeyId",
		"InvalidClientException", "InvalidClientTokenId", "InvalidGrantException", "InvalidIdentityToken",
		"InvalidParameterValue", "InvalidRequestException", "MalformedPolicyDocument", "MissingAuthenticationToken",
		"OptInRequired", "PackedPolicyTooLarge", "RegionDisabledException", "RequestExpired",
		"ResourceNotFoundException", "ServiceUnavailable", "SignatureDoesNotMatch", "Throttling",
		"TooManyRequestsException", "UnauthorizedClientException", "UnauthorizedException",
		"UnrecognizedClientException", "ValidationError":
		return true
	}
	return false
}

// requestReason returns why a request to a provider has no answer. The path of its URL may be a secret.
func requestReason(request *url.Error) string {
	where := ""
	if u, err := url.Parse(request.URL); err == nil && u.Host != "" {
		where = u.Host + ": "
	}
	switch class := fault.ClassOf(request.Err); {
	case request.Op == "parse":
		return "its URL cannot be parsed"
	case request.Timeout():
		return where + "no answer in time"
	case class == fault.Malformed, class == fault.HeaderTooLarge:
		return where + "the answer is not HTTP"
	}
	return where + request.Err.Error()
}

// isUnreadable reports whether err may quote the document that could not be decoded.
func isUnreadable(err error) bool {
	return errors.As(err, new(*json.SyntaxError)) || errors.As(err, new(*json.UnmarshalTypeError)) ||
		errors.As(err, new(*smithy.DeserializationError)) || errors.As(err, new(*time.ParseError)) ||
		strings.Contains(err.Error(), "RFC3339") || strings.Contains(err.Error(), "cached SSO token file")
}
