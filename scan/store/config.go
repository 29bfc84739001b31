package store

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// Addressing says where a request carries the bucket's name: in the path or in the host name.
type Addressing string

// The zero Addressing is AddressingAuto.
const (
	AddressingAuto    Addressing = "auto"    // path for custom endpoints, virtual for AWS
	AddressingPath    Addressing = "path"    // https://host/bucket/key
	AddressingVirtual Addressing = "virtual" // https://bucket.host/key
)

// regionDefault is the region if none is configured. Custom endpoints rarely check the region, and AWS answers a
// request for the wrong region with the name of the right one (see SwitchRegion).
const regionDefault = "us-east-1"

// Config says which bucket to open and how to reach it. The environment variables and files of the SDK give the value
// of each empty field: https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
type Config struct {
	Bucket       string     // a name, or the ARN of an access point; required
	Endpoints    []string   // URLs; several (a FlashBlade's data VIPs) share the load
	Profile      string     // of the shared configuration files
	Region       string     // empty: as configured, else us-east-1
	Anonymous    bool       // do not sign requests
	RequestPayer bool       // the requester pays for the requests
	CABundle     string     // PEM file of the certificate authorities to trust
	NoVerifyTLS  bool       // accept any certificate
	Addressing   Addressing // zero: auto
	Connections  int        // how many requests will be in flight at once
	Isolated     bool       // read neither the environment nor the files

	// AccessKey and SecretKey sign the requests of an Isolated Store. If they are empty, its requests are not signed.
	AccessKey, SecretKey string
}

func loadConfig(ctx context.Context, cfg Config) (aws.Config, error) {
	if cfg.Isolated {
		return isolatedConfig(cfg), nil
	}
	opts := []func(*config.LoadOptions) error{
		// A buildable client, since the SDK refuses AWS_CA_BUNDLE with any other.
		config.WithHTTPClient(awshttp.NewBuildableClient()),
	}
	if cfg.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(cfg.Profile))
	}
	if cfg.Region != "" {
		opts = append(opts, config.WithRegion(cfg.Region))
	}
	if cfg.Anonymous {
		opts = append(opts, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	if cfg.CABundle != "" {
		pem, err := os.Open(cfg.CABundle)
		if err != nil {
			return aws.Config{}, fmt.Errorf("CA bundle: %w", err)
		}
		defer pem.Close()
		opts = append(opts, config.WithCustomCABundle(pem))
	}
	if name := os.Getenv("AWS_CA_BUNDLE"); name != "" && cfg.CABundle == "" {
		if err := CheckCABundle(name); err != nil { // the SDK's error has no reason
			return aws.Config{}, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
		}
	}
	awsConfig, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("AWS configuration: %w", err)
	}
	return awsConfig, nil
}

// profileName returns the name of the profile in use; flag is that of --profile, or empty.
func profileName(flag string) string {
	return cmp.Or(flag, os.Getenv("AWS_PROFILE"), os.Getenv("AWS_DEFAULT_PROFILE"), config.DefaultSharedConfigProfile)
}

func isolatedConfig(cfg Config) aws.Config {
	isolated := aws.Config{
		Region: cfg.Region, Credentials: aws.AnonymousCredentials{}, HTTPClient: awshttp.NewBuildableClient(),
	}
	if cfg.AccessKey != "" {
		isolated.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: cfg.AccessKey, SecretAccessKey: cfg.SecretKey}, nil
		})
	}
	return isolated
}

// checkRegion refuses a region that would change the host name of the endpoint.
func checkRegion(region string) error {
	if strings.ContainsAny(region, " /:.@?#") {
		return fmt.Errorf("%q is not the name of a region", region)
	}
	return nil
}
