package store

import (
	"fmt"
	"strings"
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

// checkRegion refuses a region that would change the host name of the endpoint.
func checkRegion(region string) error {
	if strings.ContainsAny(region, " /:.@?#") {
		return fmt.Errorf("%q is not the name of a region", region)
	}
	return nil
}
