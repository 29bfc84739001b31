package store

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Addressing says where a request carries the bucket's name: in the path or in the host name.
type Addressing string

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
	Addressing   Addressing // zero: as configured (addressing_style), else auto
	Connections  int        // how many requests will be in flight at once
	Isolated     bool       // read neither the environment nor the files

	// AccessKey and SecretKey sign the requests of an Isolated Store. If they are empty, its requests are not signed.
	AccessKey, SecretKey string
}

// checkRegion refuses a region that would change the host name of the endpoint, or that a header cannot carry.
func checkRegion(region string) error {
	if strings.ContainsAny(region, " /:.@?#") || strings.ContainsFunc(region, isControl) {
		return fmt.Errorf("%q is not the name of a region", region)
	}
	return nil
}

// VariantError is a setting that asks for a variant of AWS's endpoints, where another endpoint is named.
type VariantError struct{ name, variable, setting string }

func (e *VariantError) Error() string {
	return "the endpoint is not one of AWS, and " + e.variable + " or " + e.setting + " asks for a " + e.name + " endpoint"
}

// Hint says how to switch the setting off.
func (e *VariantError) Hint() string {
	return e.variable + "=false in the environment switches it off; or leave the URL of the endpoint out"
}

// checkVariants returns a *VariantError if the SDK would refuse the endpoint of a client for a setting.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html
func checkVariants(client *s3.Client) error {
	options := client.Options()
	switch {
	case options.BaseEndpoint == nil:
	case options.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled:
		return &VariantError{"FIPS", "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"}
	case options.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled:
		return &VariantError{"dual-stack", "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"}
	}
	return nil
}
