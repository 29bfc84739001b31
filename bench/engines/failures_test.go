//go:build unix

package engines

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scriptConfig returns a Config in which all programs are one shell script.
func scriptConfig(t *testing.T, script string) Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "headcount")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	return Config{Headcount: name, Store: name, Dev: name, Objects: 10, Rounds: 2, Workers: 2,
		Clients: []string{"floor"}, OnRun: func(Run) {}}
}

// goodStore is a script whose store runs until it is stopped.
const goodStore = `if [ "$2" = serve ]; then echo "--endpoint-url http://127.0.0.1:9"; exec sleep 1000; fi
`

// The error of a process that fails quotes the process, and no temporary file is left.
func TestMeasureFails(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"no store":       {"echo 'no port' >&2; exit 3", "bench serve: exit status 3: no port"},
		"the store ends": {"if [ $2 = serve ]; then echo --endpoint-url http://127.0.0.1:9; exec sleep 0.3; fi; exec sleep 1000", "it ended by itself"},
		"the store prints no URL": {`if [ $2 = serve ]; then echo hello; exec sleep 1000; fi`,
			"names no --endpoint-url"},
		"the floor fails": {goodStore + "echo 'error: it is wet\nhint: towel' >&2; exit 1",
			"floor: headcount: exit status 1: error: it is wet"},
		"the floor prints no JSON": {goodStore + "echo something", `the floor printed "something`},
		"the floor sends too few":  {goodStore + `echo '{"requests":9}'`, "sent 9 requests instead of 10"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := Measure(t.Context(), scriptConfig(t, c.script))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.HasSuffix(err.Error(), "towel") {
				t.Errorf("%v", err)
			}
			if report.Complete {
				t.Error("the report is complete")
			}
			checkNoTempFiles(t)
		})
	}
}

func TestMeasureStops(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cfg := scriptConfig(
		t,
		goodStore+`if [ -e "$0.ran" ]; then exec sleep 1000; fi; touch "$0.ran"; echo '{"requests":10}'`,
	)
	cfg.OnRun = func(Run) { time.AfterFunc(50*time.Millisecond, func() { cancel(why) }) }
	report, err := Measure(ctx, cfg)
	if err != why || report.Complete || len(report.Runs) != 1 {
		t.Errorf("%v, %+v", err, report)
	}
	checkNoTempFiles(t)
}

// checkNoTempFiles fails if the folder for temporary files is not empty.
func checkNoTempFiles(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v is left", err, left)
	}
}
