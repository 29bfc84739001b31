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

// pretend is a Config whose program is a shell script.
func pretend(t *testing.T, script string) Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "headcount")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	return Config{Program: name, Objects: 10, Rounds: 2, Workers: 2, Ways: []string{"floor"}, Ran: func(Run) {}}
}

// A store that is there as long as it is wanted.
const goodStore = `if [ "$2" = serve ]; then echo "--endpoint-url http://127.0.0.1:9"; exec sleep 1000; fi
`

// What goes wrong in a process is said, with its own words, and nothing is left in the temporary folder.
func TestMeasureFails(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"no store":             {"echo 'no port' >&2; exit 3", "exit status 3: no port"},
		"a store that goes":    {"if [ $2 = serve ]; then echo --endpoint-url http://127.0.0.1:9; exec sleep 0.3; fi; exec sleep 1000", "it ended by itself"},
		"no URL":               {`if [ $2 = serve ]; then echo hello; exec sleep 1000; fi`, "names no --endpoint-url"},
		"a floor that fails":   {goodStore + "echo 'it is wet\nhint: towel' >&2; exit 1", "floor: headcount bench floor --url http://127.0.0.1:9/demo/obj-00000000000"},
		"what the floor says":  {goodStore + "echo 'it is wet\nhint: towel' >&2; exit 1", "--requests 10: exit status 1: it is wet"},
		"a floor of something": {goodStore + "echo something", `bench floor says "something`},
		"a floor of less":      {goodStore + `echo '{"requests":9}'`, "9 requests were sent, and 10 were asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := Measure(t.Context(), pretend(t, c.script))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.HasSuffix(err.Error(), "towel") {
				t.Errorf("%v", err)
			}
			if report.Complete {
				t.Error("the report is complete")
			}
			leavesNothing(t)
		})
	}
}

func TestMeasureStops(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cfg := pretend(t, goodStore+`if [ -e "$0.ran" ]; then exec sleep 1000; fi; touch "$0.ran"; echo '{"requests":10}'`)
	cfg.Ran = func(Run) { time.AfterFunc(50*time.Millisecond, func() { cancel(why) }) }
	report, err := Measure(ctx, cfg)
	if err != why || report.Complete || len(report.Runs) != 1 {
		t.Errorf("%v, %+v", err, report)
	}
	leavesNothing(t)
}

// What a process took is what the kernel says of it, and of it alone.
func TestRunTellsWhatItTook(t *testing.T) {
	cfg := pretend(t, `i=0; while [ $i -lt "$1" ]; do i=$((i+1)); done`)
	program := program{path: cfg.Program}
	idle, err := program.run(t.Context(), []string{"0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	busy, err := program.run(t.Context(), []string{"200000"}, nil) // a hundred times what a shell takes to start
	if err != nil {
		t.Fatal(err)
	}
	// No shell does with less than 100 KB.
	if busy.cpu <= 2*idle.cpu || busy.wall <= 0 || idle.maxRSS < 100<<10 {
		t.Errorf("idle %+v, busy %+v", idle, busy)
	}
}

// leavesNothing fails if something is left in the folder for temporary files.
func leavesNothing(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v is left", err, left)
	}
}
