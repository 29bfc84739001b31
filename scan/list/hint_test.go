package list_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headcount/scan/exit"
	"headcount/scan/fault"
	"headcount/scan/head/headtest"
	"headcount/scan/list"
	"headcount/scan/store"
)

// hintCase is a cause of a failed LIST, and the hint that leads to it.
type hintCase struct {
	// start starts what the endpoint is, and returns its URL. It may complete the configuration.
	start func(t *testing.T, cfg *store.Config) (url string)
	cfg   store.Config
	class fault.Class // empty: any
	tells string      // a part of the message; empty: any
	hint  string      // a part of the hint; empty: there is no hint
	not   string      // what would lead elsewhere; empty: nothing
}

const (
	leadsToAuthority = "--ca-bundle"
	leadsToEndpoint  = "is the endpoint right"
)

// hintCases has one row for each cause.
func hintCases() map[string]hintCase {
	type in = store.Config
	return map[string]hintCase{
		// No TLS connection.
		"certificate: unknown authority": {start: tlsEndpoint(nil, untrusted), class: fault.TLS,
			tells: "unknown authority", hint: "--ca-bundle FILE names a certificate authority"},
		"certificate: expired": {start: tlsEndpoint(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}), class: fault.TLS, tells: "expired", hint: "must be renewed", not: leadsToAuthority},
		"certificate: not yet valid": {start: tlsEndpoint(func(c *x509.Certificate) {
			c.NotBefore = time.Now().Add(time.Hour)
		}), class: fault.TLS, hint: "is the clock of this machine right?", not: leadsToAuthority},
		"certificate: another name": {start: tlsEndpoint(func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, []string{"flashblade.example"}
		}), class: fault.TLS, tells: "127.0.0.1", hint: "(--endpoint-url https://NAME): flashblade.example", not: leadsToAuthority},
		"certificate: Common Name only": {start: tlsEndpoint(func(c *x509.Certificate) {
			c.IPAddresses, c.Subject = nil, pkix.Name{CommonName: "localhost"}
		}, byName), class: fault.TLS, tells: "Common Name", hint: "issued anew with a Subject Alternative Name", not: leadsToAuthority},
		"certificate: an IP without a SAN": {start: tlsEndpoint(func(c *x509.Certificate) { c.IPAddresses = nil }), class: fault.TLS,
			tells: "IP SANs", hint: "issued anew with this IP address", not: leadsToAuthority},
		"certificate: a bucket in the host name": {start: virtual(tlsEndpoint(func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, []string{"0.0.1"}
		})), class: fault.TLS, hint: "--addressing path", not: leadsToAuthority},
		"certificate: unknown authority with a name": {start: tlsEndpoint(func(c *x509.Certificate) {
			c.Subject.CommonName = "corporate CA"
		}, untrusted), hint: "the issuer is \"corporate CA\""},
		"certificate: negative serial number": {start: tlsEndpoint(nil, negativeSerial, untrusted), class: fault.TLS,
			tells: "negative serial number", hint: "GODEBUG=x509negativeserial=1", not: leadsToAuthority},
		"TLS 1.1": {start: tlsEndpoint(nil, func(s *tlsServer) {
			s.config.MinVersion, s.config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}), class: fault.TLS, tells: "protocol version", hint: "no TLS from 1.2 on", not: leadsToEndpoint},
		"TLS 1.2 that wants a client certificate": {start: tlsEndpoint(nil, func(s *tlsServer) {
			s.config.ClientAuth, s.config.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
		}), hint: "wants a client certificate", not: leadsToEndpoint},
		"TLS 1.3 that wants a client certificate": {start: tlsEndpoint(nil, func(s *tlsServer) {
			s.config.ClientAuth = tls.RequireAnyClientCert
		}), hint: "wants a client certificate", not: leadsToEndpoint},
		"TLS that asks for a client certificate, and closes": {start: tlsEndpoint(nil, func(s *tlsServer) {
			s.config.ClientAuth, s.handler = tls.RequestClientCert, func(http.ResponseWriter, *http.Request) {
				panic(http.ErrAbortHandler)
			}
		}), class: fault.Closed, hint: "wants a client certificate", not: leadsToEndpoint},
		"TLS without a common cipher": {start: tlsEndpoint(nil, func(s *tlsServer) {
			s.config.MaxVersion, s.config.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}
		}), class: fault.TLS, tells: "handshake failure", hint: "in common", not: leadsToEndpoint},
		"https:// at a port of plain HTTP": {start: func(t *testing.T, _ *store.Config) string {
			return "https" + strings.TrimPrefix(answering(200, "", "")(t, nil), "http")
		}, class: fault.TLS, hint: "begin --endpoint-url with http://"},
		"http:// at a port of TLS": {start: func(t *testing.T, cfg *store.Config) string {
			return "http" + strings.TrimPrefix(tlsEndpoint(nil)(t, cfg), "https")
		}, tells: "400", hint: "try https://"},
		"http:// at a port of TLS that sends an alert": {start: raw("\x15\x03\x01\x00\x02\x02\x46"), class: fault.TLS,
			hint: "the endpoint speaks TLS: --endpoint-url https://127.0.0.1:"},

		// No connection, or one of another protocol.
		"a port that closes": {start: raw(""), class: fault.Closed, hint: "does it speak https:// or http://?"},
		"a port that resets": {start: resetting, hint: "does it speak https:// or http://?"},
		"a port that closes TLS": {start: func(t *testing.T, _ *store.Config) string {
			return "https" + strings.TrimPrefix(raw("")(t, nil), "http")
		}, class: fault.Closed, hint: "does its port speak TLS 1.2 or 1.3, or plain http://?"},
		"a port of HTTP/2 alone": {start: raw("\x00\x00\x12\x04\x00\x00\x00\x00\x00"), hint: "speaks HTTP/2 alone"},
		"a port of SSH":          {start: raw("SSH-2.0-OpenSSH_9.6\r\n"), class: fault.Malformed, hint: "is this the port of an S3 API?"},
		"nobody listens":         {start: at("http://127.0.0.1:1"), class: fault.ConnRefused, hint: leadsToEndpoint},
		"a name that is unknown": {start: at("http://no-such-host.invalid"), class: fault.DNS, hint: leadsToEndpoint},
		"a bucket that is no host name": {start: at("http://no-such-host.invalid"), cfg: in{Addressing: store.AddressingVirtual},
			class: fault.DNS, hint: "--addressing path"},
		"no answer in time": {start: silent, class: fault.Timeout, hint: "--timeout DURATION", not: leadsToEndpoint},

		// Redirects.
		"http to https": {start: func(t *testing.T, _ *store.Config) string {
			return answering(301, "Location: https://user:secret@127.0.0.1/b?token=secret", "<html>moved</html>")(t, nil)
		}, tells: "redirected to https://127.0.0.1/b", hint: "--endpoint-url https://127.0.0.1", not: "secret"},
		"another host, for ever": {start: answering(308, "Location: https://s3.example/b", ""), class: fault.Redirect,
			tells: "s3.example", hint: "--endpoint-url https://s3.example"},
		"a login page": {start: answering(302, "Location: https://login.example/?back=1", ""),
			tells: "redirected to https://login.example/", hint: "login page", not: "--endpoint-url https://login"},
		"a redirect to nowhere": {start: answering(302, "", ""), hint: "is the URL of the endpoint right?"},
		"PermanentRedirect": {start: answering(301, "", "<Error><Code>PermanentRedirect</Code><Message>m</Message>"+
			"<Endpoint>b.s3.example</Endpoint></Error>"), tells: "the endpoint is b.s3.example", hint: "--endpoint-url http://s3.example"},
		"AccessDenied with an endpoint": {start: answering(403, "", "<Error><Code>AccessDenied</Code>"+
			"<Endpoint>oss-cn-x.example</Endpoint></Error>"), hint: "--endpoint-url http://oss-cn-x.example"},
		"AuthorizationHeaderMalformed": {start: answering(400, "",
			"<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-east-1</Region></Error>"), hint: "--region us-east-1"},

		// The style of the URL.
		"a store of host names alone":               {start: answering(403, "", refusal("SecondLevelDomainForbidden")), hint: "--addressing virtual"},
		"the same by another vendor":                {start: answering(403, "", refusal("PathStyleDomainForbidden")), hint: "--addressing virtual"},
		"and another":                               {start: answering(400, "", refusal("InvalidPathAccess")), hint: "--addressing virtual"},
		"a store of paths alone":                    {start: virtual(answering(404, "", refusal("NoSuchBucket"))), class: "NoSuchBucket", hint: "--addressing path"},
		"a store of paths alone, without a code":    {start: virtual(answering(404, "", "")), hint: "--addressing path"},
		"a store of paths alone takes it for a key": {start: virtual(answering(404, "", refusal("NoSuchKey"))), hint: "--addressing path"},
		"the bucket in the path of the endpoint": {start: func(t *testing.T, _ *store.Config) string {
			return answering(404, "", refusal("NoSuchKey"))(t, nil) + "/b/"
		}, tells: "NoSuchKey", hint: "names the bucket already: --endpoint-url http://127.0.0.1:"},
		"the bucket in the host of the endpoint": {start: func(t *testing.T, _ *store.Config) string {
			return strings.Replace(answering(403, "", "")(t, nil), "127.0.0.1", "b.no-such-host.invalid", 1)
		}, hint: "names the bucket already: --endpoint-url http://no-such-host.invalid:"},
		"a redirect to the same host": {start: func(t *testing.T, _ *store.Config) string {
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, server.URL+"/ui/", http.StatusMovedPermanently)
			}))
			t.Cleanup(server.Close)
			return server.URL
		}, hint: "is the path in the URL of the endpoint right?"},
		"PermanentRedirect with a scheme": {start: answering(301, "", "<Error><Code>PermanentRedirect</Code>"+
			"<Endpoint>https://b.s3.example/</Endpoint></Error>"), hint: "--endpoint-url https://s3.example"},
		"an endpoint in place of the bucket": {start: answering(404, "", refusal("NoSuchBucket")), cfg: in{Bucket: "minio.example:9000"},
			hint: "--endpoint-url http://minio.example:9000 s3://BUCKET"},
		"NoSuchBucket": {start: answering(404, "", refusal("NoSuchBucket")), hint: "are the names of the bucket and of the endpoint right"},

		// Keys and rights.
		"no credentials":         {start: answering(200, "", ""), class: fault.Credentials, hint: "set AWS_ACCESS_KEY_ID"},
		"InvalidAccessKeyId":     {start: answering(403, "", refusal("InvalidAccessKeyId")), hint: "do the keys belong to this endpoint?"},
		"SignatureDoesNotMatch":  {start: answering(403, "", refusal("SignatureDoesNotMatch")), hint: "do the keys belong to this endpoint?"},
		"AccessDenied":           {start: answering(403, "", refusal("AccessDenied")), hint: "s3:ListBucket"},
		"InvalidToken":           {start: answering(400, "", refusal("InvalidToken")), hint: "new temporary credentials"},
		"RequestTimeTooSkewed":   {start: answering(403, "", refusal("RequestTimeTooSkewed")), hint: "clock"},
		"a bare 403":             {start: answering(403, "", ""), class: fault.Forbidden, hint: "does something in front of the store refuse"},
		"a bare 401":             {start: answering(401, "", ""), class: fault.Forbidden, hint: "does something in front of the store refuse"},
		"a page of a proxy, 403": {start: answering(403, "", "<title>Denied by policy 4711</title>"), tells: ": Denied by policy 4711", hint: "no S3 error"},

		// Other documents and answers.
		"another root": {start: answering(403, "", "<errorResponse><Code>AccessDenied</Code></errorResponse>"), class: "AccessDenied", hint: "s3:ListBucket"},
		"JSON": {start: answering(403, "", `{"code":"InvalidAccessKeyId","message":"no such key"}`),
			tells: "403 Forbidden: InvalidAccessKeyId: no such key", hint: "do the keys belong"},
		"a login page with 200": {start: answering(200, "", "<html><title>Sign in</title></html>"), class: fault.WrongDocument,
			tells: `<html> ("Sign in")`, hint: "is the endpoint an S3 API"},
		"a login by Basic": {start: answering(401, "WWW-Authenticate: Basic realm=\"corp\"", ""), hint: "wants a login by Basic"},
		"a list of buckets": {start: answering(200, "", "<ListAllMyBucketsResult></ListAllMyBucketsResult>"),
			class: fault.ProtocolViolation, hint: "--addressing virtual"},
		"a list of buckets, since the host is not known": {start: virtual(answering(200, "", "<ListAllMyBucketsResult/>")),
			class: fault.ProtocolViolation, hint: "--addressing path"},
		"a bare 404":     {start: answering(404, "", "404 page not found"), tells: "404 page not found", hint: "is the URL of the endpoint that of an S3 API?"},
		"a bare 204":     {start: answering(204, "", ""), hint: "is the endpoint an S3 API"},
		"a bare 405":     {start: answering(405, "", ""), hint: "is the endpoint an S3 API"},
		"407":            {start: answering(407, "", ""), hint: "USER:PASSWORD@HOST:PORT in HTTPS_PROXY or HTTP_PROXY; NO_PROXY"},
		"NotImplemented": {start: answering(501, "", refusal("NotImplemented")), hint: "--list-objects-v1"},
		"a bare 500":     {start: answering(500, "", ""), class: fault.ServerError, hint: "--retry-for"},
		"a bare 502":     {start: answering(502, "", ""), class: fault.ServerError, hint: "--retry-for"},
		"an odd refusal": {start: answering(400, "", refusal("InvalidRequest")), hint: ""},
	}
}

func TestHints(t *testing.T) {
	for name, c := range hintCases() {
		t.Run(name, func(t *testing.T) {
			cfg := c.cfg
			cfg.Endpoints = []string{c.start(t, &cfg)}
			if cfg.Bucket == "" {
				cfg.Bucket = "b"
			}
			cfg.Anonymous = c.class != fault.Credentials
			timeout := 10 * time.Second
			if c.class == fault.Timeout {
				timeout = 20 * time.Millisecond
			}
			lister := list.New(list.Config{Store: headtest.OpenStore(t, cfg), Timeout: timeout})
			err := lister.Probe(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			if class := fault.FailureOf(err).Class; c.class != "" && class != c.class {
				t.Errorf("the class is %s, want %s", class, c.class)
			}
			got := exit.Hint(err)
			if !strings.Contains(err.Error(), c.tells) || !strings.Contains(got, c.hint) || (got == "") != (c.hint == "") {
				t.Errorf("%v\nhint: %s\nwant %s, %s", err, got, c.tells, c.hint)
			}
			if text := err.Error() + got; c.not != "" && strings.Contains(text, c.not) {
				t.Errorf("%q leads elsewhere: %s", c.not, text)
			}
		})
	}
}

// A certificate that is not accepted at the first contact, and a proxy or a store that refuses, are not asked again.
func TestHopelessIsTriedOnce(t *testing.T) {
	for _, name := range []string{
		"certificate: expired", "certificate: another name", "certificate: unknown authority",
		"certificate: negative serial number", "TLS 1.1", "https:// at a port of plain HTTP",
		"http:// at a port of TLS that sends an alert", "http to https", "a login page", "407",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := store.Config{Bucket: "b", Anonymous: true}
			cfg.Endpoints = []string{hintCases()[name].start(t, &cfg)}
			tries := 0
			lister := list.New(list.Config{Store: headtest.OpenStore(t, cfg), OnAttempt: func(string, bool) { tries++ }})
			if _, err := lister.Pager(list.Range{}).Next(t.Context()); err == nil || tries != 1 {
				t.Errorf("%d tries: %v", tries, err)
			}
		})
	}
}

// A store that answers 500 to continuation tokens alone, as s3rver does, leads to the other way to list.
func TestHintForSecondPage(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("continuation-token") != "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "<ListBucketResult><IsTruncated>true</IsTruncated>"+
			"<NextContinuationToken>t</NextContinuationToken><Contents><Key>a</Key></Contents></ListBucketResult>")
	}))
	defer server.Close()
	st := headtest.OpenStore(t, store.Config{Bucket: "b", Anonymous: true, Endpoints: []string{server.URL}})
	pager := list.New(list.Config{Store: st, RetryFor: time.Nanosecond}).Pager(list.Range{})
	page, err := pager.Next(t.Context())
	if page == nil || err != nil {
		t.Fatalf("the first page: %v", err)
	}
	if _, err = pager.Next(t.Context()); !strings.Contains(exit.Hint(err), "--list-objects-v1") {
		t.Errorf("%v, hint: %s", err, exit.Hint(err))
	}
}

func refusal(code string) string {
	return "<Error><Code>" + code + "</Code><Message>m</Message></Error>"
}

func at(url string) func(*testing.T, *store.Config) string {
	return func(*testing.T, *store.Config) string { return url }
}

// virtual puts the bucket into the host name of an endpoint at 127.0.0.1, where it needs no resolver: the bucket 127 of
// the endpoint 0.0.1.
func virtual(start func(*testing.T, *store.Config) string) func(*testing.T, *store.Config) string {
	return func(t *testing.T, cfg *store.Config) string {
		cfg.Bucket, cfg.Addressing = "127", store.AddressingVirtual
		return strings.Replace(start(t, cfg), "127.0.0.1", "0.0.1", 1)
	}
}

// answering is an endpoint that gives every request the same answer. header is one line, or empty.
func answering(status int, header, body string) func(*testing.T, *store.Config) string {
	return func(t *testing.T, _ *store.Config) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if name, value, found := strings.Cut(header, ": "); found {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
}

// silent is an endpoint that reads requests and does not answer.
func silent(t *testing.T, _ *store.Config) string {
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ended }))
	t.Cleanup(func() { close(ended); server.Close() })
	return server.URL
}

// raw is an endpoint that reads a request, answers these bytes and closes the connection.
func raw(bytes string) func(*testing.T, *store.Config) string {
	return func(t *testing.T, _ *store.Config) string {
		return serving(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(c, bytes)
		})
	}
}

// resetting is an endpoint that resets each connection.
func resetting(t *testing.T, _ *store.Config) string {
	return serving(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1)) // the rest of the request is lost
		_ = c.(*net.TCPConn).SetLinger(0)
	})
}

// serving is an endpoint that serves one connection after the other, and closes each.
func serving(t *testing.T, serve func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			serve(c)
			_ = c.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// tlsServer is what an endpoint of TLS is made of.
type tlsServer struct {
	config  *tls.Config
	trusted bool
	host    string
	handler http.HandlerFunc
}

func untrusted(s *tlsServer) { s.trusted = false }
func byName(s *tlsServer)    { s.host = "localhost" }

// negativeSerial changes the serial number of the certificate from 5 to -5.
func negativeSerial(s *tlsServer) {
	der := s.config.Certificates[0].Certificate
	der[0] = []byte(strings.Replace(string(der[0]), "\xa0\x03\x02\x01\x02\x02\x01\x05", "\xa0\x03\x02\x01\x02\x02\x01\xfb", 1))
}

// tlsEndpoint is an endpoint with a certificate for 127.0.0.1 that is its own authority and trusted. change changes the
// certificate, and options the endpoint.
func tlsEndpoint(change func(*x509.Certificate), options ...func(*tlsServer)) func(*testing.T, *store.Config) string {
	return func(t *testing.T, cfg *store.Config) string {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(5), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(2 * time.Hour),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		}
		if change != nil {
			change(template)
		}
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		s := tlsServer{trusted: true, host: "127.0.0.1", handler: http.NotFound, config: &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		}}
		for _, option := range options {
			option(&s)
		}
		if s.trusted {
			cfg.CABundle = filepath.Join(t.TempDir(), "ca.pem")
			text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
			if err := os.WriteFile(cfg.CABundle, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		listener, err := tls.Listen("tcp", "127.0.0.1:0", s.config) // httptest would refuse a certificate that is malformed
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: s.handler, ErrorLog: log.New(io.Discard, "", 0)}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
		return "https://" + strings.Replace(listener.Addr().String(), "127.0.0.1", s.host, 1)
	}
}
