// Package scripttest holds the parts that the tests of several programs share: the programs, an isolated environment,
// and commands for scripts of testscript.
package scripttest

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

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

// Commands returns the script commands of this package, by name.
func Commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits": Exits, "sim": Sim, "web": Web, "certificate": Certificate, "keys": Keys, "lines": Lines,
		"parquet": Parquet,
	}
}
