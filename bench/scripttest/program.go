package scripttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"headcount/bench/pinned"
	"headcount/bench/sources"
)

// BuildHeadcount builds headcount from the module in folder, and returns its file.
func BuildHeadcount(t *testing.T, folder string) string {
	t.Helper()
	sources.Watch(t, folder)
	binary := filepath.Join(t.TempDir(), "headcount"+pinned.ExeSuffix())
	if err := build(folder, binary); err != nil {
		t.Fatal(err)
	}
	return binary
}

// RunWithHeadcount is for a TestMain: it runs the tests with a headcount of the module in folder in the PATH, and
// returns the exit code. Tests that start this headcount must call sources.Watch.
func RunWithHeadcount(m *testing.M, folder string) int {
	dir, err := os.MkdirTemp("", "headcount-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = build(folder, filepath.Join(dir, "headcount"+pinned.ExeSuffix()))
	}
	if err == nil {
		err = os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	if err == nil {
		err = os.Setenv("GORACE", RaceOptions)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build builds the program with the race detector if the tests have it.
func build(folder, binary string) error {
	command := exec.Command("go", "build", "-o", binary, fmt.Sprintf("-race=%v", raceEnabled), ".")
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", folder, err, output)
	}
	return nil
}
