package scripttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"headcount/bench/s3sim"
)

// Sim is the script command "sim VAR NAME=VALUE…": it serves a synthetic bucket, and puts its URL into VAR.
func Sim(ts *testscript.TestScript, _ bool, args []string) {
	o := s3sim.Options{Objects: 2_500}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		number, _ := strconv.ParseFloat(value, 64) // 0 for what is no number
		switch name {
		case "objects":
			o.Objects = int64(number)
		case "shape":
			o.Shape = s3sim.Shape(value)
		case "quirk":
			o.Quirk = s3sim.Quirk(value)
		case "list-metadata":
			o.ListMetadata = true
		case "denied":
			o.Denied = number
		case "gone":
			o.Gone = number
		case "keys":
			o.AccessKey, o.SecretKey, _ = strings.Cut(value, ":")
		case "token":
			o.SessionToken = value
		case "region":
			o.Region = value
		default:
			ts.Fatalf("sim knows no %s", name)
		}
	}
	server, err := s3sim.New(o)
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	go func() { _ = server.Serve(l) }() // nil after Close
	ts.Defer(func() { ts.Check(server.Close()) })
	ts.Setenv(args[0], "http://"+l.Addr().String())
}

// Web is the script command "web [--tls] VAR": it serves the same web page for every request, and puts its URL into
// VAR. The URL is http with --tls too.
func Web(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<!doctype html><html><body>Sign in</body></html>")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if args[0] == "--tls" {
		server.StartTLS()
	} else {
		server.Start()
	}
	ts.Defer(server.Close)
	ts.Setenv(args[len(args)-1], "http://"+server.Listener.Addr().String())
}

// Certificate is the script command "certificate CERT KEY": it writes a self-signed certificate for 127.0.0.1, and its
// key.
func Certificate(ts *testscript.TestScript, _ bool, args []string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	ts.Check(err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	ts.Check(err)
	for i, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: certificate}, {Type: "PRIVATE KEY", Bytes: key}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i]), pem.EncodeToMemory(block), 0o600))
	}
}
