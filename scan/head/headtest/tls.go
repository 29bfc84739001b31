package headtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/store"
)

// Certificate makes a self-signed certificate for a name or an IP address. bundle is a file with the certificate, for
// clients that trust it.
func Certificate(t *testing.T, name string) (pair tls.Certificate, bundle string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	bundle = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, bundle
}

// environment replaces all AWS variables by these, given as name and value in turn.
func environment(t *testing.T, variables ...string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name) // Setenv restores it
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	variables = append([]string{
		"AWS_CONFIG_FILE", none, "AWS_SHARED_CREDENTIALS_FILE", none, "AWS_EC2_METADATA_DISABLED", "true",
	}, variables...)
	for i := 0; i < len(variables); i += 2 {
		t.Setenv(variables[i], variables[i+1])
	}
}

// OpenStore opens a Store in an environment without other AWS variables than these, given as name and value in turn.
func OpenStore(t *testing.T, cfg store.Config, variables ...string) *store.Store {
	t.Helper()
	environment(t, variables...)
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Secure starts a RawStore behind TLS and returns its URL.
func Secure(t *testing.T, pair tls.Certificate, serve func(*Conn)) (s *RawStore, url string) {
	s = NewRawStore(t, OverTLS(&tls.Config{Certificates: []tls.Certificate{pair}}, serve))
	return s, "https" + strings.TrimPrefix(s.URL, "http")
}

// testTrust: a Session trusts the certificates that the configuration names, and no others.
func testTrust(t *testing.T, newEngine NewEngine) {
	pair, bundle := Certificate(t, "127.0.0.1")
	other, otherBundle := Certificate(t, "other.example")
	for name, c := range map[string]struct {
		pair      tls.Certificate
		cfg       store.Config
		variables []string
		class     fault.Class // of the failure; empty: the HEADs have answers
	}{
		"a bundle":             {pair, store.Config{CABundle: bundle}, nil, ""},
		"AWS_CA_BUNDLE":        {pair, store.Config{}, []string{"AWS_CA_BUNDLE", bundle}, ""},
		"both":                 {pair, store.Config{CABundle: bundle}, []string{"AWS_CA_BUNDLE", otherBundle}, ""},
		"everyone":             {pair, store.Config{NoVerifyTLS: true}, nil, ""},
		"everyone, wrong name": {other, store.Config{NoVerifyTLS: true}, nil, ""},
		"no one":               {pair, store.Config{}, nil, fault.TLS},
		"another certificate":  {pair, store.Config{CABundle: otherBundle}, nil, fault.TLS},
		"trusted, wrong name":  {other, store.Config{CABundle: otherBundle}, nil, fault.TLS},
		"isolated":             {pair, store.Config{Isolated: true}, []string{"AWS_CA_BUNDLE", bundle}, fault.TLS},
	} {
		t.Run(name, func(t *testing.T) {
			_, url := Secure(t, c.pair, (*Conn).Serve)
			cfg := c.cfg
			cfg.Bucket, cfg.Endpoints, cfg.Anonymous, cfg.Region = "b", []string{url}, true, "us-east-1"
			session := OpenSessionOn(t, OpenStore(t, cfg, c.variables...), newEngine, head.Config{})
			if c.class == "" {
				Expect(t, session, "a", "b")
			} else if r := Head(t, session, Entries("a"))[0]; Class(&r) != c.class {
				t.Errorf("status %d, error %v", r.Status, r.Err)
			}
		})
	}
}

// testHTTP2: a Session speaks HTTP/1.1 to a server of net/http that prefers HTTP/2, on every connection.
func testHTTP2(t *testing.T, newEngine NewEngine) {
	pair, bundle := Certificate(t, "127.0.0.1")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+tag(r.RequestURI)+`"`)
		w.Header().Set("x-amz-meta-key", r.RequestURI)
		w.Header().Set("Content-Length", strconv.Itoa(okLength))
		if r.ProtoMajor != 1 {
			t.Errorf("%s %s", r.RequestURI, r.Proto)
		}
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	t.Cleanup(server.Close)
	opened := OpenStore(t, store.Config{
		Bucket: "b", Endpoints: []string{server.URL}, Anonymous: true, Region: "us-east-1", CABundle: bundle,
	})
	session := OpenSessionOn(t, opened, newEngine, head.Config{})
	Expect(t, session, "a", "b")
	batch := head.NewBatch(Entries("c"))
	batch.NewConn = true
	if r := HeadBatch(t, session, batch)[0]; !IsAnswer(&r, "c") {
		t.Errorf("c: status %d, error %v", r.Status, r.Err)
	}
}
