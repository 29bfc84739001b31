package direct

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"headcount/scan/head"
	"headcount/scan/store"
)

// signing holds everything that a signature depends on, except for the key.
type signing struct {
	route *store.Route
	creds aws.Credentials
	payer string
	mode  string // of checksums
	at    time.Time
}

// further returns the headers that not every request has.
func (s *signing) further() (headers []head.RequestHeader) {
	for _, h := range []head.RequestHeader{
		{Name: "x-amz-request-payer", Value: s.payer}, {Name: "x-amz-checksum-mode", Value: s.mode},
	} {
		if h.Value != "" {
			headers = append(headers, h)
		}
	}
	return headers
}

// bySDK is the reference: it returns the request for a key as the SDK signs and escapes it, with field names in lower
// case. It makes a new signer each time: a signer caches the signing key by access key, and would ignore a new
// secret.
func (s *signing) bySDK(t testing.TB, key, version string) (path string, fields map[string]string) {
	t.Helper()
	path = s.route.Path + httpbinding.EscapePath(key, false)
	query := ""
	if version != "" {
		query = "versionId=" + httpbinding.EscapePath(version, true)
	}
	r := &http.Request{
		Method: http.MethodHead,
		URL: &url.URL{
			Scheme: "http", Host: s.route.Host, Opaque: "//" + s.route.Host + path, RawQuery: query,
		},
		Host:   s.route.Host,
		Header: http.Header{"X-Amz-Content-Sha256": {emptyPayloadHash}},
	}
	for _, h := range s.further() {
		r.Header.Set(h.Name, h.Value)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	err := signer.SignHTTP(t.Context(), s.creds, r, emptyPayloadHash, s.route.Service, s.route.Region, s.at)
	if err != nil {
		t.Fatal(err)
	}
	fields = map[string]string{"host": r.Host}
	for name, values := range r.Header {
		fields[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return path, fields
}

// splitRequest returns a request's path and fields, with names in lower case.
func splitRequest(t testing.TB, request string) (path string, fields map[string]string) {
	t.Helper()
	text, isComplete := strings.CutSuffix(request, "\r\n\r\n")
	lines := strings.Split(text, "\r\n")
	path, isHead := strings.CutPrefix(lines[0], "HEAD ")
	path, isHTTP := strings.CutSuffix(path, " HTTP/1.1")
	if !isComplete || !isHead || !isHTTP {
		t.Fatalf("%q", request)
	}
	fields = map[string]string{}
	for _, line := range lines[1:] {
		name, value, isField := strings.Cut(line, ": ")
		name = strings.ToLower(name)
		if _, isThere := fields[name]; isThere || !isField {
			t.Fatalf("%q in %q", line, request)
		}
		fields[name] = value
	}
	return path, fields
}

// compare compares the request that a template makes with the reference. Headers that are not signed are part of it.
func compare(t testing.TB, template *requestTemplate, s *signing, key, version string) {
	t.Helper()
	const before = "an earlier request in the buffer"
	by := newSigner()
	request := string(template.appendRequest([]byte(before), key, version, &by))
	path, fields := splitRequest(t, strings.TrimPrefix(request, before))
	wantPath, want := s.bySDK(t, key, version)
	if version != "" {
		wantPath += "?versionId=" + httpbinding.EscapePath(version, true)
	}
	if path != wantPath {
		t.Fatalf("the path of %q is\n %s, want\n %s", key, path, wantPath)
	}
	want["user-agent"], want["accept-encoding"] = userAgent, "identity"
	if fmt.Sprint(fields) != fmt.Sprint(want) {
		t.Fatalf("key %q by %+v at %v:\n got %v\nwant %v", key, *s.route, s.at, fields, want)
	}
}

// generator makes random inputs. It changes one part at a time, so that a template that keeps too much of the
// template before makes a wrong signature.
type generator struct{ *rand.Rand }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g generator) change(s *signing) {
	r := *s.route
	switch g.IntN(12) {
	case 0:
		r.Host = g.pick(
			"s3.amazonaws.com", "b.s3.eu-west-1.amazonaws.com", "127.0.0.1:9000", "[::1]:9000", "[fd00::a:1]", "s3:8080", "h",
		)
	case 1:
		r.Path = "/"
	case 2:
		long := "a-very-long-name-" + strings.Repeat("x", g.IntN(46))
		r.Path = "/" + g.pick("b", "with.dots.in.it", "xn--bucket", "base/path/b", long) + "/"
	case 3:
		r.Region = g.pick("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "default", "r")
	case 4:
		r.Service = g.pick("s3", "s3-outposts", "s3-object-lambda")
	case 5:
		s.creds.AccessKeyID = "AK" + g.text("ABC0189/=+", 20)
	case 6:
		s.creds.SecretAccessKey = g.text("abcXYZ019/+=\x00\xff ", 60) // longer than SHA-256's block, or empty
	case 7:
		s.creds.SessionToken = ""
	case 8:
		s.creds.SessionToken = "T" + g.text("abcXYZ019/+=", 900)
	case 9:
		s.payer, s.mode = g.pick("", "requester"), g.pick("", "ENABLED")
	case 10: // a day from 2015 to 2037, at any time, or just before midnight
		s.at = time.Unix(1420070400+g.Int64N(700_000_000), g.Int64N(1e9)).In(time.FixedZone("", 3600*(g.IntN(27)-13)))
		if g.IntN(2) == 0 {
			s.at = s.at.UTC().Truncate(24 * time.Hour).Add(-time.Duration(1 + g.Int64N(1e9)))
		}
	case 11:
		s.at = s.at.Add(time.Second)
	}
	s.route = &r
}

// text returns up to most bytes of those in of.
func (g generator) text(of string, most int) string {
	b := make([]byte, g.IntN(most+1))
	for i := range b {
		b[i] = of[g.IntN(len(of))]
	}
	return string(b)
}

// key returns a key of arbitrary bytes, with many of the characters that clients get wrong. S3 could not store all of
// them.
func (g generator) key() string {
	var key strings.Builder
	for range 1 + g.IntN(12) {
		switch g.IntN(6) {
		case 0:
			key.WriteByte(byte(g.IntN(256)))
		case 1:
			key.WriteString(g.pick(
				" ", "%", "+", "..", "./", "//", "?", "#", "&", "=", ";", ":", "@", "\n", "\x00", "~", "*", "'", "%2F", "%41",
			))
		case 2:
			key.WriteString(g.pick("é", "日本", "😀", "\u0301", "\xe6\x97", "\xff", "\xed\xa0\x80", "\ufeff"))
		default:
			key.WriteString(g.text("abcxyzABC0189-_./", 12))
		}
	}
	return key.String()
}

func TestSignAgreesWithTheSDK(t *testing.T) {
	requests := 20_000
	if testing.Short() {
		requests = 5_000
	}
	const seed = 1 // arbitrary
	var (
		g        = generator{rand.New(rand.NewPCG(seed, seed))}
		template *requestTemplate // each is made from the one before
		s        = &signing{
			route: &store.Route{Host: "h", Path: "/b/", Region: "us-east-1", Service: "s3"},
			creds: aws.Credentials{AccessKeyID: "AK", SecretAccessKey: "secret"},
			at:    time.Unix(1_700_000_000, 0),
		}
	)
	for i := range requests {
		if i%4 == 0 { // the other requests share a template
			g.change(s)
			template = newTemplate(template, s.route, &s.creds, s.further(), s.at)
		}
		version := ""
		if i%3 == 0 {
			version = g.pick("null", "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY_MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo", g.key())
		}
		compare(t, template, s, g.key(), version)
	}
}

// At midnight the scope and the signing key change, together and only then.
func TestSignAroundMidnight(t *testing.T) {
	template := new(requestTemplate)
	s := &signing{
		route: &store.Route{Host: "h", Path: "/b/", Region: "us-east-1", Service: "s3"},
		creds: aws.Credentials{AccessKeyID: "AK", SecretAccessKey: "secret"},
		at:    time.Date(2026, 12, 31, 23, 59, 58, 0, time.UTC),
	}
	for _, want := range []struct {
		day    string
		newKey bool
	}{{"20261231", true}, {"20261231", false}, {"20270101", true}, {"20270101", false}} {
		before := unsafe.SliceData(template.key)
		template = newTemplate(template, s.route, &s.creds, nil, s.at)
		compare(t, template, s, "k", "")
		by := newSigner()
		_, fields := splitRequest(t, string(template.appendRequest(nil, "k", "", &by)))
		scope := strings.Split(fields["authorization"], "/")
		if scope[1] != want.day || !strings.HasPrefix(fields["x-amz-date"], want.day) {
			t.Errorf("at %v: %s, %s", s.at, fields["x-amz-date"], fields["authorization"])
		}
		if isNew := unsafe.SliceData(template.key) != before; isNew != want.newKey {
			t.Errorf("at %v: the signing key is new: %v", s.at, isNew)
		}
		s.at = s.at.Add(time.Second)
	}
}

// An anonymous request has no signature, whatever the template before signed.
func TestAnonymousRequest(t *testing.T) {
	route := &store.Route{Host: "h:9000", Path: "/b/", Region: "us-east-1"}
	by := newSigner()
	credentials := aws.Credentials{AccessKeyID: "AK", SecretAccessKey: "secret", SessionToken: "token"}
	template := newTemplate(nil, route, &credentials, nil, time.Now())
	for _, further := range [][]head.RequestHeader{nil, {{Name: "x-amz-request-payer", Value: "requester"}}} {
		template = newTemplate(template, route, &aws.Credentials{}, further, time.Now())
		path, fields := splitRequest(t, string(template.appendRequest(nil, "a b", "", &by)))
		want := map[string]string{"host": "h:9000", "user-agent": userAgent, "accept-encoding": "identity"}
		for _, h := range further {
			want[h.Name] = h.Value
		}
		if path != "/b/a%20b" || fmt.Sprint(fields) != fmt.Sprint(want) {
			t.Errorf("%s %v", path, fields)
		}
	}
	template = newTemplate(template, route, &aws.Credentials{AccessKeyID: "AK"}, nil, time.Now())
	if _, fields := splitRequest(t, string(template.appendRequest(nil, "k", "", &by))); fields["authorization"] == "" {
		t.Error("the request after an anonymous one is not signed")
	}
}

func FuzzSign(f *testing.F) {
	for _, key := range []string{"k", "a b+c%d/../é\xff", "//", ""} {
		f.Add(key, "/b/", "AK", "secret", "token", "us-east-1", false, int64(1_700_000_000))
	}
	f.Add(strings.Repeat("long/", 205), "/base/b.u.c/", "AK/=", strings.Repeat("s", 100), "", "r", true, int64(86_399))
	f.Fuzz(func(t *testing.T, key, path, access, secret, token, region string, pays bool, at int64) {
		const year9999 = 253402300799 // the last second whose date has eight digits
		if access == "" || at < 0 || at > year9999 || !printable(access) || !printable(token) || !printable(region) {
			return // such credentials, regions and times do not exist
		}
		s := &signing{
			route: &store.Route{Host: "h", Path: "/" + httpbinding.EscapePath(path, false), Region: region, Service: "s3"},
			creds: aws.Credentials{AccessKeyID: access, SecretAccessKey: secret, SessionToken: token},
			at:    time.Unix(at, 0),
		}
		if pays {
			s.payer = "requester"
		}
		compare(t, newTemplate(nil, s.route, &s.creds, s.further(), s.at), s, key, "")
	})
}

// printable reports whether text has visible ASCII only. The SDK's signer joins several blanks, and net/http sends no
// other characters in a header.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
}

// benchmarkTemplate returns a template for AWS and a key of usual length.
func benchmarkTemplate() (template *requestTemplate, key string) {
	template = newTemplate(
		nil,
		&store.Route{Host: "a-bucket.s3.eu-central-1.amazonaws.com", Path: "/", Region: "eu-central-1", Service: "s3"},
		&aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: strings.Repeat("s", 40)},
		nil, time.Unix(1_700_000_000, 0),
	)
	return template, "logs/2026/11/22/host 17/part-000000000123.json.gz"
}

// A request costs no allocation: the garbage of a million requests a minute would cost more than the signatures.
func TestSignAllocatesNothing(t *testing.T) {
	template, key := benchmarkTemplate()
	by := newSigner()
	out := template.appendRequest(nil, key, "", &by)
	if n := testing.AllocsPerRun(100, func() { out = template.appendRequest(out[:0], key, "", &by) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSign(b *testing.B) {
	template, key := benchmarkTemplate()
	by := newSigner()
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = template.appendRequest(out[:0], key, "", &by)
	}
}

// BenchmarkSignBySDK measures the SDK's signer, for comparison.
func BenchmarkSignBySDK(b *testing.B) {
	s := &signing{
		route: &store.Route{Host: "a-bucket.s3.eu-central-1.amazonaws.com", Path: "/", Region: "eu-central-1", Service: "s3"},
		creds: aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: strings.Repeat("s", 40)},
		at:    time.Unix(1_700_000_000, 0),
	}
	b.ReportAllocs()
	for b.Loop() {
		s.bySDK(b, "logs/2026/11/22/host 17/part-000000000123.json.gz", "")
	}
}
