// Package scripttest has what the testscript tests of several programs share.
package scripttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"headcount/bench/pinned"
	"headcount/bench/s3sim"
	"headcount/bench/sources"
)

// BuildHeadcount builds headcount from the module in folder, and returns its file.
func BuildHeadcount(t *testing.T, folder string) string {
	t.Helper()
	sources.Watch(t, folder)
	binary := filepath.Join(t.TempDir(), "headcount"+pinned.ExeSuffix())
	if err := pinned.GoBuild(t.Context(), folder, binary, "."); err != nil {
		t.Fatal(err)
	}
	return binary
}

// RaceOptions are the GORACE options for the programs of a script. By default the race detector sleeps for a second
// before a process ends.
// https://go.dev/doc/articles/race_detector#Options
const RaceOptions = "atexit_sleep_ms=0"

// IsolatedEnv returns the variables of an environment in which AWS is not configured, whatever the machine's
// configuration. dir is the home folder.
func IsolatedEnv(dir string) map[string]string {
	env := map[string]string{"HOME": dir}
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			env[name] = ""
		}
	}
	env["AWS_EC2_METADATA_DISABLED"] = "true"
	return env
}

// Exits is the script command "exits CODE COMMAND ARGS…": it runs a command that must exit with CODE.
func Exits(ts *testscript.TestScript, neg bool, args []string) {
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

// Sim is the script command "sim VAR NAME=VALUE…": it serves a synthetic bucket, and puts its URL into VAR.
func Sim(ts *testscript.TestScript, _ bool, args []string) {
	o := s3sim.Options{Objects: 2_500}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		number, err := strconv.ParseFloat(value, 64)
		ts.Check(err)
		switch name {
		case "objects":
			o.Objects = int64(number)
		case "denied":
			o.Denied = number
		case "gone":
			o.Gone = number
		default:
			ts.Fatalf("sim knows no %s", name)
		}
	}
	server, err := s3sim.New(o)
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	go func() { _ = server.Serve(l) }() // returns nil after Close
	ts.Defer(func() { ts.Check(server.Close()) })
	ts.Setenv(args[0], "http://"+l.Addr().String())
}

// Keys is the script command "keys FILE N": FILE must have N lines, all JSON, with N different keys.
func Keys(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	lines, seen := 0, map[string]bool{}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var l struct {
			Key string `json:"key"`
			B64 string `json:"key_b64"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			ts.Fatalf("%v: %s", err, line)
		}
		seen[fmt.Sprint(l.Key, " ", l.B64)] = true
		lines++
	}
	if lines != want || len(seen) != want {
		ts.Fatalf("%d lines with %d keys, want %d", lines, len(seen), want)
	}
}
