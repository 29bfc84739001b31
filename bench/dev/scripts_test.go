package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"headcount/bench/scripttest"
)

// TestMain lets the test binary act as dev, for the scripts and for dev's own child processes.
func TestMain(m *testing.M) {
	if err := os.Setenv("GORACE", scripttest.RaceOptions); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"dev": main})
}

// TestScripts runs testdata/*.txtar. Beside testscript's commands there is scripttest.Exits. $HEADCOUNT is a headcount
// to measure.
func TestScripts(t *testing.T) {
	binary := scripttest.BuildHeadcount(t, filepath.Join("..", ".."))
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			for name, value := range scripttest.IsolatedEnv(env.WorkDir) {
				env.Setenv(name, value)
			}
			env.Setenv("GORACE", scripttest.RaceOptions)
			env.Setenv("HEADCOUNT", binary)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": scripttest.Exits},
	})
}
