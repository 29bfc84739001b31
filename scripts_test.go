package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"headcount/bench/s3sim"
)

// TestMain lets the test binary be headcount itself, for the scripts and for everything that runs it by name.
func TestMain(m *testing.M) {
	if err := os.Setenv("GORACE", raceOptions); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"headcount": main})
}

// raceOptions let a program with the race detector end at once; by default it sleeps a second before it does.
// https://go.dev/doc/articles/race_detector#Options
const raceOptions = "atexit_sleep_ms=0"

// TestScripts runs .testdata/*.txtar. Beside testscript's commands there are:
//
//	exits CODE COMMAND ARGS…   runs a command that must exit with CODE
//	sim VAR NAME=VALUE…        serves a synthetic bucket and puts its URL into VAR
//	web [--tls] VAR            serves a web page, whatever is asked, and puts its URL into VAR; by TLS, the URL is http all
//	                           the same
//	certificate CERT KEY       writes a certificate for 127.0.0.1 that signs itself, and its key
//	keys FILE N                FILE has N lines, all JSON, with N different keys
//	lines FILE N               FILE has N lines, all JSON
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: ".testdata",
		Setup: func(env *testscript.Env) error {
			for name, value := range awsNothing(env.WorkDir) {
				env.Setenv(name, value)
			}
			env.Setenv("GORACE", raceOptions)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "sim": cmdSim, "web": cmdWeb, "certificate": cmdCertificate, "keys": cmdKeys, "lines": cmdLines,
		},
	})
}

// awsNothing is an environment in which nothing about AWS is configured, whatever the machine has.
func awsNothing(dir string) map[string]string {
	env := map[string]string{"HOME": dir, "AWS_EC2_METADATA_DISABLED": "true"}
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			env[name] = ""
		}
	}
	env["AWS_EC2_METADATA_DISABLED"] = "true"
	return env
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdSim(ts *testscript.TestScript, _ bool, args []string) {
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

func cmdWeb(ts *testscript.TestScript, _ bool, args []string) {
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

func cmdCertificate(ts *testscript.TestScript, _ bool, args []string) {
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

func cmdKeys(ts *testscript.TestScript, neg bool, args []string) {
	cmdLines(ts, neg, args)
	seen := map[string]bool{}
	lines := jsonLines(ts, args[0])
	for _, l := range lines {
		seen[fmt.Sprint(l["key"], l["key_b64"])] = true
	}
	if len(seen) != len(lines) {
		ts.Fatalf("%d lines, but %d keys", len(lines), len(seen))
	}
}

func cmdLines(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := len(jsonLines(ts, args[0])); got != want {
		ts.Fatalf("%d lines, want %d", got, want)
	}
}

func jsonLines(ts *testscript.TestScript, file string) (lines []map[string]any) {
	for line := range strings.Lines(ts.ReadFile(file)) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			ts.Fatalf("%v: %s", err, line)
		}
		lines = append(lines, l)
	}
	return lines
}
