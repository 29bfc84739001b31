package cli

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"headcount/bench/scripttest"
	"headcount/bench/sources"
)

// root is the folder of the module, from this one.
const root = "../.."

// TestMain puts headcount into the PATH, for the scripts and for the tests that start it.
func TestMain(m *testing.M) { os.Exit(scripttest.RunWithHeadcount(m, root)) }

// environ returns an environment for a started headcount, in which AWS is not configured.
func environ(t *testing.T) []string {
	t.Helper()
	sources.Watch(t, root)
	env := os.Environ()
	for name, value := range scripttest.IsolatedEnv(t.TempDir()) {
		env = append(env, name+"="+value)
	}
	return env
}

// concurrent are the scripts whose scans differ in what their goroutines share: engines, connections, retries,
// progress, checkpoints. The other scripts are about flags and formats.
func concurrent() []string {
	return []string{
		"testdata/failures.txtar", "testdata/filter.txtar", "testdata/limits.txtar", "testdata/resume.txtar",
		"testdata/scan.txtar", "testdata/screens.txtar", "testdata/tls.txtar",
	}
}

// TestScripts runs testdata/*.txtar, with the commands of package scripttest. With -short, as with the race detector,
// it runs those that are concurrent.
func TestScripts(t *testing.T) {
	sources.Watch(t, root)
	folder, files := "testdata", []string(nil)
	if testing.Short() {
		folder, files = "", concurrent()
	}
	testscript.Run(t, testscript.Params{
		Dir: folder, Files: files,
		Setup: func(env *testscript.Env) error {
			for name, value := range scripttest.IsolatedEnv(env.WorkDir) {
				env.Setenv(name, value)
			}
			env.Setenv("GORACE", scripttest.RaceOptions)
			env.Setenv("N", "\n") // a script has no other way to write it
			return nil
		},
		Cmds: scripttest.Commands(),
	})
}
