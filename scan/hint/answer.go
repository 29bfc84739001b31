package hint

import (
	"net/http"
	"strings"
)

// Answer is an answer that is an error. Its texts come from the store.
type Answer struct {
	Status   int
	Code     string // of S3; empty: none
	Location string // of a redirect: a URL without secrets; empty: none
	Endpoint string // the host that the store names as the bucket's; empty: none
	Region   string // the region that the store names; empty: none

	Continued bool   // the LIST had a continuation token
	Login     string // the scheme of WWW-Authenticate, as Basic; empty: none
}

// ForAnswer returns what the user can do about an answer that is an error.
func (r Request) ForAnswer(a Answer) string {
	if a.Continued && a.Status == http.StatusInternalServerError { // s3rver's answer to every continuation token
		return "if the store fails at the second page of every bucket: --list-objects-v1"
	}
	if a.Endpoint != "" && r.Endpoint != "" { // with PermanentRedirect or, at Alibaba OSS, AccessDenied
		return r.forNamedEndpoint(a)
	}
	switch a.Code {
	case "":
		if a.Status == http.StatusProxyAuthRequired {
			return r.proxyHint("the proxy wants a user and a password, as http://USER:PASSWORD@HOST:PORT in")
		}
		return r.withProxy(r.forStatus(a))
	case "NoSuchBucket":
		if host, bucket, found := strings.Cut(r.Bucket, ":"); found && strings.Contains(host, ".") {
			return "is " + host + ":" + bucket + " an endpoint? --endpoint-url http://" + host + ":" + bucket + " s3://BUCKET"
		}
		return r.orAddressing("are the names of the bucket and of the endpoint right? --endpoint-url URL")
	case "NoSuchKey": // of a LIST: the store takes it for the GET of an object
		return r.orAddressing("the store takes the LIST for an object: is the URL of the endpoint right? " +
			"--endpoint-url URL, --addressing virtual")
	case "SecondLevelDomainForbidden", "PathStyleDomainForbidden", "InvalidPathAccess":
		return virtualHint
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound": // the last is versitygw's
		return "do the keys belong to this endpoint? " +
			"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, --profile, --endpoint-url"
	case "AccessDenied":
		return "listing needs s3:ListBucket, HEAD needs s3:GetObject, bench seed s3:PutObject, " +
			"bench clean s3:DeleteObject; a public bucket may need --no-sign-request, " +
			"and one that bills its readers --request-payer"
	case "ExpiredToken", "InvalidToken":
		return "get new temporary credentials and start again"
	case "PermanentRedirect", "TemporaryRedirect":
		return r.forNamedEndpoint(a)
	case "AuthorizationHeaderMalformed":
		return regionHint(a)
	case "RequestTimeTooSkewed":
		return "the clock of this machine is wrong"
	case "NotImplemented":
		return "is the endpoint's URL right? for an old store: --list-objects-v1"
	}
	if a.Status >= 500 {
		return r.forStatus(a)
	}
	return ""
}

// forStatus is for answers whose code says nothing.
func (r Request) forStatus(a Answer) string {
	switch {
	case a.Status == http.StatusBadRequest && (r.Endpoint == "" || r.speaksHTTP()):
		// The answer of net/http, nginx and others to plain HTTP on a TLS port.
		return "does the endpoint speak TLS? try https://; or is it no S3 API?"
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		return r.forBareRefusal(a)
	case a.Status == http.StatusNotFound:
		return r.orAddressing("is the URL of the endpoint that of an S3 API? --endpoint-url URL")
	case a.Status >= 300 && a.Status < 400:
		return r.forRedirect(a)
	case a.Status == http.StatusNotImplemented:
		return "is the endpoint's URL right? for an old store: --list-objects-v1"
	case a.Status >= 500:
		return "--retry-for sets how long headcount waits for a store in trouble"
	case a.Status >= 400 || a.Status < 300:
		return "is the endpoint an S3 API, and not a console, a proxy or a login page? --endpoint-url URL"
	}
	return ""
}

func (r Request) forBareRefusal(a Answer) string {
	if a.Login != "" && !strings.HasPrefix(a.Login, "AWS") {
		return "something in front of the store wants a login by " + a.Login + ", which headcount does not support: " +
			"is there an endpoint without it? --endpoint-url URL"
	}
	return "the answer is no S3 error: does something in front of the store refuse the request? " +
		"or the keys may not list (s3:ListBucket), or belong to another endpoint: --profile, --endpoint-url"
}

// orAddressing returns the hint for a bucket that was not found. Where the endpoint names the bucket already, or the
// store may not know the style of the URL, that is the better hint.
func (r Request) orAddressing(otherwise string) string {
	if endpoint, ok := r.withoutBucket(); ok {
		return alreadyNamed(endpoint)
	}
	if r.VirtualHosted && r.Endpoint != "" {
		return pathHint
	}
	return otherwise
}

// alreadyNamed is for an endpoint that names the bucket; endpoint is the URL without it.
func alreadyNamed(endpoint string) string {
	return "the endpoint names the bucket already: --endpoint-url " + endpoint
}

// ForDocument returns what the user can do about a page that is no listing, by its root element.
func (r Request) ForDocument(root string) string {
	switch {
	case root == "ListAllMyBucketsResult" && r.VirtualHosted:
		return pathHint
	case root == "ListAllMyBucketsResult":
		return "the store lists its buckets: " + virtualHint
	}
	return r.withProxy("is the endpoint an S3 API, and not a console, a proxy or a login page?")
}

// forRedirect is for a redirect by HTTP, which headcount does not follow.
func (r Request) forRedirect(a Answer) string {
	to, target, ok := origin(a.Location)
	switch {
	case !ok && a.Region != "":
		return regionHint(a)
	case !ok:
		return "headcount follows no redirect: is the URL of the endpoint right? --endpoint-url URL"
	}
	own, from, _ := origin(r.Endpoint)
	isSameHost := from != nil && strings.EqualFold(target.Hostname(), from.Hostname())
	isPermanent := a.Status == http.StatusMovedPermanently || a.Status == http.StatusPermanentRedirect
	switch {
	case to == own:
		return "headcount follows no redirect: is the path in the URL of the endpoint right? --endpoint-url URL"
	case isSameHost && target.Scheme == "https" && from.Scheme == "http", isPermanent:
		return "headcount follows no redirect: --endpoint-url " + to
	}
	return "headcount follows no redirect, and this one may lead to a login page: " +
		"is the URL of the endpoint right? --endpoint-url URL"
}

// forNamedEndpoint is for a store that names another endpoint of the bucket.
func (r Request) forNamedEndpoint(a Answer) string {
	scheme, host, found := strings.Cut(a.Endpoint, "://")
	if !found {
		scheme, host = "https", a.Endpoint
		if r.speaksHTTP() {
			scheme = "http"
		}
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, r.Bucket+"."), "/")
	switch {
	case r.Endpoint != "" && host != "":
		return "the store names another endpoint: --endpoint-url " + scheme + "://" + host
	case a.Region == "":
		a.Region = regionOfHost(host)
	}
	return regionHint(a)
}

// regionOfHost returns the region in a host name of AWS, as s3.eu-west-1.amazonaws.com or s3-eu-west-1.amazonaws.com;
// empty: there is none. https://docs.aws.amazon.com/general/latest/gr/s3.html
func regionOfHost(host string) string {
	host = strings.TrimSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com")
	region := strings.TrimPrefix(strings.TrimPrefix(host, "s3"), ".dualstack")
	if region == host || len(region) < 2 || strings.ContainsAny(region[1:], ".") {
		return ""
	}
	return region[1:]
}

func regionHint(a Answer) string {
	if a.Region != "" {
		return "--region " + a.Region + " is where the bucket is"
	}
	return "--region says where the bucket is"
}
