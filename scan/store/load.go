package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/smithy-go/logging"

	"headcount/scan/hint"
)

// loader reads the AWS configuration of the environment and the files.
type loader struct {
	cfg         Config
	files       awsFiles
	settings    map[string]string // of the profile
	maxAttempts int               // 0: not configured
}

func newLoader(cfg Config) *loader {
	l := &loader{cfg: cfg}
	if cfg.Isolated {
		return l
	}
	l.files = findAWSFiles(cfg.Profile)
	l.settings = l.files.settings(l.files.profile)
	for _, text := range []string{os.Getenv("AWS_MAX_ATTEMPTS"), l.settings["max_attempts"]} {
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			l.maxAttempts = n
			break
		}
	}
	return l
}

// addressing returns the style of Config or, where it has none, that of the setting which other clients of S3 read.
// https://docs.aws.amazon.com/cli/latest/topic/s3-config.html (addressing_style)
func (l *loader) addressing() Addressing {
	configured := Addressing(strings.ToLower(l.settings["s3.addressing_style"]))
	if l.cfg.Addressing == "" && (configured == AddressingPath || configured == AddressingVirtual) {
		return configured
	}
	return cmp.Or(l.cfg.Addressing, AddressingAuto)
}

// load returns the configuration. The requests of its providers of credentials have short timeouts and few attempts,
// since a run waits for them.
func (l *loader) load(ctx context.Context) (aws.Config, error) {
	if l.cfg.Isolated {
		return l.isolated(), nil
	}
	if err := l.files.check(); err != nil {
		return aws.Config{}, err
	}
	opts, err := l.options()
	if err != nil {
		return aws.Config{}, err
	}
	credentials := []string{l.files.credentials}
	if text := l.files.overrides(); text != "" {
		name, err := writeTemporary(text)
		if err != nil {
			return aws.Config{}, err
		}
		defer os.Remove(name)
		credentials = append(credentials, name)
	}
	opts = append(opts,
		config.WithSharedConfigFiles([]string{l.files.config}), config.WithSharedCredentialsFiles(credentials))
	defer hideForeignVariables()()
	loaded, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, l.explain(err)
	}
	if slices.Contains(sourcesOf(loaded.Credentials), aws.CredentialSourceProcess) {
		loaded.Credentials = quietProcess(loaded, processcreds.DefaultTimeout)
	}
	return loaded, nil
}

// provider returns the function that loads the provider of credentials again; nil: it cannot be another one.
func (l *loader) provider() loadProvider {
	if l.cfg.Isolated {
		return nil
	}
	return func(ctx context.Context) (aws.CredentialsProvider, error) {
		loaded, err := l.load(ctx)
		return loaded.Credentials, err
	}
}

// isolated returns a configuration that depends on Config alone.
func (l *loader) isolated() aws.Config {
	isolated := aws.Config{
		Region: l.cfg.Region, Credentials: aws.AnonymousCredentials{}, HTTPClient: awshttp.NewBuildableClient(),
	}
	if l.cfg.AccessKey != "" {
		isolated.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: l.cfg.AccessKey, SecretAccessKey: l.cfg.SecretKey}, nil
		})
	}
	return isolated
}

// Of the requests that fetch credentials. The metadata service has timeouts of its own, of some seconds.
const (
	providerDialTimeout = 3 * time.Second
	providerTimeout     = 10 * time.Second // of a whole request
	providerAttemptsMax = 3
)

// providerClient returns the client of the providers. It is a buildable one, since the SDK refuses AWS_CA_BUNDLE with
// any other. The Store uses its transport alone.
func providerClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(providerTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = providerDialTimeout })
}

func (l *loader) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = providerAttemptsMax
		if l.maxAttempts > 0 {
			o.MaxAttempts = min(l.maxAttempts, providerAttemptsMax)
		}
		o.MaxBackoff = time.Second
	})
}

// options returns the options by which the SDK loads the configuration.
func (l *loader) options() ([]func(*config.LoadOptions) error, error) {
	client := providerClient()
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }),
		config.WithSSOProviderOptions(func(o *ssocreds.Options) { o.Client = checkedSSO{o.Client} }),
		config.WithRetryer(l.retryer),
		config.WithLogger(logging.Nop{}), // the SDK would log to standard error
		// The mode "auto" would ask the metadata service. No mode has an effect on what headcount sends.
		config.WithDefaultsMode(aws.DefaultsModeLegacy),
	}
	if l.cfg.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(l.cfg.Profile))
	}
	if l.cfg.Region != "" {
		opts = append(opts, config.WithRegion(l.cfg.Region))
	}
	if l.cfg.Anonymous {
		opts = append(opts, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	if l.cfg.CABundle != "" {
		pem, err := readCABundle(l.cfg.CABundle)
		if err != nil {
			return nil, fmt.Errorf("CA bundle: %w", err)
		}
		opts = append(opts, config.WithCustomCABundle(strings.NewReader(string(pem))))
	}
	from, name := "AWS_CA_BUNDLE", os.Getenv("AWS_CA_BUNDLE")
	if name == "" {
		from, name = "ca_bundle of the profile "+l.files.profile, l.settings["ca_bundle"]
	}
	if name != "" && l.cfg.CABundle == "" {
		if err := CheckCABundle(name); err != nil { // the SDK's error has no reason
			return nil, fmt.Errorf("%s: %w", from, err)
		}
	}
	return opts, nil
}

// checkedSSO is a client of single sign-on whose answers have credentials. The SDK's provider crashes without them.
type checkedSSO struct {
	ssocreds.GetRoleCredentialsAPIClient
}

func (c checkedSSO) GetRoleCredentials(
	ctx context.Context, in *sso.GetRoleCredentialsInput, options ...func(*sso.Options),
) (*sso.GetRoleCredentialsOutput, error) {
	out, err := c.GetRoleCredentialsAPIClient.GetRoleCredentials(ctx, in, options...)
	if err == nil && out.RoleCredentials == nil {
		err = errors.New("response did not contain credentials")
	}
	return out, err
}

// foreignVariables are for other SDKs, or for other services than S3. The SDK refuses values that it does not know.
// headcount reads AWS_MAX_ATTEMPTS itself.
func foreignVariables() []string {
	return []string{
		"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_DEFAULTS_MODE", "AWS_ENABLE_ENDPOINT_DISCOVERY",
		"AWS_ACCOUNT_ID_ENDPOINT_MODE", "AWS_DISABLE_REQUEST_COMPRESSION", "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
		"AWS_RESPONSE_CHECKSUM_VALIDATION",
	}
}

// hideForeignVariables removes the variables from the environment, and returns a function that restores them. The SDK
// has no option to ignore one.
func hideForeignVariables() (restore func()) {
	hidden := map[string]string{}
	for _, name := range foreignVariables() {
		if value, given := os.LookupEnv(name); given {
			hidden[name] = value
			os.Unsetenv(name)
		}
	}
	return func() {
		for name, value := range hidden {
			os.Setenv(name, value)
		}
	}
}

// writeTemporary writes a file that only the user can read, and returns its name.
func writeTemporary(text string) (string, error) {
	f, err := os.CreateTemp("", "headcount-*.aws")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// explain returns the error of a configuration that the SDK refuses.
func (l *loader) explain(err error) error {
	var url *url.Error
	switch name, why := l.files.unreadable(); {
	case strings.Contains(err.Error(), "partial credentials found"):
		return &CredentialsError{
			reason: "the profile " + l.files.profile + " has one of aws_access_key_id and aws_secret_access_key alone",
			hint:   "set both in " + l.files.credentials + ", or none",
		}
	case errors.As(err, new(config.AssumeRoleTokenProviderNotSetError)):
		return &CredentialsError{
			reason: "the role of the profile " + l.files.profile + " wants a code of a second factor (MFA)",
			hint:   hint.SecondFactor(l.files.profile),
		}
	case name != "":
		return unreadableError(name, why)
	case errors.As(err, &url): // it repeats a URL, which may hold a secret
		return &CredentialsError{
			reason: "AWS_CONTAINER_CREDENTIALS_FULL_URI is not a URL", hint: hint.ContainerAgent.Hint(""),
		}
	}
	return errors.New("AWS configuration: " + strings.Join(strings.Fields(err.Error()), " "))
}

// unreadableError is for a file of the user that the SDK skips.
func unreadableError(name, why string) *CredentialsError {
	return &CredentialsError{reason: name + " " + why, hint: "save " + name + " as plain text in UTF-8, without a mark"}
}
