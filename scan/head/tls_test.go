package head_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/headtest"
	"headcount/scan/store"
)

// certificate makes a certificate for a name or an address that signs itself, and the file that says to trust it.
func certificate(t *testing.T, name string) (pair tls.Certificate, bundle string) {
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

// environment leaves nothing of the AWS variables but what is given, name by value.
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

// open opens a Store in an environment that has nothing but these variables.
func open(t *testing.T, cfg store.Config, variables ...string) *store.Store {
	t.Helper()
	environment(t, variables...)
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// secure is a raw store behind TLS, and its URL.
func secure(t *testing.T, pair tls.Certificate, serve func(*headtest.Conn)) (s *headtest.Raw, url string) {
	s = headtest.NewRaw(t, headtest.OverTLS(&tls.Config{Certificates: []tls.Certificate{pair}}, serve))
	return s, "https" + strings.TrimPrefix(s.URL, "http")
}

// Both engines trust whom the configuration says to trust, and nobody else.
func TestTrust(t *testing.T) {
	pair, bundle := certificate(t, "127.0.0.1")
	other, otherBundle := certificate(t, "other.example")
	for name, c := range map[string]struct {
		pair      tls.Certificate
		cfg       store.Config
		variables []string
		class     fault.Class // of the failure; empty: it is answered
	}{
		"a bundle":            {pair, store.Config{CABundle: bundle}, nil, ""},
		"AWS_CA_BUNDLE":       {pair, store.Config{}, []string{"AWS_CA_BUNDLE", bundle}, ""},
		"both":                {pair, store.Config{CABundle: bundle}, []string{"AWS_CA_BUNDLE", otherBundle}, ""},
		"anybody":             {pair, store.Config{NoVerifyTLS: true}, nil, ""},
		"anybody, wrong name": {other, store.Config{NoVerifyTLS: true}, nil, ""},
		"nobody":              {pair, store.Config{}, nil, fault.TLS},
		"somebody else":       {pair, store.Config{CABundle: otherBundle}, nil, fault.TLS},
		"trusted, wrong name": {other, store.Config{CABundle: otherBundle}, nil, fault.TLS},
		"isolated, so nobody": {pair, store.Config{Isolated: true}, []string{"AWS_CA_BUNDLE", bundle}, fault.TLS},
	} {
		for _, engine := range []string{head.DirectName, head.SDKName} {
			t.Run(name+" "+engine, func(t *testing.T) {
				_, url := secure(t, c.pair, (*headtest.Conn).Serve)
				cfg := c.cfg
				cfg.Bucket, cfg.Endpoints, cfg.Anonymous, cfg.Region = "b", []string{url}, true, "us-east-1"
				session := headtest.SessionOf(t, open(t, cfg, c.variables...), engine, head.Config{})
				if c.class == "" {
					expect(t, session, "a", "b")
				} else if r := headtest.Ask(t, session, headtest.Entries("a"))[0]; fault.ClassOf(errorOf(r.Err)) != c.class {
					t.Errorf("status %d, error %v", r.Status, r.Err)
				}
			})
		}
	}
}

// TLS where the store speaks none, and the other way round, are failures of one object each.
func TestSchemeOfTheOther(t *testing.T) {
	pair, _ := certificate(t, "127.0.0.1")
	_, secured := secure(t, pair, (*headtest.Conn).Serve)
	plain := headtest.NewRaw(t, (*headtest.Conn).Serve)
	for url, class := range map[string]string{
		"http" + strings.TrimPrefix(secured, "https"):   "malformed|closed", // with an alert or without
		"https" + strings.TrimPrefix(plain.URL, "http"): "tls|closed",
	} {
		session := headtest.Session(t, head.DirectName, head.Config{}, url)
		r := headtest.Ask(t, session, headtest.Entries("a"))[0]
		if got := fault.ClassOf(errorOf(r.Err)); !strings.Contains(class, string(got)) {
			t.Errorf("%s: status %d, error %v (%s)", url, r.Status, r.Err, got)
		}
	}
}

// A handshake costs a store ten times as much as a HEAD, so the second connection goes on where the first one was, also that of
// another session.
func TestSessionResumption(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			pair, bundle := certificate(t, "127.0.0.1")
			var (
				mu      sync.Mutex
				resumed []bool
			)
			s := headtest.NewRaw(t, headtest.OverTLS(
				&tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: version},
				func(c *headtest.Conn) {
					secured := c.Conn.(*tls.Conn)
					if secured.Handshake() != nil {
						return
					}
					mu.Lock()
					resumed = append(resumed, secured.ConnectionState().DidResume)
					mu.Unlock()
					c.Serve()
				}))
			opened := open(t, store.Config{
				Bucket: "b", Endpoints: []string{"https" + strings.TrimPrefix(s.URL, "http")}, Anonymous: true, Region: "r", CABundle: bundle,
			})
			session := headtest.SessionOf(t, opened, head.DirectName, head.Config{})
			expect(t, session, "a")
			batch := head.NewBatch(headtest.Entries("b"))
			batch.NewConn = true
			if r := headtest.AskBatch(t, session, batch)[0]; !headtest.IsAnswer(&r, "b") {
				t.Errorf("b: status %d, error %v", r.Status, r.Err)
			}
			expect(t, headtest.SessionOf(t, opened, head.DirectName, head.Config{}), "c")
			mu.Lock()
			defer mu.Unlock()
			if got := fmt.Sprint(resumed); got != "[false true true]" {
				t.Errorf("resumed: %s", got)
			}
		})
	}
}

// What a session has to bear of connections it has to bear of those behind TLS.
func TestClosedWhileIdleBehindTLS(t *testing.T) {
	for name, end := range map[string]func(*headtest.Conn){
		"with an alert": func(c *headtest.Conn) { c.Conn.Close() },
		"without":       func(c *headtest.Conn) { c.Conn.(*tls.Conn).NetConn().Close() },
		"reset":         (*headtest.Conn).Reset,
	} {
		t.Run(name, func(t *testing.T) {
			pair, _ := certificate(t, "127.0.0.1")
			closed := make(chan struct{})
			s, url := secure(t, pair, func(c *headtest.Conn) {
				if c.Nth > 0 {
					c.Serve()
					return
				}
				if r := c.Ask(); r != nil {
					c.Say(headtest.Answer(r.RequestURI))
				}
				end(c)
				close(closed)
			})
			opened := open(t, store.Config{Bucket: "b", Endpoints: []string{url}, Anonymous: true, Region: "r", NoVerifyTLS: true})
			session := headtest.SessionOf(t, opened, head.DirectName, head.Config{})
			expect(t, session, "a")
			<-closed
			expect(t, session, "b")
			if got := wire(s); got != "a b by 2" {
				t.Errorf("asked for %s", got)
			}
		})
	}
}
