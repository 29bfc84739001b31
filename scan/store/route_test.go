package store

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// signed returns an environment with credentials, and with more variables: names and values in turn.
func signed(more ...string) map[string]string {
	env := map[string]string{"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "secret"}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

// routeCase is a Store and its Route.
type routeCase struct {
	cfg  Config
	env  map[string]string
	want string // as showRoute formats it; "unsupported: " is followed by a part of the DirectUnsupportedError
}

func routeCases() map[string]routeCase {
	cases := map[string]routeCase{}
	for name, c := range awsRouteCases() {
		cases["AWS, "+name] = c
	}
	for name, c := range endpointRouteCases() {
		cases["endpoint, "+name] = c
	}
	for name, c := range unsupportedRouteCases() {
		cases["unsupported, "+name] = c
	}
	return cases
}

func awsRouteCases() map[string]routeCase {
	return map[string]routeCase{
		"plain": {
			Config{Bucket: "bucket", Region: "eu-west-1"}, signed(),
			"tls bucket.s3.eu-west-1.amazonaws.com:443 bucket.s3.eu-west-1.amazonaws.com / eu-west-1 s3",
		},
		"no region": {
			Config{Bucket: "bucket"}, signed(),
			"tls bucket.s3.us-east-1.amazonaws.com:443 bucket.s3.us-east-1.amazonaws.com / us-east-1 s3",
		},
		"global": {
			Config{Bucket: "bucket", Region: "aws-global"}, signed(),
			"tls bucket.s3.amazonaws.com:443 bucket.s3.amazonaws.com / us-east-1 s3",
		},
		"China": {
			Config{Bucket: "bucket", Region: "cn-north-1"}, signed(),
			"tls bucket.s3.cn-north-1.amazonaws.com.cn:443 bucket.s3.cn-north-1.amazonaws.com.cn / cn-north-1 s3",
		},
		"dots": {
			Config{Bucket: "with.dots", Region: "eu-west-1"}, signed(),
			"tls s3.eu-west-1.amazonaws.com:443 s3.eu-west-1.amazonaws.com /with.dots/ eu-west-1 s3",
		},
		"upper case": {
			Config{Bucket: "Old_Bucket"}, signed(),
			"tls s3.us-east-1.amazonaws.com:443 s3.us-east-1.amazonaws.com /Old_Bucket/ us-east-1 s3",
		},
		"by path": {
			Config{Bucket: "bucket", Addressing: AddressingPath}, signed(),
			"tls s3.us-east-1.amazonaws.com:443 s3.us-east-1.amazonaws.com /bucket/ us-east-1 s3",
		},
		"FIPS": {
			Config{Bucket: "bucket"}, signed("AWS_USE_FIPS_ENDPOINT", "true"),
			"tls bucket.s3-fips.us-east-1.amazonaws.com:443 bucket.s3-fips.us-east-1.amazonaws.com / us-east-1 s3",
		},
		"dual stack": {
			Config{Bucket: "bucket"}, signed("AWS_USE_DUALSTACK_ENDPOINT", "true"),
			"tls bucket.s3.dualstack.us-east-1.amazonaws.com:443 " +
				"bucket.s3.dualstack.us-east-1.amazonaws.com / us-east-1 s3",
		},
		"an alias": {
			Config{Bucket: "ap-metadata-abc-s3alias"}, signed(),
			"tls ap-metadata-abc-s3alias.s3.us-east-1.amazonaws.com:443 " +
				"ap-metadata-abc-s3alias.s3.us-east-1.amazonaws.com / us-east-1 s3",
		},
		"a session token": {
			Config{Bucket: "bucket", Region: "eu-west-1"}, signed("AWS_SESSION_TOKEN", "token"),
			"tls bucket.s3.eu-west-1.amazonaws.com:443 bucket.s3.eu-west-1.amazonaws.com / eu-west-1 s3",
		},
		"the requester pays": {
			Config{Bucket: "bucket", RequestPayer: true}, signed(),
			"tls bucket.s3.us-east-1.amazonaws.com:443 bucket.s3.us-east-1.amazonaws.com / us-east-1 s3",
		},
		"anonymous": {
			Config{Bucket: "bucket", Anonymous: true}, signed(),
			"tls bucket.s3.us-east-1.amazonaws.com:443 bucket.s3.us-east-1.amazonaws.com / us-east-1 ",
		},
	}
}

func endpointRouteCases() map[string]routeCase {
	return map[string]routeCase{
		"plain": {
			Config{Endpoints: []string{"http://h:9000"}}, signed(),
			"tcp h:9000 h:9000 /b/ us-east-1 s3",
		},
		"from outside": {
			Config{}, signed("AWS_ENDPOINT_URL_S3", "https://h:9000", "AWS_REGION", "r"),
			"tls h:9000 h:9000 /b/ r s3",
		},
		"a slash more": {
			Config{Endpoints: []string{"http://h:9000/"}}, signed(),
			"tcp h:9000 h:9000 /b/ us-east-1 s3",
		},
		"isolated": {
			Config{Endpoints: []string{"http://h:9000"}, Isolated: true, Region: "r"}, signed(),
			"tcp h:9000 h:9000 /b/ r ",
		},
		"anonymous": {
			Config{Endpoints: []string{"http://h:9000"}, Anonymous: true}, nil,
			"tcp h:9000 h:9000 /b/ us-east-1 ",
		},
		"virtual": {
			Config{Endpoints: []string{"http://h:9000"}, Addressing: AddressingVirtual, Bucket: "bucket"}, signed(),
			"tcp bucket.h:9000 bucket.h:9000 / us-east-1 s3",
		},
		"a base path": {
			Config{Endpoints: []string{"https://h/s3"}}, signed(),
			"tls h:443 h /s3/b/ us-east-1 s3",
		},
		"an odd path": {
			Config{Endpoints: []string{"https://h/a%20b/c/"}}, signed(),
			"tls h:443 h /a%20b/c/b/ us-east-1 s3",
		},
		"base, virtual": {
			Config{Endpoints: []string{"https://h/s3"}, Addressing: AddressingVirtual, Bucket: "bucket"}, signed(),
			"tls bucket.h:443 bucket.h /s3/ us-east-1 s3",
		},
		"dots": {
			Config{Endpoints: []string{"https://h"}, Bucket: "with.dots"}, signed(),
			"tls h:443 h /with.dots/ us-east-1 s3",
		},
		"http": {
			Config{Endpoints: []string{"http://h"}}, signed(),
			"tcp h:80 h /b/ us-east-1 s3",
		},
		"port 80": {
			Config{Endpoints: []string{"http://h:80"}}, signed(),
			"tcp h:80 h /b/ us-east-1 s3",
		},
		"port 443": {
			Config{Endpoints: []string{"https://h:443"}}, signed(),
			"tls h:443 h /b/ us-east-1 s3",
		},
		"http on 443": {
			Config{Endpoints: []string{"http://h:443"}}, signed(),
			"tcp h:443 h:443 /b/ us-east-1 s3",
		},
		"IPv4": {
			Config{Endpoints: []string{"https://127.0.0.1:9000"}}, signed(),
			"tls 127.0.0.1:9000 127.0.0.1:9000 /b/ us-east-1 s3",
		},
		"IPv6 and port": {
			Config{Endpoints: []string{"https://[::1]:9000"}}, signed(),
			"tls [::1]:9000 [::1]:9000 /b/ us-east-1 s3",
		},
		"IPv6": {
			Config{Endpoints: []string{"https://[fd00::a:1]"}}, signed(),
			"tls [fd00::a:1]:443 [fd00::a:1] /b/ us-east-1 s3",
		},
		"another region": {
			Config{Endpoints: []string{"http://h"}, Region: "eu-1"}, signed(),
			"tcp h:80 h /b/ eu-1 s3",
		},
	}
}

func unsupportedRouteCases() map[string]routeCase {
	return map[string]routeCase{
		"access point": {
			Config{Bucket: "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"}, signed(),
			"unsupported: ARN",
		},
		"multi-region": {
			Config{Bucket: "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"}, signed(),
			"unsupported: ARN",
		},
		"directory bucket": {
			Config{Bucket: "bucket--use1-az4--x-s3"}, signed(),
			"unsupported: S3 Express",
		},
		"an alias on Outposts": {
			Config{Bucket: "test-accessp-o0b1d075431d83bebde8xz5w8ijx1qzlbp3i3kuse10--op-s3"}, signed(),
			"unsupported: X-Amz-Region-Set",
		},
		"IPv6 and port 80": {
			Config{Endpoints: []string{"http://[::1]:80"}}, signed(),
			"unsupported: the SDK prepares no request", // the SDK loses the brackets
		},
		"IDN": {
			Config{Endpoints: []string{"https://bücher.example"}}, signed(),
			"unsupported: not ASCII",
		},
	}
}

// showRoute formats a Route: network, address, Host, path, region, service.
func showRoute(r *Route, err error) string {
	var unsupported *DirectUnsupportedError
	if errors.As(err, &unsupported) {
		return "unsupported: " + err.Error()
	}
	if err != nil {
		return err.Error()
	}
	network := "tcp"
	if r.TLS != nil {
		network = "tls"
	}
	return fmt.Sprint(network, " ", r.HostPort, " ", r.Host, " ", r.Path, " ", r.Region, " ", r.Service)
}

func TestRoute(t *testing.T) {
	for name, c := range routeCases() {
		t.Run(name, func(t *testing.T) {
			s, err := configured(t, c.cfg, c.env)
			if err != nil {
				t.Fatal(err)
			}
			route, err := s.Endpoint(0).Route()
			got := showRoute(route, err)
			if reason, isUnsupported := strings.CutPrefix(c.want, "unsupported: "); isUnsupported {
				if !strings.HasPrefix(got, "unsupported: ") || !strings.Contains(got, reason) {
					t.Errorf("%s, want a DirectUnsupportedError about %q", got, reason)
				}
			} else if got != c.want {
				t.Errorf("\n%s, want\n%s", got, c.want)
			}
			if unsupported := s.DirectUnsupported(); (unsupported == nil) != (err == nil) {
				t.Errorf("DirectUnsupported: %v", unsupported)
			}
			if err == nil {
				compareRoute(t, s, route)
			}
		})
	}
}

// compareRoute compares a Route with the SDK's request for a key that must be escaped and not cleaned.
func compareRoute(t *testing.T, s *Store, route *Route) {
	t.Helper()
	const key = "a b/../c//+%\u2603\xff"
	var capture requestCapture
	_, err := s.Endpoint(0).Client.HeadObject(t.Context(), &s3.HeadObjectInput{
		Bucket: aws.String(s.Bucket()), Key: aws.String(key), RequestPayer: s.RequestPayer(),
	}, func(o *s3.Options) { o.HTTPClient = &capture })
	r := capture.request
	if r == nil {
		t.Fatal(err)
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	// The SDK does not escape the plus if the path of the endpoint is escaped itself. The path is the same, but S3
	// expects another signature for it.
	path := r.URL.EscapedPath()
	if strings.Contains(route.Path, "%") {
		path = strings.ReplaceAll(path, "+", "%2B")
	}
	if want := route.Path + httpbinding.EscapePath(key, false); path != want || host != route.Host {
		t.Errorf("the SDK sends %s to %s; the Route says %s to %s", path, host, want, route.Host)
	}
	isTLS := r.URL.Scheme == "https"
	if isTLS != (route.TLS != nil) || isTLS && route.TLS.ServerName != r.URL.Hostname() {
		t.Errorf("the SDK uses %s to %s; the Route's TLS is %v", r.URL.Scheme, r.URL.Hostname(), route.TLS)
	}
	scope := "/" + route.Region + "/" + route.Service + "/aws4_request"
	authorization := r.Header.Get("Authorization")
	if (authorization == "") != s.anonymous() || authorization != "" && !strings.Contains(authorization, scope) {
		t.Errorf("the SDK signs %q, for the Route's %s", authorization, scope)
	}
	if payer := r.Header.Get("X-Amz-Request-Payer"); payer != string(s.RequestPayer()) {
		t.Errorf("the SDK sends the payer %q", payer)
	}
}

// A request with any part that readRoute does not know has no Route.
func TestNoRouteForUnknownRequests(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"a header":        func(r *http.Request) { r.Header.Set("X-Amz-S3session-Token", "t") },
		"a query":         func(r *http.Request) { r.URL.RawQuery = "versionId=1" },
		"a GET":           func(r *http.Request) { r.Method = http.MethodGet },
		"another key":     func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/b/other", "" },
		"no slash before": func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/b-"+probeKey, "" },
		"SigV4A": func(r *http.Request) {
			const sigV4A = "AWS4-ECDSA-P256-SHA256 Credential=probe/20261122/s3/aws4_request, Signature="
			r.Header.Set("Authorization", sigV4A)
		},
		"not signed":      func(r *http.Request) { r.Header.Del("Authorization") },
		"an invalid host": func(r *http.Request) { r.Host = "a b" },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := configured(t, Config{Endpoints: []string{"http://h"}}, signed())
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.prepareProbe(s.Endpoint(0).Client)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.readRoute(r, "r"); err != nil {
				t.Fatal(err)
			}
			change(r)
			var unsupported *DirectUnsupportedError
			if route, err := s.readRoute(r, "r"); !errors.As(err, &unsupported) || unsupported.Reason == "" {
				t.Errorf("%s, %v", showRoute(route, err), err)
			}
		})
	}
}

// No flag and no variable asks for transfer acceleration. A later version of the SDK may have one.
func TestRouteOfAcceleration(t *testing.T) {
	s, err := configured(t, Config{Bucket: "bucket"}, signed())
	if err != nil {
		t.Fatal(err)
	}
	route, err := s.findRoute(s3.New(s.Endpoint(0).Client.Options(), func(o *s3.Options) { o.UseAccelerate = true }))
	want := "tls bucket.s3-accelerate.amazonaws.com:443 bucket.s3-accelerate.amazonaws.com / us-east-1 s3"
	if got := showRoute(route, err); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The direct engine cannot use a Store if one of several endpoints has no Route.
func TestOneEndpointWithoutARoute(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://h", "http://bücher.example"}}, signed())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Endpoint(0).Route(); err != nil {
		t.Error(err)
	}
	var unsupported *DirectUnsupportedError
	if err := s.DirectUnsupported(); !errors.As(err, &unsupported) {
		t.Errorf("%v", err)
	}
}

// A Route is computed once for each region. The old Endpoint keeps its Route.
func TestRouteAfterSwitchRegion(t *testing.T) {
	s, err := configured(t, Config{Bucket: "bucket", Region: "eu-west-1"}, signed())
	if err != nil {
		t.Fatal(err)
	}
	before := s.Endpoint(0)
	route, err := before.Route()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Endpoint(1).Route(); again != route {
		t.Error("it was computed again")
	}
	generation := s.Generation()
	if !s.SwitchRegion("eu-west-1", "eu-north-1") || s.Generation() == generation {
		t.Error("not switched, or in the same generation")
	}
	if still, _ := before.Route(); still != route || before.Region != "eu-west-1" {
		t.Errorf("the Route of the old Endpoint is %s", showRoute(still, nil))
	}
	got, err := s.Endpoint(0).Route()
	want := "tls bucket.s3.eu-north-1.amazonaws.com:443 bucket.s3.eu-north-1.amazonaws.com / eu-north-1 s3"
	if showRoute(got, err) != want {
		t.Errorf("%s, want %s", showRoute(got, err), want)
	}
	if s.SwitchRegion("eu-north-1", "eu-south-1") || s.Endpoint(0).Region != "eu-north-1" {
		t.Error("switched twice")
	}
}

// proxyVariable makes the test binary print the Route of an endpoint: net/http reads the proxy's variables once in a
// process.
const proxyVariable = "STORE_TEST_ROUTE_OF"

func TestRouteWithAProxy(t *testing.T) {
	if endpoint := os.Getenv(proxyVariable); endpoint != "" {
		s, err := Open(t.Context(), Config{Bucket: "b", Endpoints: []string{endpoint}, Isolated: true, Region: "r"})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("ROUTE", showRoute(s.Endpoint(0).Route()))
		return
	}
	const unsupported = "unsupported: a proxy is configured"
	for name, c := range map[string]struct {
		endpoint string
		env      []string
		want     string
	}{
		"HTTPS_PROXY":          {"https://h", []string{"HTTPS_PROXY=http://proxy:3128"}, unsupported},
		"https_proxy":          {"https://h", []string{"https_proxy=proxy:3128"}, unsupported},
		"HTTP_PROXY":           {"http://h", []string{"HTTP_PROXY=http://proxy:3128"}, unsupported},
		"an invalid proxy":     {"https://h", []string{"HTTPS_PROXY=://"}, unsupported},
		"for the other scheme": {"http://h", []string{"HTTPS_PROXY=http://proxy:3128"}, "tcp h:80 h /b/ r "},
		"NO_PROXY": {
			"https://h", []string{"HTTPS_PROXY=http://proxy:3128", "NO_PROXY=.example,h"}, "tls h:443 h /b/ r ",
		},
		"a loopback address": {
			"http://127.0.0.1:9000", []string{"HTTP_PROXY=http://proxy:3128"},
			"tcp 127.0.0.1:9000 127.0.0.1:9000 /b/ r ",
		},
		"none": {"https://h", nil, "tls h:443 h /b/ r "},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run", "^TestRouteWithAProxy$", "-test.v")
			cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool {
				variable, _, _ := strings.Cut(pair, "=")
				return strings.HasSuffix(strings.ToLower(variable), "_proxy") || variable == "REQUEST_METHOD"
			})
			cmd.Env = append(append(cmd.Env, proxyVariable+"="+c.endpoint), c.env...)
			out, err := cmd.CombinedOutput()
			if !strings.Contains(string(out), "ROUTE "+c.want+"\n") {
				t.Errorf("%v: %s, want %s", err, out, c.want)
			}
		})
	}
}
