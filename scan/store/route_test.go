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

// signed is an environment with credentials.
func signed(more ...string) map[string]string {
	env := map[string]string{"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "secret"}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

// routeCases are Stores, and what the way of their requests is.
func routeCases() map[string]struct {
	cfg  Config
	env  map[string]string
	want string // as showRoute says it; what begins with "unusual:" is part of an DirectUnsupportedError
} {
	return map[string]struct {
		cfg  Config
		env  map[string]string
		want string
	}{
		"AWS":                      {Config{Bucket: "bucket", Region: "eu-west-1"}, signed(), "tls bucket.s3.eu-west-1.amazonaws.com:443 bucket.s3.eu-west-1.amazonaws.com / eu-west-1 s3"},
		"AWS, no region":           {Config{Bucket: "bucket"}, signed(), "tls bucket.s3.us-east-1.amazonaws.com:443 bucket.s3.us-east-1.amazonaws.com / us-east-1 s3"},
		"AWS, global":              {Config{Bucket: "bucket", Region: "aws-global"}, signed(), "tls bucket.s3.amazonaws.com:443 bucket.s3.amazonaws.com / us-east-1 s3"},
		"AWS, China":               {Config{Bucket: "bucket", Region: "cn-north-1"}, signed(), "tls bucket.s3.cn-north-1.amazonaws.com.cn:443 bucket.s3.cn-north-1.amazonaws.com.cn / cn-north-1 s3"},
		"AWS, dots":                {Config{Bucket: "with.dots", Region: "eu-west-1"}, signed(), "tls s3.eu-west-1.amazonaws.com:443 s3.eu-west-1.amazonaws.com /with.dots/ eu-west-1 s3"},
		"AWS, upper case":          {Config{Bucket: "Old_Bucket"}, signed(), "tls s3.us-east-1.amazonaws.com:443 s3.us-east-1.amazonaws.com /Old_Bucket/ us-east-1 s3"},
		"AWS, by path":             {Config{Bucket: "bucket", Addressing: AddressingPath}, signed(), "tls s3.us-east-1.amazonaws.com:443 s3.us-east-1.amazonaws.com /bucket/ us-east-1 s3"},
		"AWS, FIPS":                {Config{Bucket: "bucket"}, signed("AWS_USE_FIPS_ENDPOINT", "true"), "tls bucket.s3-fips.us-east-1.amazonaws.com:443 bucket.s3-fips.us-east-1.amazonaws.com / us-east-1 s3"},
		"AWS, dual stack":          {Config{Bucket: "bucket"}, signed("AWS_USE_DUALSTACK_ENDPOINT", "true"), "tls bucket.s3.dualstack.us-east-1.amazonaws.com:443 bucket.s3.dualstack.us-east-1.amazonaws.com / us-east-1 s3"},
		"AWS, an alias":            {Config{Bucket: "ap-metadata-abc-s3alias"}, signed(), "tls ap-metadata-abc-s3alias.s3.us-east-1.amazonaws.com:443 ap-metadata-abc-s3alias.s3.us-east-1.amazonaws.com / us-east-1 s3"},
		"AWS, a session token":     {Config{Bucket: "bucket", Region: "eu-west-1"}, signed("AWS_SESSION_TOKEN", "token"), "tls bucket.s3.eu-west-1.amazonaws.com:443 bucket.s3.eu-west-1.amazonaws.com / eu-west-1 s3"},
		"AWS, the requester pays":  {Config{Bucket: "bucket", RequestPayer: true}, signed(), "tls bucket.s3.us-east-1.amazonaws.com:443 bucket.s3.us-east-1.amazonaws.com / us-east-1 s3"},
		"AWS, anonymous":           {Config{Bucket: "bucket", Anonymous: true}, signed(), "tls bucket.s3.us-east-1.amazonaws.com:443 bucket.s3.us-east-1.amazonaws.com / us-east-1 "},
		"endpoint":                 {Config{Endpoints: []string{"http://h:9000"}}, signed(), "tcp h:9000 h:9000 /b/ us-east-1 s3"},
		"endpoint, from outside":   {Config{}, signed("AWS_ENDPOINT_URL_S3", "https://h:9000", "AWS_REGION", "r"), "tls h:9000 h:9000 /b/ r s3"},
		"endpoint, a slash more":   {Config{Endpoints: []string{"http://h:9000/"}}, signed(), "tcp h:9000 h:9000 /b/ us-east-1 s3"},
		"endpoint, isolated":       {Config{Endpoints: []string{"http://h:9000"}, Isolated: true, Region: "r"}, signed(), "tcp h:9000 h:9000 /b/ r "},
		"endpoint, anonymous":      {Config{Endpoints: []string{"http://h:9000"}, Anonymous: true}, nil, "tcp h:9000 h:9000 /b/ us-east-1 "},
		"endpoint, virtual":        {Config{Endpoints: []string{"http://h:9000"}, Addressing: AddressingVirtual, Bucket: "bucket"}, signed(), "tcp bucket.h:9000 bucket.h:9000 / us-east-1 s3"},
		"endpoint, a base path":    {Config{Endpoints: []string{"https://h/s3"}}, signed(), "tls h:443 h /s3/b/ us-east-1 s3"},
		"endpoint, an odd path":    {Config{Endpoints: []string{"https://h/a%20b/c/"}}, signed(), "tls h:443 h /a%20b/c/b/ us-east-1 s3"},
		"endpoint, base, virtual":  {Config{Endpoints: []string{"https://h/s3"}, Addressing: AddressingVirtual, Bucket: "bucket"}, signed(), "tls bucket.h:443 bucket.h /s3/ us-east-1 s3"},
		"endpoint, dots":           {Config{Endpoints: []string{"https://h"}, Bucket: "with.dots"}, signed(), "tls h:443 h /with.dots/ us-east-1 s3"},
		"endpoint, http":           {Config{Endpoints: []string{"http://h"}}, signed(), "tcp h:80 h /b/ us-east-1 s3"},
		"endpoint, port 80":        {Config{Endpoints: []string{"http://h:80"}}, signed(), "tcp h:80 h /b/ us-east-1 s3"},
		"endpoint, port 443":       {Config{Endpoints: []string{"https://h:443"}}, signed(), "tls h:443 h /b/ us-east-1 s3"},
		"endpoint, http on 443":    {Config{Endpoints: []string{"http://h:443"}}, signed(), "tcp h:443 h:443 /b/ us-east-1 s3"},
		"endpoint, IPv4":           {Config{Endpoints: []string{"https://127.0.0.1:9000"}}, signed(), "tls 127.0.0.1:9000 127.0.0.1:9000 /b/ us-east-1 s3"},
		"endpoint, IPv6 and port":  {Config{Endpoints: []string{"https://[::1]:9000"}}, signed(), "tls [::1]:9000 [::1]:9000 /b/ us-east-1 s3"},
		"endpoint, IPv6":           {Config{Endpoints: []string{"https://[fd00::a:1]"}}, signed(), "tls [fd00::a:1]:443 [fd00::a:1] /b/ us-east-1 s3"},
		"endpoint, another region": {Config{Endpoints: []string{"http://h"}, Region: "eu-1"}, signed(), "tcp h:80 h /b/ eu-1 s3"},

		"access point":         {Config{Bucket: "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"}, signed(), "unusual: ARN"},
		"multi-region":         {Config{Bucket: "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"}, signed(), "unusual: ARN"},
		"directory bucket":     {Config{Bucket: "bucket--use1-az4--x-s3"}, signed(), "unusual: S3 Express"},
		"an alias on Outposts": {Config{Bucket: "test-accessp-o0b1d075431d83bebde8xz5w8ijx1qzlbp3i3kuse10--op-s3"}, signed(), "unusual: X-Amz-Region-Set"},
		"IPv6 and port 80":     {Config{Endpoints: []string{"http://[::1]:80"}}, signed(), "unusual: the SDK prepares no request"}, // it loses the brackets
		"IDN":                  {Config{Endpoints: []string{"https://bücher.example"}}, signed(), "unusual: not ASCII"},
	}
}

func showRoute(r *Route, err error) string {
	var unusual *DirectUnsupportedError
	if errors.As(err, &unusual) {
		return "unusual: " + err.Error()
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
			if why, isUnusual := strings.CutPrefix(c.want, "unusual: "); isUnusual {
				if !strings.HasPrefix(got, "unusual: ") || !strings.Contains(got, why) {
					t.Errorf("it goes %s, want an DirectUnsupportedError about %q", got, why)
				}
			} else if got != c.want {
				t.Errorf("it goes\n %s, want\n %s", got, c.want)
			}
			if unusual := s.DirectUnsupported(); (unusual == nil) != (err == nil) {
				t.Errorf("Unusual: %v", unusual)
			}
			if err == nil {
				compareRoute(t, s, route)
			}
		})
	}
}

// compareRoute holds a Route against what the SDK prepares for a key that is escaped and not cleaned.
func compareRoute(t *testing.T, s *Store, route *Route) {
	t.Helper()
	const key = "a b/../c//+%\u2603\xff"
	var sink requestCapture
	_, err := s.Endpoint(0).Client.HeadObject(t.Context(), &s3.HeadObjectInput{
		Bucket: aws.String(s.Bucket()), Key: aws.String(key), RequestPayer: s.RequestPayer(),
	}, func(o *s3.Options) { o.HTTPClient = &sink })
	r := sink.request
	if r == nil {
		t.Fatal(err)
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	// The SDK leaves the plus as it is where the way to the bucket is escaped itself. It is the same path, but S3 would
	// want another signature for it.
	path := r.URL.EscapedPath()
	if strings.Contains(route.Path, "%") {
		path = strings.ReplaceAll(path, "+", "%2B")
	}
	if want := route.Path + httpbinding.EscapePath(key, false); path != want || host != route.Host {
		t.Errorf("the SDK would ask %s for %s; the Route %s for %s", host, path, route.Host, want)
	}
	if isTLS := r.URL.Scheme == "https"; isTLS != (route.TLS != nil) || isTLS && route.TLS.ServerName != r.URL.Hostname() {
		t.Errorf("by %s to %s", r.URL.Scheme, r.URL.Hostname())
	}
	scope := "/" + route.Region + "/" + route.Service + "/aws4_request"
	if authorization := r.Header.Get("Authorization"); (authorization == "") != s.anonymous() || authorization != "" && !strings.Contains(authorization, scope) {
		t.Errorf("signed by %q, and the Route by %s", authorization, scope)
	}
	if isUnlike := r.Header.Get("X-Amz-Request-Payer") != string(s.RequestPayer()); isUnlike {
		t.Error("the payer is another")
	}
}

// Nothing in a HEAD by the SDK is left out that could matter: every header of a plain one is known.
func TestRouteOfRequestsThatAreNotPlain(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"a header":        func(r *http.Request) { r.Header.Set("X-Amz-S3session-Token", "t") },
		"a query":         func(r *http.Request) { r.URL.RawQuery = "versionId=1" },
		"a GET":           func(r *http.Request) { r.Method = http.MethodGet },
		"another key":     func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/b/other", "" },
		"no slash before": func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/b-"+probeKey, "" },
		"SigV4A": func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=probe/20261122/s3/aws4_request, Signature=")
		},
		"not signed":       func(r *http.Request) { r.Header.Del("Authorization") },
		"a host that none": func(r *http.Request) { r.Host = "a b" },
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
			var unusual *DirectUnsupportedError
			if route, err := s.readRoute(r, "r"); !errors.As(err, &unusual) || unusual.Reason == "" {
				t.Errorf("%s, %v", showRoute(route, err), err)
			}
		})
	}
}

// No flag and no variable asks for transfer acceleration, but the SDK might some day.
func TestRouteOfAcceleration(t *testing.T) {
	s, err := configured(t, Config{Bucket: "bucket"}, signed())
	if err != nil {
		t.Fatal(err)
	}
	route, err := s.findRoute(s3.New(s.Endpoint(0).Client.Options(), func(o *s3.Options) { o.UseAccelerate = true }))
	if got, want := showRoute(route, err), "tls bucket.s3-accelerate.amazonaws.com:443 bucket.s3-accelerate.amazonaws.com / us-east-1 s3"; got != want {
		t.Errorf("it goes %s, want %s", got, want)
	}
}

// One endpoint of several that has no Route makes the Store unusual.
func TestUnusualEndpointAmongOthers(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://h", "http://bücher.example"}}, signed())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Endpoint(0).Route(); err != nil {
		t.Error(err)
	}
	var unusual *DirectUnsupportedError
	if err := s.DirectUnsupported(); !errors.As(err, &unusual) {
		t.Errorf("%v", err)
	}
}

// A Route is made once, and another when the region is switched; who holds the old Sender goes the old way.
func TestRouteAfterASwitchOfRegion(t *testing.T) {
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
		t.Error("it is made for every Sender")
	}
	revision := s.Generation()
	if !s.SwitchRegion("eu-west-1", "eu-north-1") || s.Generation() == revision {
		t.Error("not switched, or nobody is told")
	}
	if still, _ := before.Route(); still != route || before.Region != "eu-west-1" {
		t.Errorf("the old Sender goes %s", showRoute(still, nil))
	}
	got, err := s.Endpoint(0).Route()
	if want := "tls bucket.s3.eu-north-1.amazonaws.com:443 bucket.s3.eu-north-1.amazonaws.com / eu-north-1 s3"; showRoute(got, err) != want {
		t.Errorf("it goes %s, want %s", showRoute(got, err), want)
	}
	if s.SwitchRegion("eu-north-1", "eu-south-1") || s.Endpoint(0).Region != "eu-north-1" {
		t.Error("switched twice")
	}
}

// proxyVariable makes the test binary say the Route of a Store: net/http reads the proxy's variables once in a process.
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
	for name, c := range map[string]struct {
		endpoint string
		env      []string
		want     string
	}{
		"HTTPS_PROXY":          {"https://h", []string{"HTTPS_PROXY=http://proxy:3128"}, "unusual: a proxy is configured"},
		"https_proxy":          {"https://h", []string{"https_proxy=proxy:3128"}, "unusual: a proxy is configured"},
		"HTTP_PROXY":           {"http://h", []string{"HTTP_PROXY=http://proxy:3128"}, "unusual: a proxy is configured"},
		"a proxy that is none": {"https://h", []string{"HTTPS_PROXY=://"}, "unusual: a proxy is configured"},
		"for the other scheme": {"http://h", []string{"HTTPS_PROXY=http://proxy:3128"}, "tcp h:80 h /b/ r "},
		"NO_PROXY":             {"https://h", []string{"HTTPS_PROXY=http://proxy:3128", "NO_PROXY=.example,h"}, "tls h:443 h /b/ r "},
		"a loopback":           {"http://127.0.0.1:9000", []string{"HTTP_PROXY=http://proxy:3128"}, "tcp 127.0.0.1:9000 127.0.0.1:9000 /b/ r "},
		"none":                 {"https://h", nil, "tls h:443 h /b/ r "},
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
