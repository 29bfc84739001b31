package scripttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
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

// Sim is the script command "sim VAR NAME=VALUE…": it serves a synthetic bucket, and puts its URL into VAR. With
// cert=FILE and key=FILE it serves TLS as nginx, HAProxy and Go's net/http do by default: it prefers HTTP/2.
func Sim(ts *testscript.TestScript, _ bool, args []string) {
	o := s3sim.Options{Objects: 2_500}
	var cert, key string
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
		case "metadata-prefix":
			o.MetadataPrefix = value
		case "attributes":
			o.Attributes = true
		case "all-attributes":
			o.AllAttributes = true
		case "customer-keys":
			o.CustomerKeys = number
		case "kms-denied":
			o.KMSDenied = true
		case "no-restore-status":
			o.NoRestoreStatus = true
		case "no-versions":
			o.NoVersions = true
		case "tagging":
			o.Tagging = s3sim.Tagging(value)
		case "annotations":
			o.Annotations = int64(number)
		case "versions":
			o.Versions = int64(number)
		case "web-page":
			o.WebPage = number
		case "denied":
			o.Denied = number
		case "gone":
			o.Gone = number
		case "stale":
			o.Stale = number
		case "keys":
			o.AccessKey, o.SecretKey, _ = strings.Cut(value, ":")
		case "token":
			o.SessionToken = value
		case "region":
			o.Region = value
		case "connections-max":
			o.ConnectionsMax = int(number)
		case "cert":
			cert = ts.MkAbs(value)
		case "key":
			key = ts.MkAbs(value)
		default:
			ts.Fatalf("sim knows no %s", name)
		}
	}
	server, err := s3sim.New(o)
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	url := "http://" + l.Addr().String()
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		ts.Check(err)
		url = "https://" + l.Addr().String()
		l = tls.NewListener(l, preferHTTP2(pair))
	}
	go func() { _ = server.Serve(l) }() // nil after Close
	ts.Defer(func() { ts.Check(server.Close()) })
	ts.Setenv(args[0], url)
}

// preferHTTP2 is the configuration of a server that prefers HTTP/2. The server has no HTTP/2: it ends the handshake
// with a client that offers it.
func preferHTTP2(pair tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"},
		VerifyConnection: func(state tls.ConnectionState) error {
			if state.NegotiatedProtocol == "h2" {
				return errors.New("the client agreed to HTTP/2")
			}
			return nil
		},
	}
}

// Web is the script command "web [--tls] [--status N] VAR": it serves the same web page for every request, and puts its
// URL into VAR. The URL is http with --tls too.
func Web(ts *testscript.TestScript, _ bool, args []string) {
	status := http.StatusOK
	if args[0] == "--status" {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		status = n
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
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
