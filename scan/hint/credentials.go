package hint

import (
	"errors"
	"strings"
)

// Provider is a kind of provider of credentials, by its name in messages.
type Provider string

// The kinds of providers. OtherProvider is any other.
const (
	MetadataService Provider = "the EC2 metadata service"
	ContainerAgent  Provider = "the container's credentials endpoint"
	TokenService    Provider = "AWS STS"
	WebIdentity     Provider = "AWS STS by web identity"
	SingleSignOn    Provider = "AWS single sign-on"
	ConsoleLogin    Provider = "aws login"
	Process         Provider = "credential_process"
	OtherProvider   Provider = "the AWS configuration"
)

// MissingCredentials is the hint where no credentials are configured.
const MissingCredentials = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --profile, " +
	"or --no-sign-request for a public bucket"

// Hint says what the user can do about a provider that failed.
func (p Provider) Hint(profile string) string {
	profile = quoteShell(profile)
	switch p {
	case MetadataService:
		return MissingCredentials + "; where EC2 should give them, a container needs a hop limit of 2; " +
			"AWS_EC2_METADATA_DISABLED=true asks no metadata service"
	case ContainerAgent:
		return "is AWS_CONTAINER_CREDENTIALS_FULL_URI, or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, right? without it: " +
			MissingCredentials
	case TokenService:
		return "can this machine reach STS, and may the keys assume the role of the profile " + profile + "? " +
			"AWS_ENDPOINT_URL_STS, HTTPS_PROXY; or use another --profile"
	case WebIdentity:
		return "does the role of AWS_ROLE_ARN trust the token in AWS_WEB_IDENTITY_TOKEN_FILE, and can this machine " +
			"reach STS? AWS_ENDPOINT_URL_STS, HTTPS_PROXY"
	case SingleSignOn:
		return "aws sso login --profile " + profile
	case ConsoleLogin:
		return "aws login --profile " + profile
	case Process:
		return "run the credential_process of the profile " + profile + " by hand: headcount hides its messages"
	}
	return MissingCredentials
}

// SecondFactor is the hint for a profile whose role wants a code that the AWS CLI asks for.
func SecondFactor(profile string) string {
	return `eval "$(aws configure export-credentials --profile ` + quoteShell(profile) +
		` --format env)" asks for the code; then leave --profile out`
}

// quoteShell quotes a word for a shell where it needs quotes.
func quoteShell(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./@:+"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// forCredentials returns the hint of the error of the credentials, which knows their provider.
func forCredentials(err error) string {
	var hinted interface {
		error
		Hint() string
	}
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return MissingCredentials
}
